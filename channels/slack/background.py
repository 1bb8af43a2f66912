"""Work that nobody waits for: it is stopped with the channel, and its failures are told in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

from bot import FrontdeskError

MOST = 200
"""Pieces of work at a time; what comes on top is left out: all of it is a courtesy."""

log = structlog.get_logger(__name__)


class Background:
    """The courtesies of one channel."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Begin, unless there is too much already."""
        if len(self._tasks) >= MOST:
            work.close()
            return
        task = asyncio.create_task(work, name="slack background")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, FrontdeskError):
            log.info("slack_background_failed", why=str(error))
        else:
            log.error("slack_background_broke", exc_info=error)

    async def stop(self) -> None:
        """End all of it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
