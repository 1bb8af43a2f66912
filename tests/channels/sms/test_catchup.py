"""What no webhook brought is read from Twilio's list: once, in order, and nothing of what was refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import structlog

from bot import Consent
from bot.testing.channel_kit import soon
from channels.sms.catchup import CatchUp
from tests.channels.sms.rig import Rig, rig
from tests.platforms.twilio import THEIRS, Came
from tests.servers import free_port


def catch_up(r: Rig) -> CatchUp:
    channel = r.channel
    assert channel._api is not None
    assert channel._intake is not None
    return CatchUp(channel.account, r.core, channel._api, channel._intake, r.clock.now)


async def missed(r: Rig, *texts: str, sender: str = THEIRS) -> None:
    """Texts that come while nobody is at the webhook."""
    webhook, r.twilio.webhook = r.twilio.webhook, f"http://127.0.0.1:{free_port()}/channels/sms"
    for text in texts:
        assert (await r.twilio.text(text, sender=sender)).status == 0
    r.twilio.webhook = webhook


async def test_what_was_missed_is_taken_in_once_and_in_order() -> None:
    async with rig() as r:
        assert await catch_up(r).once() == 0, "nothing before the first look is ours to answer"
        await r.twilio.text("heard")
        await missed(r, "one", "two")
        await r.twilio.text("three")
        with structlog.testing.capture_logs() as logs:
            assert await catch_up(r).once() == 2
        assert [message.text for message in r.heard] == ["heard", "three", "one", "two"]
        assert [line["messages"] for line in logs] == [2]
        sent_at = {one.sid: one.created for one in r.twilio.came}
        assert all(abs(message.at - sent_at[message.event_id]) <= 1 for message in r.heard)
        assert await catch_up(r).once() == 0
        # A process that knows nothing of it has the store: a sid is a message once.
        r.core.counted._windows.clear()
        assert await catch_up(r).once() == 0
        assert len(r.heard) == 4


async def test_what_came_before_anybody_looked_stays_unread() -> None:
    async with rig() as r:
        await missed(r, "from before the bot was set up")
        r.clock.ahead += 700
        assert await catch_up(r).once() == 0
        assert await catch_up(r).once() == 0
        assert r.heard == []


async def test_a_store_that_is_full_again_is_tried_again() -> None:
    async with rig() as r:
        await catch_up(r).once()
        r.core.full = True
        assert (await r.twilio.text("hello")).status == 503
        with pytest.raises(Exception, match="full"):
            await catch_up(r).once()
        r.core.full = False
        assert await catch_up(r).once() == 1


async def test_what_was_refused_stays_refused() -> None:
    async with rig({"loop_messages": 3}) as r:
        await catch_up(r).once()
        for n in range(9):
            await r.twilio.text(f"machine {n}")
        await r.twilio.text("hello", sender="+436641234567")
        assert len(r.heard) == 3
        for _ in range(3):
            r.clock.ahead += 60
            await catch_up(r).once()
        assert len(r.heard) == 3


async def test_catching_up_does_not_make_a_person_look_like_a_machine() -> None:
    async with rig({"loop_messages": 3}) as r:
        await catch_up(r).once()
        await missed(r, *(f"number {n}" for n in range(9)))
        r.clock.ahead += 60
        assert await catch_up(r).once() == 9
        await r.twilio.text("and now?")
        assert r.heard[-1].text == "and now?"


async def test_the_caps_hold_for_what_was_missed_too() -> None:
    async with rig({"inbound_per_hour": 4, "loop_messages": 29}) as r:
        await catch_up(r).once()
        await missed(r, *(f"number {n}" for n in range(9)))
        assert await catch_up(r).once() == 4
        await missed(r, "hello", sender="+19005551234")
        assert await catch_up(r).once() == 0


@pytest.mark.parametrize("lost", ["STOP", "START", "both"])
async def test_the_last_wish_counts_whichever_was_missed(lost: str) -> None:
    async with rig() as r:
        await catch_up(r).once()
        for word in ("STOP", "START"):
            if lost in (word, "both"):
                await missed(r, word)
            else:
                await r.twilio.text(word)
        await catch_up(r).once()
        wishes = [message.content for message in r.heard if isinstance(message.content, Consent)]
        assert wishes[-1].on
        assert r.core.notes.get(f"sms.main.stopped.{THEIRS}") is None


async def test_files_come_with_it() -> None:
    async with rig() as r:
        await catch_up(r).once()
        await missed(r, "look")
        r.twilio.came[-1].media = [("ME" + "a" * 32, "image/jpeg")]
        assert await catch_up(r).once() == 1
        (file,) = r.heard[-1].media
        assert file.type == "image/jpeg"
        assert file.url.endswith(f"{r.twilio.came[-1].sid}/ME{'a' * 32}")


async def test_two_hundred_are_read_page_by_page() -> None:
    async with rig() as r:
        await catch_up(r).once()
        now = r.clock.now()
        r.twilio.came = [
            Came(f"SM{n:032x}", "+14155550100", f"+1415555{2000 + n}", f"text {n}", now + n / 1000) for n in range(250)
        ]
        assert await catch_up(r).once() == 250
        assert [message.text for message in r.heard] == [f"text {n}" for n in range(250)]


async def test_it_runs_by_itself_and_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.sms.catchup.OVERLAP", 60.0)
    async with rig({"catch_up_every": 0.05}) as on, rig() as off:
        assert await soon(lambda: "sms.main.read_until" in on.core.notes)
        await missed(on, "hello")
        assert await soon(lambda: [message.text for message in on.heard] == ["hello"])
        await on.twilio.vanish()
        await asyncio.sleep(0.2)
        await on.twilio.start()
        await missed(on, "again")
        assert await soon(lambda: len(on.heard) == 2)
        await missed(off, "hello")
        await asyncio.sleep(0.2)
        assert off.twilio.lists == 0
        assert off.heard == []


async def test_an_outage_of_twilio_is_told_once() -> None:
    with structlog.testing.capture_logs() as logs:
        async with rig({"catch_up_every": 0.02}) as r:
            assert await soon(lambda: r.twilio.lists > 1 or "sms.main.read_until" in r.core.notes)
            await missed(r, "hello")
            await r.twilio.vanish()
            assert await soon(told(logs, "sms_not_caught_up"))
            await asyncio.sleep(0.2)
    assert sum(line["event"] == "sms_not_caught_up" for line in logs) == 1


def told(logs: list[structlog.typing.EventDict], event: str) -> Callable[[], bool]:
    return lambda: any(line["event"] == event for line in logs)
