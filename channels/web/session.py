"""One socket of one page: frames in, frames out.

Two tasks share the socket. The reader stores what the page says; the pump sends what the transcript has behind the
last line it sent. Everything it sends comes from the database, so a page that reconnects misses nothing.
"""

from __future__ import annotations

import asyncio
import time
from hashlib import blake2b

import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from bot import Gateway, StoreUnavailable
from channels.web.feed import Feed, Mailbox
from channels.web.intake import Intake, address_of
from channels.web.parse import BadRequest, Hello, IsTyping, Ping, Said, read_frame
from channels.web.render import (
    Ack,
    CaughtUp,
    Draft,
    Outward,
    Pong,
    Trouble,
    TypingShown,
    Welcome,
    encode,
    frame_of,
)

HELLO_WITHIN = 10.0
RECHECK = 5.0  # a line may become visible without a bell (a suppressed reply ahead of it, news that got lost)
DRAFT_PACE = 0.05
MAX_READERS = 16
PAGE = 200

log = structlog.get_logger(__name__)


class Allowance:
    """How much one connection may say: a burst, then a steady rate."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._rate = burst, per_second
        self._left, self._at = burst, time.monotonic()

    def take(self) -> float:
        """0 when it is allowed now, else how many seconds to wait."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0


async def epoch_of(gateway: Gateway, conversation: str) -> str:
    """A name for this very transcript: it changes when the transcript is deleted and begun anew."""
    first = await gateway.history(address_of(conversation), limit=1)
    if not first:
        return ""
    return blake2b(f"{first[0].seq}:{first[0].at!r}".encode(), digest_size=6).hexdigest()


class Session:
    """A socket from hello to close."""

    def __init__(self, socket: web.WebSocketResponse, intake: Intake, feed: Feed, language: str) -> None:
        self._socket, self._intake, self._feed, self._language = socket, intake, feed, language
        self._says, self._signs = Allowance(20, 4), Allowance(10, 2)
        self._conversation = ""
        self._last = 0

    async def run(self) -> None:
        """Serve the page until one side goes away."""
        hello = await self._hello()
        if hello is None:
            return
        self._conversation = self._intake.conversation(hello.conversation, hello.client_id)
        if self._feed.readers(self._conversation) >= MAX_READERS:
            await self._send(Trouble(error="This conversation is open in too many places.", retry_after=30.0))
            await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return
        with self._feed.reading(self._conversation) as box:
            epoch = await epoch_of(self._intake.gateway, self._conversation)
            self._last = 0 if hello.epoch and hello.epoch != epoch else hello.after
            await self._send(Welcome(conversation=self._conversation, epoch=epoch))
            await self._both(box)

    async def _both(self, box: Mailbox) -> None:
        pump, reader = asyncio.create_task(self._pump(box)), asyncio.create_task(self._read())
        try:
            done, _ = await asyncio.wait({pump, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pump.cancel()
            reader.cancel()
            results = await asyncio.gather(pump, reader, return_exceptions=True)
        for task, result in zip((pump, reader), results, strict=True):
            if task in done and isinstance(result, Exception):
                self._report(result)
        await self._socket.close(code=WSCloseCode.GOING_AWAY if box.closing else WSCloseCode.OK)

    def _report(self, error: Exception) -> None:
        if isinstance(error, (ConnectionError, StoreUnavailable)):
            log.info("socket_ended", reason=type(error).__name__)
        else:
            log.error("socket_failed", exc_info=error)

    async def _hello(self) -> Hello | None:
        try:
            message = await self._socket.receive(timeout=HELLO_WITHIN)
            frame = read_frame(message.data) if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) else None
            if isinstance(frame, Hello):
                self._intake.conversation(frame.conversation, frame.client_id)
                return frame
            problem = "The first frame must be a hello."
        except TimeoutError:
            problem = "The hello took too long."
        except BadRequest as error:
            problem = error.sentence
        if not self._socket.closed:
            await self._send(Trouble(error=problem))
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION)
        return None

    async def _pump(self, box: Mailbox) -> None:
        caught_up = False
        while not box.closing:
            await self._fleeting(box)
            while entries := await self._intake.gateway.history(
                address_of(self._conversation), after=self._last, limit=PAGE
            ):
                for entry in entries:
                    await self._send(frame_of(entry))
                    self._last = entry.seq
            if not caught_up:
                await self._send(CaughtUp())
                caught_up = True
            await box.wait(RECHECK)

    async def _fleeting(self, box: Mailbox) -> None:
        if box.typing is not None:
            typing, box.typing = box.typing, None
            await self._send(TypingShown(on=typing))
        if box.drafts:
            drafts, box.drafts = box.drafts, {}
            for key, text in drafts.items():
                await self._send(Draft(key=key, text=text))
            await asyncio.sleep(DRAFT_PACE)

    async def _read(self) -> None:
        async for message in self._socket:
            try:
                await self._frame(message)
            except BadRequest as error:
                await self._send(Trouble(error=error.sentence))

    async def _frame(self, message: WSMessage) -> None:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        match read_frame(message.data):
            case Said() as said:
                await self._say(said)
            case IsTyping(on=on):
                if not self._signs.take():
                    await self._intake.typing(self._conversation, on=on)
            case Ping():
                await self._send(Pong())
            case Hello():
                raise BadRequest(400, "There was a hello already.")

    async def _say(self, said: Said) -> None:
        client_id = said.client_id or ""
        wait = self._says.take()
        if wait:
            sentence = "That was a lot at once; please wait a moment."
            await self._send(Trouble(error=sentence, client_id=client_id, retry_after=round(wait, 2)))
            return
        try:
            posted = await self._intake.say(said, self._language, self._conversation)
        except BadRequest as error:
            await self._send(Trouble(error=error.sentence, client_id=client_id))
        except StoreUnavailable:
            sentence = "That could not be stored yet; it will be tried again."
            await self._send(Trouble(error=sentence, client_id=client_id, retry_after=2.0))
        else:
            await self._send(Ack(client_id=client_id, seq=posted.seq, conversation=posted.conversation))

    async def _send(self, frame: Outward) -> None:
        await self._socket.send_str(encode(frame).decode())
