"""The load generator and the platform that takes the replies: raw protocols, as cheap as Python allows.

A turn is over when the reply with its own mark has reached the platform, which has answered it, and the webhook was
acknowledged. Knows only the few headers that the measured servers send; what is said is in peers/platforms.py.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from benchmarks.peers.platforms import CONVERSATIONS, MARK, WORDS, Platform, Slack

__all__ = ["CONVERSATIONS", "WORDS", "Load", "Measured", "Sink", "Webhooks", "Wire"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE = 20.0  # seconds until a turn that has not ended is lost


class Webhooks(Slack):
    """Slack's webhooks to one port."""

    def __init__(self, port: int, *, conversations: int = CONVERSATIONS, words: str = WORDS) -> None:
        super().__init__(conversations=conversations, words=words)
        self.aim(port, "")


class Measured(NamedTuple):
    """One round at full load."""

    rate: float
    """Turns a second."""
    cpu: float
    """The server's microseconds of processor time for each turn."""
    own: float
    """The share of its core that the load itself used; near 1 it is the load that was measured."""


class Sink(asyncio.Protocol):
    """One connection of the platform: answers what comes, and tells the load of each reply."""

    def __init__(self, load: Load) -> None:
        self._load = load
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
            if not mark:
                self._transport.write(self._load.platform.other(buffer[:end], buffer[end + 4 : whole]))
            elif self._load.delay:
                self._load.later(self._answer, mark[0])
            else:
                self._answer(mark[0])
            if self._load.keeping:
                self._load.kept.append(buffer[:whole])
            buffer = buffer[whole:]
        self._buffer = buffer

    def _answer(self, mark: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._load.platform.taken)
        self._load.arrived(mark)


class Wire(asyncio.Protocol):
    """One keep-alive connection to a server; calls `done` once a whole 2xx has come."""

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
        if not buffer.startswith(b"HTTP/1.1 2"):
            self._failed(buffer[:80].decode("latin-1"))
        self._done(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody hangs up on us while a turn is open."""
        if self.mark:
            self._failed("the connection was closed")


class Load:
    """Drives one server, or several behind one address book: `port` and `also` are theirs. It is their platform too."""

    def __init__(self, port: int, platform: Platform | None = None, *, also: Sequence[int] = ()) -> None:
        self.port = port
        self.ports = [port, *also]
        self.platform = platform or Webhooks(port)
        self.problems: list[str] = []
        self.lost = 0
        self.delay = 0.0
        """Seconds until the platform answers a reply."""
        self.keeping = False
        self.kept: list[bytes] = []
        """What came to the platform while `keeping`."""
        self._open: dict[bytes, tuple[Wire | None, float]] = {}
        self._given_up: set[bytes] = set()
        self._idle: deque[Wire] = deque()
        self._connected = 0
        self._again = False
        self._left = 0
        self._done = 0
        self._took: list[float] = []
        self._sink: asyncio.Server | None = None
        self.sink = ""

    async def listen(self) -> None:
        """Open the platform."""
        self._loop = asyncio.get_running_loop()
        self._sink = await self._loop.create_server(lambda: Sink(self), "127.0.0.1", 0, backlog=1024)
        self.sink = f"http://127.0.0.1:{self._sink.sockets[0].getsockname()[1]}"
        self.platform.aim(self.port, self.sink)

    async def connect(self, connections: int) -> None:
        """Have so many idle connections, to each server alike."""
        # Some servers hang up on a connection that was idle for a few seconds.
        self._idle = deque(wire for wire in self._idle if not wire.transport.is_closing())
        while len(self._idle) < connections:
            self._connected += 1
            _, wire = await asyncio.get_running_loop().create_connection(
                lambda: Wire(self._acknowledged, self.problems.append),
                "127.0.0.1",
                self.ports[self._connected % len(self.ports)],
            )
            self._idle.append(wire)

    def close(self) -> None:
        """Hang up."""
        for wire in self._idle:
            wire.transport.close()
        self._idle.clear()
        if self._sink is not None:
            self._sink.close()

    async def saturate(self, in_flight: int, warm: float, seconds: float, cpu: Callable[[], float]) -> Measured:
        """A round with so many turns in flight all the time."""
        await self.connect(in_flight)
        self._again = True
        for _ in range(in_flight):
            self._send()
        await asyncio.sleep(warm)
        done, used, own, began = self._done, cpu(), time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        own, took = time.process_time() - own, time.perf_counter() - began
        done, used = self._done - done, cpu() - used
        self._again = False
        await self._drain()
        return Measured(done / took, used / done * 1e6 if done else math.inf, own / took)

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
        while self._open and time.perf_counter() < began + patience:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.002)
        answered = time.perf_counter() - began
        self._give_up()
        return stored, answered

    async def one(self, seconds: float, *, forged: bool = False) -> bytes:
        """Send one turn and wait for its reply: what came to the platform. Empty when nothing did."""
        await self.connect(1)
        self.keeping, self.kept = True, []
        mark, wire = self._send(forged=forged)
        until = time.perf_counter() + seconds
        while (mark in self._open or wire.mark) and time.perf_counter() < until:  # noqa: ASYNC110 - seldom and short
            await asyncio.sleep(0.005)
        self.keeping = False
        self._given_up.add(mark)
        self._open.pop(mark, None)
        return next((request for request in self.kept if mark in request), b"")

    def later(self, answer: Callable[[bytes], None], mark: bytes) -> None:
        """Answer when the platform's time is over."""
        self._loop.call_later(self.delay, answer, mark)

    def arrived(self, mark: bytes) -> None:
        """A reply has come and was answered."""
        entry = self._open.pop(mark, None)
        if entry is None:
            if mark not in self._given_up:
                self.problems.append(f"{mark.decode()} was answered twice")
            return
        self._done += 1
        self._took.append(time.perf_counter() - entry[1])
        if entry[0] is None:
            self._next()

    def _send(self, due: float = 0.0, *, forged: bool = False) -> tuple[bytes, Wire]:
        mark, data = self.platform.next(forged=forged)
        wire = self._idle.popleft()
        wire.mark = mark
        self._open[mark] = (wire, due or time.perf_counter())
        wire.transport.write(data)
        return mark, wire

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

    def _next(self) -> None:
        if self._again and self._idle:
            self._send()

    async def _drain(self) -> None:
        """Wait for the open turns. The platform answers at once meanwhile, or one by one would take for ever."""
        delay, self.delay = self.delay, 0.0
        until = time.perf_counter() + PATIENCE
        while self._open and time.perf_counter() < until:  # noqa: ASYNC110 - must cost the hot path nothing
            await asyncio.sleep(0.01)
        self._give_up()
        self.delay = delay
        await asyncio.sleep(0.05)

    def _give_up(self) -> None:
        self.lost += len(self._open)
        self._given_up.update(self._open)
        self._open.clear()
