"""A started Telegram channel between a strict server and a core in memory."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from bot import Address, Delivery, KnownCommand, Message, Reply
from bot.people import conversation_id
from bot.testing.channel_kit import Core, soon
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import TelegramAccount, TelegramSettings
from tests.platforms.telegram import PRIVATE, TelegramServer
from tests.servers import free_port

ANA = Address(channel="telegram", account="main", chat="5001")
GROUP = Address(channel="telegram", account="main", chat="-4001")

_numbers = itertools.count(1)


@dataclass
class Bench:
    """What a test plays with."""

    server: TelegramServer
    core: Core
    channel: TelegramChannel

    async def hears(self, update: dict[str, Any]) -> list[Message]:
        """Deliver an update; the messages that the core got of it."""
        before = len(self.core.received)
        assert await self.server.deliver(update)
        return self.core.received[before:]

    async def writes(self, text: str = "", **given: Any) -> list[Message]:
        """Somebody writes."""
        return await self.hears(self.server.update(message=self.server.message(text, **given)))

    async def says(self, reply: Reply | str, to: Address = ANA) -> list[str]:
        """Say something as the outbox does; the ids of the messages."""
        reply = Reply(text=reply) if isinstance(reply, str) else reply
        made = self.core.deliveries(self.channel, reply, to)
        return [(await self.channel.send(delivery)).platform_id for delivery in made]


def delivery(reply: Reply | str, to: Address = ANA) -> Delivery:
    """One delivery, as it is."""
    reply = Reply(text=reply) if isinstance(reply, str) else reply
    conversation, number = conversation_id("default", to), next(_numbers)
    return Delivery(id=f"{conversation}.{number}", conversation=conversation, seq=number, address=to, reply=reply)


def channel_for(
    server: TelegramServer, *, public_url: str = "https://bot.example", account: str = "main", secret: str = ""
) -> TelegramChannel:
    """A channel for this server, not started."""
    settings = TelegramSettings(api_url=server.url, poll_timeout=1)
    bot = TelegramAccount(bot_token=SecretStr(server.token), webhook_secret=SecretStr(secret) if secret else None)
    return TelegramChannel(account, bot, settings, public_url=public_url)


@asynccontextmanager
async def served(server: TelegramServer, channels: Sequence[TelegramChannel]) -> AsyncIterator[str]:
    """The channels' routes on a port; its address."""
    app = web.Application()
    for channel in channels:
        app.add_routes(channel.routes())
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    server.reach = f"http://127.0.0.1:{port}"
    try:
        yield server.reach
    finally:
        await runner.cleanup()


@asynccontextmanager
async def bench(
    *,
    polling: bool = False,
    commands: Sequence[KnownCommand] = (),
    public_url: str = "",
    server: TelegramServer | None = None,
) -> AsyncIterator[Bench]:
    """Everything started; what the server found wrong is told at the end."""
    server, core = server or TelegramServer(), Core()
    core.known_commands = list(commands)
    await server.start()
    public_url = public_url or ("http://127.0.0.1:8080" if polling else "https://bot.example")
    channel = channel_for(server, public_url=public_url)
    try:
        async with served(server, [channel]):
            await channel.start(core)
            try:
                assert polling or await soon(lambda: bool(server.webhook))
                yield Bench(server, core, channel)
            finally:
                await channel.stop()
    finally:
        await server.stop()
    assert server.problems == []


def button_of(server: TelegramServer, chat: int = PRIVATE["id"]) -> dict[str, Any]:
    """The first button under the newest message."""
    button: dict[str, Any] = server.shown[chat][-1].message["reply_markup"]["inline_keyboard"][0][0]
    return button
