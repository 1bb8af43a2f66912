"""Lines from a file descriptor, read beside the event loop. Works for terminals, pipes and files alike."""

from __future__ import annotations

import asyncio
import codecs
import os
import select

_CHUNK = 65_536


class Lines:
    """Gives one line after the other. The waiting thread can be woken, so that nothing hangs at the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._wake_reader, self._wake_writer = os.pipe()
        self._ready: list[str] = []
        self._rest: list[str] = []
        self._ended = False
        self._closed = False
        self._reading = False

    async def next(self) -> str | None:
        """The next line without its end; None when there are no more, and once it is closed."""
        while not self._ready and not self._ended:
            self._take(await self._read())
        return self._ready.pop(0) if self._ready and not self._closed else None

    def close(self) -> None:
        """Stop reading; a waiting `next` returns None."""
        if not self._closed:
            self._closed = True
            os.close(self._wake_writer)
            if not self._reading:
                os.close(self._wake_reader)

    def _take(self, chunk: bytes) -> None:
        text = self._decoder.decode(chunk, final=not chunk)
        first, *more = text.split("\n")
        self._rest.append(first)
        for part in more:
            self._ready.append("".join(self._rest).removesuffix("\r"))
            self._rest = [part]
        if not chunk:
            self._ended = True
            if last := "".join(self._rest):
                self._ready.append(last)

    async def _read(self) -> bytes:
        if self._closed:
            return b""
        self._reading = True
        waiting = asyncio.get_running_loop().run_in_executor(None, self._blocking_read)
        try:
            chunk = await asyncio.shield(waiting)
        except asyncio.CancelledError:
            self.close()  # wakes the thread, or the process could not end
            await waiting
            raise
        finally:
            self._done()
        return chunk

    def _blocking_read(self) -> bytes:
        ready, _, _ = select.select([self._descriptor, self._wake_reader], [], [])
        if self._wake_reader in ready:
            return b""
        try:
            return os.read(self._descriptor, _CHUNK)
        except OSError:  # the terminal went away
            return b""

    def _done(self) -> None:
        self._reading = False
        if self._closed:
            os.close(self._wake_reader)
