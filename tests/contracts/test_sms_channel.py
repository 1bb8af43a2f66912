"""The SMS channel passes the suite for every channel, on a real server and against a strict local Twilio."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from bot.channel import Channel
from bot.testing.channel_contract import ChannelContract
from bot.testing.channel_kit import Core, Wire
from channels.sms.channel import SmsChannel
from channels.sms.settings import SmsSettings, lines
from tests.platforms.twilio import Twilio, settings_for
from tests.servers import free_port


class SmsWire(Wire):
    """Somebody with a telephone."""

    def __init__(self) -> None:
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self._twilio = Twilio(webhook=f"{self._url}/channels/sms")

    async def build(self) -> Channel:
        # The suite says more in a second than a person in a minute.
        quick = {"loop_messages": 29, "inbound_per_hour": 1000, "outbound_per_hour": 10_000, "outbound_per_day": 10_000}
        settings = SmsSettings.model_validate(settings_for(self._twilio, quick))
        (line,) = lines(settings, self._url)
        return SmsChannel(line)

    async def connect(self, channel: Channel, core: Core) -> None:
        await self._twilio.start()
        app = web.Application()
        app.add_routes(channel.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()

    async def disconnect(self) -> None:
        await self._runner.cleanup()
        await self._twilio.vanish()

    async def close(self) -> None:
        await self._twilio.close()
        assert self._twilio.problems == []

    async def write(self, text: str, event: str) -> bool:
        answer = await self._twilio.text(text, event=event)
        assert answer.status in (200, 503), answer
        return answer.status == 200

    async def sees(self) -> str:
        return "\n".join(self._twilio.shown())

    async def break_off(self) -> bool:
        await self._twilio.vanish()
        return True


class TestSms(ChannelContract):
    """As a telephone would."""

    title = "sms"

    def make(self, folder: Path) -> Wire:
        return SmsWire()
