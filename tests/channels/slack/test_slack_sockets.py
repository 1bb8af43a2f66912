"""Socket Mode: two sockets, a new one before the old one goes, and an acknowledgement for what is stored only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import Button, Choice, Form, FormField, Reply, Submitted
from bot.testing.channel_kit import soon
from channels.slack import sockets
from channels.slack.settings import SlackAccount
from channels.slack.views import Place, modal
from tests.channels.slack.bench import FLAT, Bench, opened
from tests.platforms.slack import APP_TOKEN, TOKEN, SlackServer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than once a second."""
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(sockets, "FIRST_PAUSE", 0.02)


@asynccontextmanager
async def linked(folder: Path, platform: SlackServer | None = None, app_token: str = APP_TOKEN) -> AsyncIterator[Bench]:
    there = platform or SlackServer()
    if platform is None:
        await there.start()
    there.ack_seconds = 0.5
    given = SlackAccount(bot_token=SecretStr(TOKEN), app_token=SecretStr(app_token), api_url=there.api)
    try:
        async with opened(folder, given, platform=there) as bench:
            if app_token == APP_TOKEN:
                assert await soon(lambda: len(there.sockets) == 2)
            yield bench
        assert await soon(lambda: not there.sockets)
    finally:
        if platform is None:
            await there.stop()


async def written(bench: Bench, text: str, again: int = 0) -> bool:
    inner = bench.platform.written(text)
    return await bench.platform.send_envelope("events_api", bench.platform.event(inner), again=again)


async def test_both_sockets_are_heard(tmp_path: Path) -> None:
    async with linked(tmp_path) as bench:
        for number in range(4):
            assert await written(bench, f"message {number}")
        assert [message.text for message in bench.core.received] == [f"message {number}" for number in range(4)]


async def test_a_new_socket_is_open_before_the_old_one_closes(tmp_path: Path) -> None:
    async with linked(tmp_path) as bench:
        fewest = 2

        async def watch() -> None:
            nonlocal fewest
            while True:
                fewest = min(fewest, len(bench.platform.sockets))
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        before = list(bench.platform.sockets)
        for old in before:
            await bench.platform.refresh(bench.platform.sockets.index(old))
            assert await soon(lambda gone=old: gone not in bench.platform.sockets)
            assert len(bench.platform.sockets) == 2
        watching.cancel()
        assert fewest == 2
        assert not set(before) & set(bench.platform.sockets)
        assert await written(bench, "still there?")


async def test_a_socket_that_breaks_off_is_opened_again(tmp_path: Path) -> None:
    async with linked(tmp_path) as bench:
        for socket in list(bench.platform.sockets):
            await socket.close()
        assert await soon(lambda: len(bench.platform.sockets) == 2)
        assert await written(bench, "still there?")


async def test_what_is_not_stored_is_not_acknowledged_and_comes_again(tmp_path: Path) -> None:
    async with linked(tmp_path) as bench:
        bench.core.full = True
        assert not await written(bench, "lost?")
        sending = asyncio.create_task(written(bench, "hello", again=2))
        await asyncio.sleep(0.2)
        bench.core.full = False
        assert await sending
        assert [message.text for message in bench.core.received] == ["hello"]


async def test_interactions_and_commands_come_the_same_way(tmp_path: Path) -> None:
    async with linked(tmp_path) as bench:
        button = Button(token="tok", label="Yes", value="yes")
        await bench.says(Reply(text="?", choices=(Choice(label="Yes"),), buttons=(button,)), FLAT)
        assert await bench.platform.send_envelope("interactive", bench.platform.press("Yes"))
        fields = {"command": "/track", "channel_id": "D0ANA", "user_id": "U0ANA", "trigger_id": "1", "text": "4"}
        assert await bench.platform.send_envelope("slash_commands", fields)
        assert [message.text for message in bench.core.received] == ["Yes", "/track 4"]


async def test_a_modal_is_closed_by_the_acknowledgement(tmp_path: Path) -> None:
    async with linked(tmp_path) as bench:
        view = modal(
            Form(title="x", token="f1", fields=(FormField(name="a", label="A"),)),
            Place(token="f1", chat="D0ANA", thread=""),
        )
        payload = bench.platform.submit(view, {"a": {"type": "plain_text_input", "value": "b"}})
        assert await bench.platform.send_envelope("interactive", payload)
        assert list(bench.platform.acknowledged.values()) == [{"response_action": "clear"}]
        assert isinstance(bench.core.received[0].content, Submitted)


async def test_what_can_not_be_read_is_set_aside_and_acknowledged(tmp_path: Path) -> None:
    async with linked(tmp_path) as bench:
        assert await bench.platform.send_envelope("events_api", {"type": "event_callback"})
        (kept,) = bench.core.unreadable
        assert kept.payload == '{"type":"event_callback"}'


async def test_a_wrong_token_is_no_busy_loop(tmp_path: Path) -> None:
    async with linked(tmp_path, app_token="xapp-wrong") as bench:
        await asyncio.sleep(0.3)
        assert bench.platform.sockets == []
        assert bench.platform.refused <= 2 * 6


async def test_a_slack_that_is_not_there_yet_is_found_later(tmp_path: Path) -> None:
    platform = SlackServer()
    given = SlackAccount(bot_token=SecretStr(TOKEN), app_token=SecretStr(APP_TOKEN), api_url=platform.api)
    async with opened(tmp_path, given, platform=platform) as bench:
        await asyncio.sleep(0.05)
        await platform.start()
        assert await soon(lambda: len(platform.sockets) == 2)
        assert await written(bench, "hello")
    await platform.stop()
