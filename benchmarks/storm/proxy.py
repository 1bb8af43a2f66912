"""A TCP proxy that spoils the network between two sides: slow, dropping, cut one way, reset, half-open, dripping.

It forwards to a port of this machine. What it does to bytes is a `Weather`, which can change at any time and then
counts for all connections, old and new. Knows no protocol.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress
from typing import Literal, NamedTuple

CHUNK = 64 * 1024
FOREVER = 3600.0

Way = Literal["up", "down"]


class Weather(NamedTuple):
    """What happens to bytes. `latency` and `jitter` in seconds, each way; `drip` in bytes a second.

    `cut` holds back what goes that way ("up" is to the server), or both, for as long as it lasts. `reset` is the share
    of pieces after which the connection is reset. `refuse` resets whoever connects. `deaf` is a half-open line: what
    comes is read and thrown away, both ways, and nobody is told.
    """

    latency: float = 0.0
    jitter: float = 0.0
    drip: float = 0.0
    cut: Literal["", "up", "down", "both"] = ""
    reset: float = 0.0
    refuse: bool = False
    deaf: bool = False


FAIR = Weather()


class Proxy:
    """One listening port in front of another one."""

    def __init__(self, chance: random.Random, target: int) -> None:
        self._chance, self._target = chance, target
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self._changed = asyncio.Event()
        self._weather = FAIR
        self._deaf: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.resets = 0

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    @property
    def weather(self) -> Weather:
        """How it is now."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        if weather.deaf:
            # Whoever is connected now never hears anything again, even when it is fair for everybody else.
            self._deaf.update(writer for writers in self._lines.values() for writer in writers)
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    def reset_all(self) -> None:
        """Reset every connection that is open now."""
        for writers in list(self._lines.values()):
            self._reset(*writers)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._lines[task] = (writer,)
        task.add_done_callback(lambda done: self._lines.pop(done, None))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if self.weather.refuse:
                self._reset(writer)
                return
            try:
                far, out = await asyncio.open_connection("127.0.0.1", self._target)
            except OSError:
                self._reset(writer)
                return
            self._lines[task] = (writer, out)
            if self.weather.deaf:
                self._deaf.update((writer, out))
            await self._both(reader, writer, far, out)
        finally:
            self._deaf.discard(writer)

    async def _both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        out: asyncio.StreamWriter,
    ) -> None:
        ways = [
            asyncio.create_task(self._pump(reader, out, "up", writer)),
            asyncio.create_task(self._pump(far, writer, "down", out)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, out):
                with suppress(OSError):
                    end.close()
            self._deaf.discard(out)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way, other: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if not await self._through(data, writer, way):
                    self._reset(writer, other)
                    return

    async def _through(self, data: bytes, writer: asyncio.StreamWriter, way: Way) -> bool:
        """Let a piece through, in its time; False when the connection is to be reset instead."""
        weather = self._weather
        if weather.reset and self._chance.random() < weather.reset:
            return False
        if weather.latency:
            await asyncio.sleep(weather.latency + self._chance.uniform(0, weather.jitter))
        while writer not in self._deaf and self._weather.cut in (way, "both"):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), FOREVER)
        if writer in self._deaf:
            return True
        if self._weather.drip:
            return await self._drip(data, writer)
        writer.write(data)
        await writer.drain()
        return True

    async def _drip(self, data: bytes, writer: asyncio.StreamWriter) -> bool:
        step = max(1, int(self._weather.drip / 20))
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
            await writer.drain()
            if self._weather.drip:
                await asyncio.sleep(1 / 20)
        return True

    def _reset(self, *writers: asyncio.StreamWriter) -> None:
        """End connections as a crashed host does: with a reset, not with a goodbye."""
        self.resets += 1
        for writer in writers:
            sock: socket.socket | None = writer.get_extra_info("socket")
            if sock is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
