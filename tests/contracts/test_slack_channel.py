"""The Slack channel passes the suite for every channel: an assistant's thread, a plain chat, and Socket Mode."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.channel import Channel
from bot.clock import SystemClock
from bot.testing.channel_contract import ChannelContract
from bot.testing.channel_kit import Core, Wire, soon
from tests.platforms.slack import APP_TOKEN, BOT, DM, PERSON, SECRET, TOKEN, SlackServer
from tests.platforms.slack_rules import Json, bold, called, seen, walk
from tests.servers import free_port

pytest.importorskip("slack_sdk")

from channels.slack.channel import SlackChannel
from channels.slack.settings import SlackAccount

THREAD = "1700000000.000001"
ROOM = "C0GENERAL"


class SlackWire(Wire):
    """Ana, who writes to the bot over the Events API: in a thread of hers, or straight into the chat."""

    friend = "U0BEA"

    def __init__(self, folder: Path, *, assistant: bool) -> None:
        self._folder, self._assistant = folder, assistant
        self._thread = THREAD if assistant else ""
        self._platform, self._port = SlackServer(), free_port()
        self._stamps: dict[str, str] = {}
        self._runner: web.AppRunner | None = None
        self._up = False

    def settings(self) -> SlackAccount:
        """One workspace over HTTP."""
        return SlackAccount(
            bot_token=SecretStr(TOKEN),
            signing_secret=SecretStr(SECRET),
            api_url=self._platform.api,
            files_url=self._platform.files_url,
            assistant=self._assistant,
            draft_pace=0.05,
        )

    async def build(self) -> Channel:
        if not self._up:
            await self._platform.start()
            self._platform.events = f"http://127.0.0.1:{self._port}/channels/slack"
            self._platform.chat(DM)
            self._platform.chat(ROOM)
            self._up = True
        return SlackChannel("main", self.settings(), self._folder, SystemClock())

    async def connect(self, channel: Channel, core: Core) -> None:
        app = web.Application()
        app.add_routes(channel.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()

    async def disconnect(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def close(self) -> None:
        await self._platform.stop()

    async def write(self, text: str, event: str) -> bool:
        ts = self._stamps.setdefault(event, self._platform.ts())
        inner = self._platform.written(text, ts=ts, thread=self._thread)
        return await self._deliver("events_api", self._platform.event(inner))

    async def press(self, label: str) -> bool:
        return await self._deliver("interactive", self._platform.press(label, user=PERSON))

    async def fill_in(self, values: dict[str, str]) -> bool:
        opened = len(self._platform.views)
        (opener,) = [part for part in self._parts(self._shown()[-1:]) if part.get("action_id") == "form"]
        assert await self._deliver("interactive", self._platform.press(opener["text"]["text"], user=PERSON))
        assert await soon(lambda: len(self._platform.views) > opened)
        view = self._platform.views[-1]
        return await self._deliver("interactive", self._platform.filled(view, values))

    async def react(self, emoji: str) -> bool:
        item = {"type": "message", "channel": DM, "ts": self._shown()[-1]["ts"]}
        inner = {"type": "reaction_added", "user": PERSON, "reaction": {"👍": "+1"}[emoji], "item": item}
        return await self._deliver("events_api", self._platform.event({**inner, "event_ts": self._platform.ts()}))

    async def write_among_others(self, text: str, event: str) -> bool:
        inner = self._platform.written(f"<@{BOT}> {text}", chat=ROOM, ts=self._platform.ts())
        return await self._deliver("events_api", self._platform.event({**inner, "type": "app_mention"}))

    async def overheard(self) -> str:
        return self._platform.text(ROOM)

    async def whispered(self) -> str:
        alone = [message for message in self._platform.ephemeral if message["to"] == PERSON]
        return "\n".join(seen(message) for message in alone)

    async def called(self) -> list[str]:
        return [user for message in self._shown() for user in called(message)]

    async def sees(self) -> str:
        return self._platform.text(DM)

    async def bold(self) -> str:
        return " ".join(bold(message) for message in self._shown())

    async def files(self) -> str:
        blocks = (block for message in self._shown() for block in message.get("blocks", []))
        return " ".join(block["image_url"] for block in blocks if block["type"] == "image")

    async def cards(self) -> str:
        parts = self._parts(self._shown())
        return " ".join(part["text"]["text"] for part in parts if part.get("type") == "header")

    async def sees_typing(self) -> bool:
        return bool(self._platform.statuses.get((DM, THREAD)))

    async def sees_draft(self) -> str:
        unfinished = [message for message in self._shown() if "metadata" not in message]
        return seen(unfinished[-1]).strip() if unfinished else ""

    async def break_off(self) -> bool:
        await self._platform.stop()
        return True

    def _shown(self) -> Sequence[Json]:
        return self._platform.shown(DM)

    def _parts(self, messages: Sequence[Json]) -> Sequence[Json]:
        return [part for message in messages for part in walk(message.get("blocks", []))]

    async def _deliver(self, kind: str, payload: Json) -> bool:
        if kind == "interactive":
            return await self._platform.interact(payload)
        return await self._platform.deliver(payload)


class SocketWire(SlackWire):
    """The same over Socket Mode, where an envelope is acknowledged on the socket that it came from."""

    def settings(self) -> SlackAccount:
        """Two sockets, and no signing secret."""
        return SlackAccount(
            bot_token=SecretStr(TOKEN),
            app_token=SecretStr(APP_TOKEN),
            api_url=self._platform.api,
            files_url=self._platform.files_url,
            draft_pace=0.05,
        )

    async def connect(self, channel: Channel, core: Core) -> None:
        assert await soon(lambda: len(self._platform.sockets) == 2)
        self._platform.ack_seconds = 2.0  # Slack waits for three; only what is not acknowledged takes so long

    async def disconnect(self) -> None:
        with suppress(AssertionError):
            await soon(lambda: not self._platform.sockets)

    async def _deliver(self, kind: str, payload: Json) -> bool:
        return await self._platform.send_envelope(kind, payload)


class TestSlackAssistant(ChannelContract):
    """In the thread of an assistant, over the Events API."""

    title = "slack"

    def make(self, folder: Path) -> Wire:
        return SlackWire(folder, assistant=True)


class TestSlackPlain(ChannelContract):
    """An app without the assistant, in a chat of two."""

    title = "slack without assistant"

    def make(self, folder: Path) -> Wire:
        return SlackWire(folder, assistant=False)


class TestSlackOverSockets(ChannelContract):
    """Socket Mode."""

    title = "slack"

    def make(self, folder: Path) -> Wire:
        return SocketWire(folder, assistant=True)
