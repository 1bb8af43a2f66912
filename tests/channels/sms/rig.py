"""A started SMS channel between a strict local Twilio and a core in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bot.channel import Delivery
from bot.clock import SystemClock
from bot.messages import Address, Message
from bot.replies import Reply
from bot.testing.channel_kit import Core
from channels.sms.channel import SmsChannel
from channels.sms.settings import SmsSettings, lines
from tests.platforms.twilio import THEIRS, Taken, Twilio, settings_for
from tests.servers import free_port


class Hours(SystemClock):
    """A clock that is set by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead

    def steady(self) -> float:
        return super().steady() + self.ahead


@dataclass
class Rig:
    """Everything that a test of the channel touches."""

    twilio: Twilio
    channel: SmsChannel
    core: Core
    url: str
    clock: Hours
    numbers: list[int] = field(default_factory=lambda: [0])

    def delivery(self, text: str | Reply, to: str = THEIRS, *, at: float = 0.0, id: str = "") -> Delivery:
        """A reply on its way, written down as the outbox does."""
        self.numbers[0] += 1
        seq = self.numbers[0]
        reply = Reply(text=text) if isinstance(text, str) else text
        there = Address(channel="sms", account=self.channel.account, chat=to)
        made = Delivery(
            id=id or f"c{seq:020d}.{seq}", conversation="c1", seq=seq, address=there, reply=reply, first_attempt_at=at
        )
        self.core.write_down(made)
        return made

    async def send(self, text: str | Reply, to: str = THEIRS) -> Taken:
        """Send it; what Twilio has of it then."""
        await self.channel.send(self.delivery(text, to))
        return self.twilio.taken[-1]

    @property
    def heard(self) -> list[Message]:
        """What the core got."""
        return self.core.received


@asynccontextmanager
async def rig(given: Mapping[str, object] | None = None) -> AsyncIterator[Rig]:
    """A rig whose settings are these."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    twilio = Twilio(webhook=f"{url}/channels/sms")
    (line,) = lines(SmsSettings.model_validate(settings_for(twilio, {"catch_up_every": 0, **(given or {})})), url)
    clock = Hours()
    channel, core = SmsChannel(line, clock), Core()
    core.clock = clock
    app = web.Application()
    app.add_routes(channel.routes())
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    await twilio.start()
    await channel.start(core)
    try:
        yield Rig(twilio, channel, core, url, clock)
        assert twilio.problems == []
    finally:
        await channel.stop()
        await runner.cleanup()
        await twilio.close()
