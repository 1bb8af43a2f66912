"""Long polling: nothing is confirmed before it is stored, and nothing stops it for good."""

from __future__ import annotations

import asyncio

import pytest

from bot.testing.channel_kit import soon
from channels.telegram import polling
from tests.channels.telegram.fakes import bench, channel_for


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(polling, "LONGEST_PAUSE", 0.1)


async def test_nothing_is_confirmed_before_all_of_the_batch_is_stored() -> None:
    async with bench(polling=True) as b:
        b.core.hold()
        updates = [b.server.update(message=b.server.message(text)) for text in ("one", "two", "three")]
        delivering = [asyncio.ensure_future(b.server.deliver(update)) for update in updates]
        assert await soon(lambda: bool(b.core.offered))
        await asyncio.sleep(0.05)
        assert b.server.confirmed <= updates[0]["update_id"]
        b.core.release()
        assert await asyncio.gather(*delivering) == [True] * 3
        assert [message.text for message in b.core.received] == ["one", "two", "three"]


async def test_what_was_not_confirmed_comes_again_after_a_restart() -> None:
    async with bench(polling=True) as b:
        b.core.full = True
        assert not await b.server.deliver(b.server.update(message=b.server.message("hello")), patience=0.2)
        await b.channel.stop()
        b.core.full = False
        await b.channel.start(b.core)
        assert await soon(lambda: not b.server.pending)
        assert [message.text for message in b.core.received] == ["hello"]


async def test_one_that_can_not_be_read_holds_up_no_other() -> None:
    async with bench(polling=True) as b:
        good = b.server.update(message=b.server.message("good"))
        broken = {"update_id": good["update_id"] - 1, "message": {"text": 1}}
        half = b.server.message("half \ud83d")
        delivering = [
            asyncio.ensure_future(b.server.deliver(update))
            for update in (broken, good, {"update_id": good["update_id"] + 1, "message": half})
        ]
        assert await asyncio.gather(*delivering) == [True] * 3
        assert [message.text for message in b.core.received] == ["good", "half \ufffd"]
        assert len(b.core.unreadable) == 1


@pytest.mark.parametrize("fault", ["429", "500", "garbage", "close after", "close before"])
async def test_it_polls_again_after_a_fault(fault: str) -> None:
    async with bench(polling=True) as b:
        b.server.fail(fault, "getUpdates", times=2)  # type: ignore[arg-type]
        assert await b.server.deliver(b.server.update(message=b.server.message("hello")), patience=5.0)
        assert [message.text for message in b.core.received] == ["hello"]


async def test_a_webhook_that_somebody_sets_is_taken_away_again() -> None:
    async with bench(polling=True) as b:
        await b.writes("one")
        b.server.webhook = {"url": "https://elsewhere.example"}
        assert await soon(lambda: not b.server.webhook)
        await b.writes("two")
        assert any("while webhook is active" in said for said in b.server.refused)


async def test_it_asks_for_the_kinds_that_it_reads_and_keeps_what_waits() -> None:
    async with bench(polling=True) as b:
        await b.writes("one")
        assert set(b.server.made("getUpdates")[-1].given["allowed_updates"]) == {
            "message",
            "edited_message",
            "callback_query",
            "message_reaction",
            "my_chat_member",
        }
        assert not b.server.made("deleteWebhook")[0].given.get("drop_pending_updates")
        assert b.channel.routes() == []


async def test_after_a_silence_the_numbers_may_begin_below() -> None:
    async with bench(polling=True) as b:
        high = b.server.update(999_999_999, message=b.server.message("before"))
        assert await b.server.deliver(high)
        asked = len(b.server.made("getUpdates"))
        assert await soon(lambda: len(b.server.made("getUpdates")) > asked + 1)  # an empty answer lies between
        low = b.server.update(5, message=b.server.message("after"))
        assert await b.server.deliver(low)
        assert [message.text for message in b.core.received] == ["before", "after"]


async def test_two_that_poll_take_nothing_from_each_other() -> None:
    async with bench(polling=True) as b:
        other = channel_for(b.server, public_url="http://127.0.0.1:8080")
        await other.start(b.core)
        try:
            for n in range(5):
                assert await b.server.deliver(b.server.update(message=b.server.message(str(n))), patience=5.0)
        finally:
            await other.stop()
        assert [message.text for message in b.core.received] == ["0", "1", "2", "3", "4"]
        assert any("terminated by other getUpdates" in said for said in b.server.refused)
