"""The channel against npm's emulate, a Twilio that nobody here wrote, with the real SDK in between.

It does not keep Twilio's limits (tests/platforms/twilio.py does); it shows that requests, answers and signatures are
understood on both sides.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.channel import Delivery
from bot.messages import Consent, Message
from bot.replies import Reply
from bot.testing.channel_kit import Core
from channels.sms.api import basic_auth
from channels.sms.channel import SmsChannel
from channels.sms.settings import SmsSettings, lines
from tests.peers import EMULATE, HOW, NODE
from tests.platforms.twilio import OURS, SID, THEIRS, TOKEN
from tests.servers import free_port

needs_emulate = pytest.mark.skipif(not (EMULATE.exists() and NODE.exists()), reason=f"emulate {HOW}")
pytestmark = needs_emulate

LOGIN = basic_auth(SID, TOKEN)


@dataclass
class Emulated:
    """Where emulate listens, and where it delivers."""

    url: str
    webhooks: int


@pytest.fixture(scope="module")
def emulate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """One emulate for all tests of this file, on a free port of this machine."""
    home = tmp_path_factory.mktemp("emulate")
    port, webhooks = free_port(), free_port()
    seed = {
        "twilio": {
            "account": {"sid": SID, "auth_token": TOKEN},
            "phone_numbers": [{"phone_number": OURS, "sms_url": f"http://127.0.0.1:{webhooks}/channels/sms"}],
        }
    }
    (home / "seed.json").write_text(json.dumps(seed))
    command = [NODE, EMULATE.resolve(), "start", "--service", "twilio", "--port", str(port), "--seed", "seed.json"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _answers(port, process, home / "log")
        yield Emulated(f"http://127.0.0.1:{port}", webhooks)
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


class Talk:
    """Somebody with a telephone on the far side of emulate."""

    def __init__(self, emulated: Emulated, channel: SmsChannel, core: Core, http: aiohttp.ClientSession) -> None:
        self.emulated, self.channel, self.core, self._http = emulated, channel, core, http
        self._seq = 0

    async def writes(self, text: str) -> Message:
        """They text us; what the core got."""
        await self._ask("inbound-message", {"From": THEIRS, "To": OURS, "Body": text})
        return self.core.received[-1]

    async def status(self, sid: str, status: str) -> None:
        """Something became of our message."""
        await self._ask("message-status", {"MessageSid": sid, "Status": status})

    async def _ask(self, what: str, data: dict[str, str]) -> None:
        url = f"{self.emulated.url}/_twilio/simulate/{what}"
        async with self._http.post(url, data=data, headers={"Authorization": LOGIN}) as answer:
            assert answer.status < 300, await answer.text()

    def delivery(self, text: str, to: Message) -> Delivery:
        """A reply on its way."""
        self._seq += 1
        id = f"c{time.time_ns()}.{self._seq}"
        made = Delivery(id=id, conversation="c", seq=self._seq, address=to.address, reply=Reply(text=text))
        self.core.write_down(made)
        return made


@asynccontextmanager
async def talk(emulated: Emulated) -> AsyncIterator[Talk]:
    given = {"account_sid": SID, "auth_token": TOKEN, "sender": OURS, "api_url": emulated.url, "mms": True}
    (line,) = lines(SmsSettings.model_validate(given), f"http://127.0.0.1:{emulated.webhooks}")
    channel, core = SmsChannel(line), Core()
    app = web.Application()
    app.add_routes(channel.routes())
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", emulated.webhooks, reuse_address=True).start()
    await channel.start(core)
    try:
        async with aiohttp.ClientSession() as http:
            yield Talk(emulated, channel, core, http)
    finally:
        await channel.stop()
        await runner.cleanup()


async def test_a_text_comes_in_signed_by_somebody_else(emulate: Emulated) -> None:
    async with talk(emulate) as t:
        message = await t.writes("Where is order 42? Grüße 🙂")
        assert message.text == "Where is order 42? Grüße 🙂"
        assert message.address.chat == THEIRS
        assert (await t.writes("stop")).content == Consent(on=False, word="stop")


async def test_a_reply_goes_out_and_its_statuses_come_back(emulate: Emulated) -> None:
    async with talk(emulate) as t:
        there = await t.writes("hello")
        made = t.delivery("**Good morning** – to you", there)
        receipt = await t.channel.send(made)
        assert receipt.platform_id.startswith("SM")
        for state in ("sent", "delivered", "sent"):
            await t.status(receipt.platform_id, state)
        assert t.core.unreadable == []
        found = await t.channel.find_sent(made)
        assert found == receipt


async def test_what_was_sent_is_found_in_its_list(emulate: Emulated) -> None:
    async with talk(emulate) as t:
        there = await t.writes("hello")
        words = f"said at {time.time_ns()}"
        made, unsent = t.delivery(words, there), t.delivery(words + "!", there)
        receipt = await t.channel.send(made)
        await t.channel.stop()
        await t.channel.start(t.core)
        t.core.notes.clear()
        assert await t.channel.find_sent(made) == receipt
        assert await t.channel.find_sent(unsent) is None
