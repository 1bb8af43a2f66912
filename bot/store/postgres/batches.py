"""Calls that wait at the same time, made in one round trip and one transaction. Knows no SQL.

Who comes alone does not wait: a batch leaves as soon as fewer than `at_once` are under way, with whoever is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from bot.errors import StoreUnavailable
from bot.store.postgres.faults import LOCKED, code

V = TypeVar("V")
R = TypeVar("R")


class Batches(Generic[V, R]):
    """Makes many calls out of single ones; `run` answers in the order of its values."""

    def __init__(
        self, run: Callable[[Sequence[V]], Awaitable[Sequence[R]]], *, most: int = 64, at_once: int = 2
    ) -> None:
        self._run, self._most, self._at_once = run, most, at_once
        self._waiting: deque[tuple[V, asyncio.Future[R]]] = deque()
        self._working = 0
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself would forget them

    async def call(self, value: V) -> R:
        """One call; whoever is cancelled while it is under way does not undo it."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((value, future))
        if self._working < self._at_once:
            self._working += 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def stop(self) -> None:
        """Wait until all that were called are answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                await self._answer([each for each in batch if not each[1].done()])
        finally:
            # Not when the task is told to be done: who came between would wait for a worker that has left.
            self._working -= 1

    async def _answer(self, batch: list[tuple[V, asyncio.Future[R]]]) -> None:
        """Run them; where the batch fails as a whole, one by one, so that only the guilty one fails."""
        try:
            results = await self._run([value for value, _ in batch]) if batch else ()
        except Exception as exc:
            if len(batch) > 1 and not (isinstance(exc, StoreUnavailable) and code(exc.__cause__) != LOCKED):
                await asyncio.gather(*(self._answer([each]) for each in batch))
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(exc)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
