"""A channel between the strict local Slack and a core in memory, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from msgspec.structs import replace
from pydantic import SecretStr

from bot import Address, Delivery, Media, Reply
from bot.clock import SystemClock
from bot.messages import Message
from bot.testing.channel_kit import Core
from channels.slack.channel import SlackChannel
from channels.slack.settings import SlackAccount
from tests.platforms.slack import DM, SECRET, TOKEN, SlackServer
from tests.servers import free_port

CHANNEL = "C0GENERAL"
FLAT = Address(channel="slack", account="main", chat=DM)
PDF = Media(url="https://shop.example/bill.pdf", name="bill.pdf", type="application/pdf", alt="Your bill")


@dataclass
class Bench:
    """What a test has in its hands."""

    platform: SlackServer
    channel: SlackChannel
    core: Core

    async def hears(self, inner: dict[str, object]) -> Message | None:
        """Deliver an event of a person's; the message that came of it."""
        before = len(self.core.received)
        assert await self.platform.deliver(self.platform.event(inner))
        new = self.core.received[before:]
        assert len(new) <= 1
        return new[0] if new else None

    async def says(self, reply: Reply | str, to: Address = FLAT) -> Delivery:
        """Send a reply as the outbox does; the (last) delivery."""
        reply = Reply(text=reply) if isinstance(reply, str) else reply
        made = self.core.deliveries(self.channel, reply, to)
        for delivery in made:
            self.core.write_down(delivery)
            await self.channel.send(delivery)
        return made[-1]

    def called(self, method: str) -> list[dict[str, object]]:
        """The bodies of all accepted calls of a method."""
        return [body for name, body in self.platform.calls if name == method]


def settings(platform: SlackServer) -> SlackAccount:
    """One workspace over HTTP, with drafts fast enough for tests."""
    return SlackAccount(
        bot_token=SecretStr(TOKEN),
        signing_secret=SecretStr(SECRET),
        api_url=platform.api,
        files_url=platform.files_url,
        draft_pace=0.02,
    )


@asynccontextmanager
async def serving(platform: SlackServer, routes: Sequence[web.RouteDef]) -> AsyncIterator[str]:
    """The bot's own server; its address."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def opened(
    folder: Path, given: SlackAccount | None = None, *, platform: SlackServer | None = None, core: Core | None = None
) -> AsyncIterator[Bench]:
    """A started channel; a platform or a core that is given outlives it."""
    there = platform or SlackServer()
    if platform is None:
        await there.start()
    there.chat(DM)
    there.chat(CHANNEL)
    channel = SlackChannel("main", given or settings(there), folder, SystemClock(), "http://bot.example")
    bench = Bench(there, channel, core or Core())
    await channel.start(bench.core)
    try:
        async with serving(there, channel.routes()) as url:
            there.events = f"{url}/channels/slack"
            yield bench
    finally:
        await channel.stop()
        if platform is None:
            await there.stop()
        await asyncio.sleep(0)


def delivery(reply: Reply, to: Address = FLAT, **given: object) -> Delivery:
    made = Delivery(id="conv.7", conversation="conv", seq=7, address=to, reply=reply)
    return replace(made, **given)
