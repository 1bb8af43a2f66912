"""Work that one process at a time does, by a lease in the store. Knows no work.

A lease is counted from before it was asked for, on a clock that also runs while the machine sleeps: whoever holds one
by that clock surely holds it. Before each step of the work this is looked at, so a process that was paused for longer
than its lease does nothing more of it when it wakes up. (What the work runs in threads or in tasks of its own is
beyond this; such work must be harmless when done twice.)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any

import structlog

from bot.clock import Clock
from bot.errors import StoreError
from bot.processes.peers import Job
from bot.store.contract import Store

log = structlog.get_logger()

FIRST_PAUSE = 0.5
"""Seconds before work that failed is begun anew; each time twice as long."""

LONGEST_PAUSE = 30.0


class Sole:
    """Does work while it holds its lease. `worker` names this very process."""

    def __init__(self, store: Store, clock: Clock, worker: str, lease: float = 10.0) -> None:
        self._store, self._clock, self._worker, self._lease = store, clock, worker, lease

    async def run(self, name: str, job: Job) -> None:
        """Wait until nobody else does `name`, and do it; returns when the work itself returns."""
        failures = 0
        while True:
            began = self._clock.steady()
            try:
                held = await self._wait(name)
                began = self._clock.steady()
                if await self._do(held, job):
                    return
                log.warning("sole_work_lost", name=name)
            except Exception:
                log.exception("sole_work_failed", name=name)
            finally:
                with contextlib.suppress(StoreError):
                    await asyncio.shield(self._store.let_go(name, self._worker))
            # Work that went well for long before it failed begins anew soon.
            failures = 1 if self._clock.steady() - began > LONGEST_PAUSE else failures + 1
            await self._clock.sleep(min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE))

    async def _wait(self, name: str) -> Held:
        held = Held(name, self._clock)
        while not await self._hold(held):
            await self._clock.sleep(self._lease / 3)
        log.info("sole_work_ours", name=name)
        return held

    async def _hold(self, held: Held) -> bool:
        """Take or renew the lease; False when another process has it, or nobody can say."""
        began = self._clock.steady()
        try:
            if not await self._store.hold(held.name, self._worker, self._lease, self._clock.now()):
                held.until = began
                return False
        except StoreError as problem:
            log.warning("sole_lease_unclear", name=held.name, why=type(problem).__name__)
            return False
        held.until = began + self._lease
        return True

    async def _do(self, held: Held, job: Job) -> bool:
        """Do the work for as long as the lease is sure; whether it came to its end. Raises what it raises."""
        work = asyncio.create_task(_while_sure(held, job), name=f"sole {held.name}")
        watching = [asyncio.create_task(self._renew(held, work)), asyncio.create_task(self._expire(held, work))]
        try:
            await asyncio.wait({work})
        finally:
            held.end(work)
            for task in watching:
                task.cancel()
            # Its own clean-up comes to an end before anybody is told that it is over.
            await asyncio.gather(work, *watching, return_exceptions=True)
        if work.cancelled():
            return False
        work.result()
        return True

    async def _renew(self, held: Held, work: asyncio.Task[None]) -> None:
        while held.sure:
            await self._clock.sleep(self._lease / 3)
            await self._hold(held)
        held.end(work)

    async def _expire(self, held: Held, work: asyncio.Task[None]) -> None:
        """Cancel the work once its lease is no longer sure; a store that hangs changes nothing about that."""
        while held.sure:
            await self._clock.sleep(held.until - self._clock.steady())
        held.end(work)


class Held:
    """A lease: of what, and until when (on the steady clock) it is surely ours."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self._clock = name, clock
        self.until = float("-inf")
        self.over = False

    @property
    def sure(self) -> bool:
        """Whether it is ours right now."""
        return self._clock.steady() < self.until

    def end(self, work: asyncio.Task[None]) -> None:
        """Cancel the work, once: its clean-up may take its time."""
        if not self.over:
            self.over = True
            work.cancel()


class _Steps:
    """A coroutine that is cancelled at its first step without a sure lease."""

    def __init__(self, held: Held, job: Job) -> None:
        self._held, self._job = held, job

    def __await__(self) -> Generator[Any, Any, None]:
        steps = _plain(self._job).__await__()
        problem: BaseException | None = None
        value: Any = None
        try:
            while True:
                if problem is None and not self._held.over and not self._held.sure:
                    self._held.over, problem = True, asyncio.CancelledError()
                try:
                    waits = steps.send(value) if problem is None else steps.throw(problem)
                except StopIteration:
                    return
                problem = None
                try:
                    value = yield waits
                except GeneratorExit:
                    raise
                except BaseException as thrown:
                    problem = thrown
        finally:
            steps.close()


async def _plain(job: Job) -> None:
    """Whatever kind of awaitable a job returns, as a coroutine."""
    await job()


async def _while_sure(held: Held, job: Job) -> None:
    await _Steps(held, job)
