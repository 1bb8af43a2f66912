"""What was used gets into the books, whether or not anybody still listens. Knows no model and no database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

import structlog

from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.llm.spending.books import Books, Reservation, UsageEntry

log = structlog.get_logger()

FIRST, LONGEST = 0.5, 60.0
"""Seconds between two tries while the database is away: at first, and at most."""

LAST = 5.0
"""Seconds that closing may take for a last try of all that is left."""


class Settling:
    """Work that must come to its end although nobody waits for it."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._work: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def settle(self, reservation: Reservation, entry: UsageEntry) -> None:
        """See that an attempt is written down."""
        self.spawn(self.written(reservation, entry))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something else of this kind."""
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    async def written(self, reservation: Reservation, entry: UsageEntry) -> None:
        """Write an attempt down, as often as it takes: what is lost would stay held, and could be spent again."""
        for attempt in itertools.count():
            last = self._closing.is_set()
            try:
                await self._books.settle(reservation, entry)
                return
            except StoreUnavailable:
                if last:
                    raise
                log.warning("usage_not_settled_yet", attempt=attempt + 1)
            await self._pause(min(FIRST * 2.0 ** min(attempt, 10), LONGEST))

    async def settled(self) -> None:
        """Wait until everything that was used is in the books."""
        while self._work:
            await asyncio.wait(self._work)

    async def close(self) -> None:
        """Try what is left a last time."""
        self._closing.set()
        if self._work:
            await asyncio.wait(self._work, timeout=LAST)
        left = list(self._work)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        waits = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._closing.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if task.cancelled() or task.exception() is not None:
            why = "cancelled" if task.cancelled() else type(task.exception()).__name__
            log.error("usage_not_settled", error=why)
