"""The Telegram channel passes the suite for every channel, by webhook and by long polling, on a strict server."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from bot.channel import Channel
from bot.testing.channel_contract import ChannelContract
from bot.testing.channel_kit import Core, Wire
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import TelegramAccount, TelegramSettings
from tests.platforms.telegram import ANA, BOT, GROUP, PHONE, TelegramServer, styled, words
from tests.servers import free_port


class TelegramWire(Wire):
    """Ana, in her private chat with the bot."""

    public_url = "https://bot.example"
    friend = "5002"

    def __init__(self) -> None:
        self.server = TelegramServer()
        self._runner: web.AppRunner | None = None
        self._port = free_port()
        self._started = False
        self._events: dict[str, dict[str, Any]] = {}
        self.server.reach = f"http://127.0.0.1:{self._port}"

    async def build(self) -> Channel:
        if not self._started:
            await self.server.start()
            self._started = True
        settings = TelegramSettings(api_url=self.server.url, poll_timeout=1)
        account = TelegramAccount(bot_token=SecretStr(self.server.token))
        return TelegramChannel("main", account, settings, public_url=self.public_url)

    async def connect(self, channel: Channel, core: Core) -> None:
        app = web.Application()
        app.add_routes(channel.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        async with asyncio.timeout(5):
            while not self._ready():  # noqa: ASYNC110 - a server's own time
                await asyncio.sleep(0.005)

    async def disconnect(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def close(self) -> None:
        await self.server.stop()
        assert self.server.problems == []

    async def write(self, text: str, event: str) -> bool:
        if event not in self._events:
            self._events[event] = self.server.update(message=self.server.message(text))
        return await self.server.deliver(self._events[event])

    async def press(self, label: str) -> bool:
        return await self.server.deliver(self.server.press(label))

    async def sees(self) -> str:
        return self.server.sees()

    async def bold(self) -> str:
        return " ".join(found for one in self.server.shown[5001] for found in styled(one.message, "bold"))

    async def files(self) -> str:
        return " ".join(shown.file for shown in self.server.shown[5001])

    async def cards(self) -> str:
        return "\n".join(found for one in self.server.shown[5001] for found in styled(one.message, "blockquote"))

    async def share_phone(self, label: str) -> str:
        assert await self.server.deliver(self.server.taps(label))
        return f"+{PHONE}"

    async def react(self, emoji: str) -> bool:
        said = self.server.shown[5001][-1].message
        reaction = {"chat": said["chat"], "message_id": said["message_id"], "user": ANA, "date": said["date"]}
        reaction |= {"old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": emoji}]}
        return await self.server.deliver(self.server.update(message_reaction=reaction))

    async def write_among_others(self, text: str, event: str) -> bool:
        mention = {"entities": [{"type": "mention", "offset": 0, "length": len(BOT["username"]) + 1}]}
        said = self.server.message(f"@{BOT['username']} {text}", chat=GROUP, more=mention)
        return await self.server.deliver(self.server.update(message=said))

    async def overheard(self) -> str:
        return "\n".join(words(shown.message) for shown in self.server.shown[GROUP["id"]])

    async def whispered(self) -> str:
        return self.server.sees()

    async def called(self) -> list[str]:
        marks = [mark for shown in self.server.shown[5001] for mark in shown.message.get("entities", [])]
        names = [word for shown in self.server.shown[5001] for word in re.findall(r"\B@\w+", shown.message["text"])]
        return [str(mark["user"]["id"]) for mark in marks if mark["type"] == "text_mention"] + names

    async def sees_typing(self) -> bool:
        return self.server.types()

    async def sees_draft(self) -> str:
        shown = self.server.shown[5001]
        return words(shown[-1].message) if shown else ""

    async def break_off(self) -> bool:
        self.server.fail("500", times=100)
        return True

    def _ready(self) -> bool:
        return bool(self.server.webhook)


class PollingWire(TelegramWire):
    """The same, for a bot that nobody can reach."""

    # What is confirmed never comes again; what is not, does: test_polling.py.
    redelivers = False
    public_url = "http://127.0.0.1:8080"

    def _ready(self) -> bool:
        return not self.server.webhook

    async def disconnect(self) -> None:
        with suppress(AttributeError):
            await super().disconnect()


class TestTelegramByWebhook(ChannelContract):
    """Telegram delivers."""

    title = "telegram"

    def make(self, folder: Path) -> Wire:
        return TelegramWire()


class TestTelegramByPolling(ChannelContract):
    """We ask."""

    title = "telegram"

    def make(self, folder: Path) -> Wire:
        return PollingWire()
