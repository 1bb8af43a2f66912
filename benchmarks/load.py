"""The load generator and the platform that takes the replies: raw protocols, as cheap as Python allows.

A turn is over when the reply with its own mark has reached the platform and the webhook was acknowledged. Knows only
the few headers that the measured servers send.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import re
import time
from collections import deque
from collections.abc import Callable
from typing import cast

from benchmarks.plugin import PATH, SECRET

MARK = re.compile(rb"mark[a-j]{10}")
_LETTERS = str.maketrans("0123456789", "abcdefghij")  # a digit in it would make every message name an order
WORDS = "say hello MARK, where is my order? It should have come on Monday."
CONVERSATIONS = 4000  # more than 30 messages of one within 10 s would be told to slow down
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

_TAKEN = json.dumps(
    {"ok": True, "channel": "C1", "ts": "1700000000.000100", "message": {"type": "message", "text": "ok"}}
)
_WHO = json.dumps(
    {
        "ok": True,
        "url": "https://x.slack.com/",
        "team": "T",
        "user": "bot",
        "team_id": "T0001",
        "user_id": "U0001",
        "bot_id": "B0001",
    }
)


def _answer(body: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


TAKEN, WHO = _answer(_TAKEN), _answer(_WHO)


class Sink(asyncio.Protocol):
    """One connection of the platform: calls `arrived` with the mark of each reply."""

    def __init__(self, arrived: Callable[[bytes], None]) -> None:
        self._arrived = arrived
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Take whole requests out of the stream."""
        buffer = self._buffer + data if self._buffer else data
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                break
            length = _LENGTH.search(buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(buffer) < whole:
                break
            mark = MARK.search(buffer, end, whole)
            if mark:
                self._transport.write(TAKEN)
                self._arrived(mark[0])
            else:
                self._transport.write(WHO)
            buffer = buffer[whole:]
        self._buffer = buffer


class Wire(asyncio.Protocol):
    """One keep-alive connection to the server; calls `done` once a whole 200 has come."""

    def __init__(self, done: Callable[[Wire], None], failed: Callable[[str], None]) -> None:
        self._done, self._failed = done, failed
        self._buffer = b""
        self.mark = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Wait for the whole answer."""
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(buffer, 0, end) if end >= 0 else None
        if end < 0 or len(buffer) < end + 4 + (int(length[1]) if length else 0):
            self._buffer = buffer
            return
        self._buffer = b""
        if not buffer.startswith(b"HTTP/1.1 200"):
            self._failed(buffer[:80].decode("latin-1"))
        self._done(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody hangs up on us while a turn is open."""
        if self.mark:
            self._failed("the connection was closed")


class Webhooks:
    """Makes signed webhooks, each from another conversation than the one before."""

    def __init__(self, port: int, *, conversations: int = CONVERSATIONS, words: str = WORDS) -> None:
        self._key = SECRET.encode()
        self._head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
            "Accept: */*\r\nContent-Type: application/json\r\n"
        )
        self._number = 0
        self._conversations, self._words = conversations, words

    def next(self) -> tuple[bytes, bytes]:
        """The mark and the bytes of the next one."""
        self._number += 1
        mark = "mark" + f"{self._number:010d}".translate(_LETTERS)
        now = time.time()
        body = _event(self._number % self._conversations, mark, self._words.replace("MARK", mark), now)
        stamp = str(int(now)).encode()
        signed = hmac.digest(self._key, b"v0:" + stamp + b":" + body, hashlib.sha256).hex()
        head = (
            f"{self._head}X-Slack-Request-Timestamp: {int(now)}\r\nX-Slack-Signature: v0={signed}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return mark.encode(), head.encode() + body


def _event(conversation: int, mark: str, text: str, now: float) -> bytes:
    """A message event with the fields that Slack sends."""
    said = f'{{"type":"rich_text_section","elements":[{{"type":"text","text":"{text}"}}]}}'
    blocks = f'[{{"type":"rich_text","block_id":"Xy1","elements":[{said}]}}]'
    return (
        f'{{"token":"invented","team_id":"T0001","context_team_id":"T0001","context_enterprise_id":null,"api_app_id":"A0001",'
        f'"event":{{"user":"U{conversation:08d}","type":"message","ts":"{now:.6f}","client_msg_id":"{mark}-47a2",'
        f'"text":"{text}","team":"T0001","blocks":{blocks},"channel":"C{conversation:08d}","event_ts":"{now:.6f}",'
        f'"channel_type":"im"}},"type":"event_callback","event_id":"Ev{mark}","event_time":{int(now)},'
        f'"authorizations":[{{"enterprise_id":null,"team_id":"T0001","user_id":"U0001","is_bot":true,'
        f'"is_enterprise_install":false}}],"is_ext_shared_channel":false,"event_context":"4-invented"}}'
    ).encode()


class Load:
    """Drives one server. `port` is the server's; replies come to a sink of its own."""

    def __init__(self, port: int, webhooks: Webhooks | None = None) -> None:
        self.port = port
        self.problems: list[str] = []
        self._webhooks = webhooks or Webhooks(port)
        self._open: dict[bytes, tuple[Wire | None, float]] = {}
        self._idle: deque[Wire] = deque()
        self._again = False
        self._left = 0
        self._done = 0
        self._took: list[float] = []
        self._sink: asyncio.Server | None = None
        self.sink = ""

    async def listen(self) -> None:
        """Open the sink."""
        loop = asyncio.get_running_loop()
        self._sink = await loop.create_server(lambda: Sink(self._arrived), "127.0.0.1", 0, backlog=1024)
        self.sink = f"http://127.0.0.1:{self._sink.sockets[0].getsockname()[1]}"

    async def connect(self, connections: int) -> None:
        """Have so many idle connections to the server."""
        loop = asyncio.get_running_loop()
        while len(self._idle) < connections:
            _, wire = await loop.create_connection(
                lambda: Wire(self._acknowledged, self.problems.append), "127.0.0.1", self.port
            )
            self._idle.append(wire)

    def close(self) -> None:
        """Hang up."""
        for wire in self._idle:
            wire.transport.close()
        self._idle.clear()
        if self._sink is not None:
            self._sink.close()

    async def saturate(
        self, in_flight: int, warm: float, seconds: float, cpu: Callable[[], float]
    ) -> tuple[float, float]:
        """Turns a second with so many in flight all the time, and the server's CPU microseconds per turn."""
        await self.connect(in_flight)
        self._again = True
        for _ in range(in_flight):
            self._send()
        await asyncio.sleep(warm)
        done, used, began = self._done, cpu(), time.perf_counter()
        await asyncio.sleep(seconds)
        done, used, took = self._done - done, cpu() - used, time.perf_counter() - began
        self._again = False
        await self._drain()
        return done / took, used / max(done, 1) * 1e6

    async def paced(self, rate: float, seconds: float, seed: int) -> list[float]:
        """Latencies (seconds, sorted) of turns that arrive by chance at a rate, timed from when each was due."""
        await self.connect(64)
        chance = random.Random(seed)
        for _ in range(int(rate / 4)):  # warm up
            if self._idle:
                self._send()
            await asyncio.sleep(1 / rate)
        await self._drain()
        self._took = []
        began = due = time.perf_counter()
        while due < began + seconds:
            due += chance.expovariate(rate)
            # Timers of the loop are a millisecond coarse, so the last millisecond is spun away.
            while (wait := due - time.perf_counter()) > 0:  # noqa: ASYNC110 - a clock has no event
                await asyncio.sleep(wait - 0.0015 if wait > 0.0025 else 0)
            if not self._idle:
                await self.connect(1)
            self._send(due)
        await self._drain()
        return sorted(self._took)

    async def burst(self, count: int, connections: int, patience: float) -> tuple[float, float]:
        """Send so many as fast as they are acknowledged; seconds until all were, and until all were answered."""
        await self.connect(connections)
        self._left = count - connections
        began = time.perf_counter()
        for _ in range(connections):
            self._send()
        while self._left and time.perf_counter() < began + patience:  # noqa: ASYNC110 - costs the hot path nothing
            await asyncio.sleep(0.002)
        stored = time.perf_counter() - began
        while self._open and time.perf_counter() < began + patience:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        return stored, time.perf_counter() - began

    @property
    def lost(self) -> int:
        """Turns that never came to an end."""
        return len(self._open)

    def _send(self, due: float = 0.0) -> None:
        mark, data = self._webhooks.next()
        wire = self._idle.popleft()
        wire.mark = mark
        self._open[mark] = (wire, due or time.perf_counter())
        wire.transport.write(data)

    def _acknowledged(self, wire: Wire) -> None:
        mark, wire.mark = wire.mark, b""
        self._idle.append(wire)
        if self._left:
            self._left -= 1
            self._send()
        entry = self._open.get(mark)
        if entry is not None and entry[0] is not None:
            self._open[mark] = (None, entry[1])  # the reply is still to come
        else:
            self._next()

    def _arrived(self, mark: bytes) -> None:
        entry = self._open.pop(mark, None)
        if entry is None:
            self.problems.append(f"{mark.decode()} was answered twice")
            return
        self._done += 1
        self._took.append(time.perf_counter() - entry[1])
        if entry[0] is None:
            self._next()

    def _next(self) -> None:
        if self._again:
            self._send()

    async def _drain(self, seconds: float = 20.0) -> None:
        until = time.perf_counter() + seconds
        while self._open and time.perf_counter() < until:  # noqa: ASYNC110 - must cost the hot path nothing
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
