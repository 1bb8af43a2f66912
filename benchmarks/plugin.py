"""The plugin that the measuring commands load: a channel of one small HTTP platform, and two skills.

The platform speaks like Slack: signed webhooks in, a POST per reply out. Its other side is load.py (fast, for figures)
or fakes.py (keeps everything, can be read back, drops connections).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web
from pydantic import SecretStr

from bot import (
    Address,
    Capabilities,
    Channel,
    Delivery,
    Gateway,
    Message,
    NotSent,
    PluginContext,
    Pressed,
    RateLimited,
    Receipt,
    Rejected,
    Section,
    Sender,
    Skill,
    Text,
    Turn,
    UnknownOutcome,
    hookimpl,
    step_key,
)

SECRET = "an-invented-signing-secret"  # noqa: S105 - invented
BAKING = 0.05  # seconds: long enough to be killed in
PATH = "/channels/bench/events"


class BenchSettings(Section):
    """Where the platform is. `reconcile` off answers every read-back with "not there", to see the checker fail.

    `second` is where another platform is, for an account of its own. `ledger` is the file in which the order skill's
    steps leave their traces. `together` is how many turns of the work skill go on at once, `work` their seconds.
    """

    sink: str
    second: str = ""
    secret: SecretStr = SecretStr(SECRET)
    send_timeout: float = 10.0
    reconcile: bool = True
    ledger: Path = Path("/dev/null")
    together: int = 5
    work: float = 0.05


class Event(msgspec.Struct):
    """What is read of a Slack event: words, or the token of a pressed button; and whose customer they are."""

    channel: str
    user: str
    ts: str
    text: str = ""
    pressed: str = ""
    tenant: str = "default"


class Envelope(msgspec.Struct):
    """The outside of a Slack event."""

    event_id: str
    event: Event


class Posted(msgspec.Struct):
    """What the platform answers to a post or a look; without `ts` there is no such message."""

    ts: str = ""


class ShownButton(msgspec.Struct):
    """A button of a reply."""

    token: str
    label: str


class Post(msgspec.Struct):
    """A reply as the platform gets it; `id` is kept with the message, so that it can be found again.

    `sent` is when it was sent on its way: what arrives much later was held up by the network.
    """

    channel: str
    text: str
    id: str
    buttons: list[ShownButton] = []
    sent: float = 0.0


_event = msgspec.json.Decoder(Envelope).decode
_posted = msgspec.json.Decoder(Posted).decode
_encode = msgspec.json.Encoder().encode


def signature(secret: bytes, timestamp: bytes, body: bytes) -> str:
    """Slack's v0 signature."""
    return "v0=" + hmac.digest(secret, b"v0:" + timestamp + b":" + body, hashlib.sha256).hex()


class BenchChannel(Channel):
    """One account on the platform."""

    name = "bench"

    def __init__(self, settings: BenchSettings, account: str, sink: str) -> None:
        self.account = account
        self.capabilities = Capabilities(
            max_text=4000, buttons=5, markdown=True, read_back=True, send_timeout=settings.send_timeout
        )
        self._settings = settings
        self._secret = settings.secret.get_secret_value().encode()
        self._post, self._look = f"{sink}/api/chat.postMessage", f"{sink}/sent"
        self._gateway: Gateway | None = None
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        """The webhook."""
        return [web.post(path_of(self.account), self._receive)]

    async def start(self, gateway: Gateway) -> None:
        """Open the one session for replies."""
        self._gateway = gateway
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=256),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # the outbox has its own
        )

    async def stop(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def send(self, delivery: Delivery) -> Receipt:
        """Post one reply."""
        reply = delivery.reply
        shown = [ShownButton(button.token, button.label) for button in reply.buttons]
        chat, now = delivery.address.chat, time.time()
        body = _encode(Post(channel=chat, text=reply.text, id=delivery.id, buttons=shown, sent=now))
        assert self._session is not None
        try:
            headers = {"Content-Type": "application/json"}
            async with self._session.post(self._post, data=body, headers=headers) as response:
                answer = await response.read()
        except aiohttp.ClientConnectorError as problem:
            raise NotSent("the platform was not reached") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise UnknownOutcome(type(problem).__name__) from problem
        return Receipt(platform_id=_taken(response, answer).ts)

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Ask the platform whether it has a message with this id."""
        if not self._settings.reconcile:
            return None
        assert self._session is not None
        try:
            async with self._session.get(self._look, params={"id": delivery.id}) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError) as problem:
            raise UnknownOutcome(type(problem).__name__) from problem
        found = _taken(response, answer)
        return Receipt(platform_id=found.ts) if found.ts else None

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        given = request.headers.get("X-Slack-Signature", "")
        expected = signature(self._secret, timestamp.encode(), body)
        if not hmac.compare_digest(expected.encode(), given.encode()):
            return web.Response(status=401)
        try:
            envelope = _event(body)
        except msgspec.MsgspecError:
            return web.Response(status=400)
        assert self._gateway is not None
        await self._gateway.receive(as_message(envelope, self.account))
        return web.Response()


def path_of(account: str) -> str:
    """Where an account's webhooks go."""
    return PATH if account == "main" else f"{PATH}/{account}"


def as_message(envelope: Envelope, account: str = "main") -> Message:
    """An event of the platform as a message."""
    event = envelope.event
    return Message(
        event_id=envelope.event_id,
        address=Address(channel="bench", account=account, chat=event.channel),
        sender=Sender(id=event.user),
        content=Pressed(token=event.pressed, label=event.text) if event.pressed else Text(text=event.text),
        at=float(event.ts),
        platform_id=event.ts,
        tenant=event.tenant,
    )


def _taken(response: aiohttp.ClientResponse, answer: bytes) -> Posted:
    if response.status == 429:
        raise RateLimited(float(response.headers.get("Retry-After", "1")), account=True)
    if response.status >= 500:
        raise UnknownOutcome(f"status {response.status}")
    if response.status >= 400:
        raise Rejected(f"status {response.status}")
    return _posted(answer)


def echo() -> Skill:
    """Says what was said, or asks what comes after it."""
    skill = Skill("echo", "Says what you said.")

    @skill.pattern(r"^say ")
    async def say(turn: Turn) -> None:
        await turn.say("echo: {text}", text=turn.text)

    @skill.pattern(r"^ask ")
    async def ask(turn: Turn) -> None:
        await turn.ask("echo: {text}, and then?", text=turn.text)

    @skill.pattern(r"^nap (?P<seconds>[\d.]+) ")
    async def nap(turn: Turn) -> None:
        await asyncio.sleep(float(turn.slot("seconds") or 0))
        await turn.say("echo: {text}", text=turn.text)

    return skill


def worker(settings: BenchSettings) -> Skill:
    """Says what was said after a while, a few at a time: what a slow model behind a narrow door is like."""
    skill = Skill("worker", "Takes its time.", concurrency=settings.together)

    @skill.pattern(r"^work ")
    async def work(turn: Turn) -> None:
        await asyncio.sleep(settings.work)
        await turn.say("echo: {text}", text=turn.text)

    return skill


def bakery(ledger: Path) -> Skill:
    """Takes an order with three questions and two steps; every step leaves its traces in the ledger."""
    skill = Skill("bakery", "Takes orders.")

    def write(*words: str) -> None:
        # One short write to a file opened for appending: a kill leaves the whole line or none.
        handle = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, (" ".join(words) + "\n").encode())
        os.close(handle)

    async def bake(mark: str, size: str, number: int) -> str:
        write("run", step_key.get(), f"bake.{mark}")
        await asyncio.sleep(BAKING)
        return f"{number} {size}"

    async def dispatch(mark: str) -> str:
        write("run", step_key.get(), f"dispatch.{mark}")
        return "by bike"

    @skill.pattern(r"^order (?P<mark>\w+)$")
    async def order(turn: Turn) -> None:
        mark = turn.slot("mark") or ""
        await turn.say(f"Welcome to order {mark}.")
        size = await turn.ask(f"Which size for {mark}?", choices=["Small", "Medium", "Large"])
        number = await turn.ask(f"How many for {mark}?", like=int)
        made = await turn.step(bake, mark, size, number)
        # On purpose outside of steps, and again on every replay: from the first of these lines on, the step is durable.
        write("durable", f"bake.{mark}")
        await turn.say(f"Baked {made} for {mark}.")
        if await turn.ask(f"Shall I send {mark}?", choices=["Yes", "No"]) == "Yes":
            how = await turn.step(dispatch, mark)
            write("durable", f"dispatch.{mark}")
            await turn.say(f"Sent {mark} {how}.")
        else:
            await turn.say(f"Kept {mark}.")

    @skill.command("/hours")
    async def hours(turn: Turn) -> None:
        await turn.say("We open at ten.")

    return skill


@hookimpl
def register_channels(register: Callable[[Channel], None], context: PluginContext) -> None:
    """The platform, and the second one."""
    settings = context.settings(BenchSettings, "bench")
    register(BenchChannel(settings, "main", settings.sink))
    if settings.second:
        register(BenchChannel(settings, "second", settings.second))


@hookimpl
def register_skills(register: Callable[[Skill], None], context: PluginContext) -> None:
    """All of them."""
    settings = context.settings(BenchSettings, "bench")
    register(echo())
    register(worker(settings))
    register(bakery(settings.ledger))
