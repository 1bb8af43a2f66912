"""Calls that are answered later: kept in the store, done by whichever process is free, at least once.

A process holds a job by a lease that it renews; when it dies, another takes the job once the lease is over. A result of
an attempt that another has overtaken is thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from bot.clock import Clock
from bot.errors import StoreError
from bot.store.own_tables import OwnTables
from bot.tools import records
from bot.tools.answers import Reply
from bot.tools.records import Job

ATTEMPTS = 3
"""A job that was begun so often and never ended is given up: it may be what kills the process."""

LOOK = 2.0
"""Seconds between two looks for work that nobody rang for: jobs of processes that died, webhooks that are due."""

SWEEP = 600.0
KEEP_FOREVER = 365 * 24 * 3600.0
GIVEN_UP = Reply(code=500, body={"error": "The job was begun three times and never ended."})

Work = Callable[[Job], Awaitable[Reply]]
"""Does a job; never raises but for cancellation."""

log = structlog.get_logger()


class Jobs:
    """The jobs that this process does. `send_next` sends one webhook that is due; `senders` of it run side by side."""

    def __init__(
        self,
        tables: OwnTables,
        work: Work,
        send_next: Callable[[], Awaitable[bool]],
        sweep: Callable[[], Awaitable[None]],
        clock: Clock,
        *,
        lease: float,
        keep: float,
        workers: int,
        senders: int = 1,
    ) -> None:
        self._tables, self._work, self._send_next, self._sweep, self._clock = tables, work, send_next, sweep, clock
        self._lease, self._keep, self._workers = lease, keep, workers
        self._senders = senders
        self._bell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def submit(self, job: Job, kept: records.Kept | None = None) -> None:
        """Keep a job, durably. Raises StoreError."""
        database = await self._tables.make()
        await database.write(lambda c: records.add(c, job, kept))
        self._bell.set()

    async def find(self, id: str, owner: str) -> Job | None:
        """A job of this owner that has not expired."""
        if not await self._tables.there():
            return None
        now = self._clock.now()
        return await self._tables.database.read(lambda c: records.find(c, id, owner, now))

    def start(self) -> None:
        """Begin to work."""
        loops = [self._keep_doing(self._do_next) for _ in range(self._workers)]
        loops += [self._keep_doing(self._send_next) for _ in range(self._senders)]
        loops.append(self._keep_sweeping())
        self._tasks = [asyncio.create_task(loop, name="tool jobs") for loop in loops]

    async def stop(self) -> None:
        """Give back what is not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    # --- inside

    async def _keep_doing(self, one: Callable[[], Awaitable[bool]]) -> None:
        while True:
            found = False
            try:
                found = await self._tables.there() and await one()
            except Exception as problem:
                log.error("tool_jobs_failed", error=type(problem).__name__)
                await self._clock.sleep(LOOK)
            if found:
                # Another one may be there, for somebody else too.
                self._bell.set()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._bell.wait()
                    self._bell.clear()

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                if await self._tables.there():
                    now = self._clock.now()
                    await self._tables.database.write(lambda c, now=now: records.forget(c, now))  # type: ignore[misc]
                    await self._sweep()
            except StoreError as problem:
                log.warning("tool_sweep_failed", error=type(problem).__name__)
            await self._clock.sleep(SWEEP)

    async def _do_next(self) -> bool:
        now = self._clock.now()
        job = await self._tables.database.write(lambda c: records.claim(c, now, self._lease))
        if job is None:
            return False
        if job.attempts > ATTEMPTS:
            log.error("tool_job_given_up", job=job.id, tool=job.tool_name)
            await self._finish(job, GIVEN_UP)
            return True
        holding = asyncio.create_task(self._hold(job))
        try:
            reply = await self._work(job)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                await asyncio.shield(self._give_back(job, 0.0, counts=False))
            raise
        finally:
            holding.cancel()
        if reply.retry_after and job.attempts < ATTEMPTS:
            await self._give_back(job, reply.retry_after, counts=True)
        else:
            await self._finish(job, reply)
        return True

    async def _hold(self, job: Job) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            until = self._clock.now() + self._lease
            with contextlib.suppress(StoreError):
                await self._tables.database.write(lambda c, until=until: records.hold(c, job, until))  # type: ignore[misc]

    async def _finish(self, job: Job, reply: Reply) -> None:
        now = self._clock.now()
        kept = await self._tables.database.write(
            lambda c: records.finish(c, job, reply.code, reply.text, now, now + self._keep)
        )
        log.info("tool_job_done", job=job.id, tool=job.tool_name, code=reply.code, attempt=job.attempts, kept=kept)
        self._bell.set()

    async def _give_back(self, job: Job, pause: float, *, counts: bool) -> None:
        at = self._clock.now() + pause
        await self._tables.database.write(lambda c: records.give_back(c, job, at, counts=counts))
