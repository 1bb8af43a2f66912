"""An answer that is being made: whoever asks for the same meanwhile hears it from the beginning. Knows no cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from bot.ports.llm import Chunk


class Flight:
    """Made once for all who listen, `until` a time at most. When nobody does before it is complete, it is given up."""

    def __init__(self, made: AsyncGenerator[Chunk, None], until: float, landed: Callable[[Flight], None]) -> None:
        self.until = until
        self._chunks: list[Chunk] = []
        self._problem: Exception | None = None
        self._complete = self.given_up = False
        self._news = asyncio.Event()
        self._listening = 0
        self._task = asyncio.create_task(self._make(made))
        self._task.add_done_callback(lambda _: landed(self))

    async def listen(self) -> AsyncGenerator[Chunk, None]:
        """All of it, as it comes. Raises whatever ended it, for everybody."""
        self._listening += 1
        at = 0
        try:
            while True:
                while at < len(self._chunks):
                    yield self._chunks[at]
                    at += 1
                if self._complete:
                    break
                await self._news.wait()
            if self._problem is not None:
                raise self._problem
        finally:
            self._listening -= 1
            if not self._listening and not self._complete:
                self.given_up = True
                self._task.cancel()

    async def _make(self, made: AsyncGenerator[Chunk, None]) -> None:
        try:
            async with aclosing(made) as chunks:
                async for chunk in chunks:
                    self._chunks.append(chunk)
                    self._complete = chunk.answer is not None
                    self._tell()
        except Exception as problem:
            self._problem, self.given_up = problem, True
        finally:
            self._complete = True
            self._tell()

    def _tell(self) -> None:
        """Wake those who wait; who comes later waits for the next news."""
        news, self._news = self._news, asyncio.Event()
        news.set()
