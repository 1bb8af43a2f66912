"""Runs the jobs of skills (`@skill.every`): each in one process at a time, by a durable mark, a missed one once.

A job that is cut off runs again, with the same `bot.step_key`, so that what it says through `Outreach` is said once.
Knows no skill: it gets functions that need no more arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy import Connection, insert, select, update

from bot.clock import Clock
from bot.dialog.run import step_key
from bot.errors import StoreError
from bot.messages import Value
from bot.outreach.every import Every
from bot.outreach.tables import jobs
from bot.processes.peers import Job as Work
from bot.store.database import Database
from bot.store.own_tables import OwnTables

log = structlog.get_logger()

ATTEMPTS = 3
"""A job that failed or was cut off so often is given up until its next time."""

PAUSES = (5.0, 60.0)
"""Seconds before the second and the third attempt."""

LOOK = 60.0
"""Seconds to sleep at most: a wall clock may be set."""

Alone = Callable[[str, Work], "asyncio.Task[None]"]


class Bound(Value, frozen=True):
    """A job that can be run. `name` is its skill's and its own: "orders.remind"."""

    name: str
    every: Every
    run: Callable[[], Awaitable[object]]


class Mark(Value, frozen=True):
    """How far a job has come: the due times of the run that began last, in so many attempts, and that ended last."""

    began: float = 0.0
    done: float = 0.0
    attempts: int = 0


class Jobs:
    """The jobs of all skills. `alone` does a piece of work in one process at a time."""

    def __init__(self, database: Database, tables: OwnTables, clock: Clock, alone: Alone, timezone: str) -> None:
        self._tables = tables
        self._database, self._clock, self._alone, self._timezone = database, clock, alone, timezone
        self._wanted: dict[str, Bound] = {}
        self._tasks: dict[str, tuple[Bound, asyncio.Task[None]]] = {}
        self._started = False
        self._running = 0

    @property
    def busy(self) -> bool:
        """Whether one is running."""
        return self._running > 0

    def start(self) -> None:
        """Begin to run them."""
        self._started = True
        self.use(self._wanted)

    def use(self, wanted: Mapping[str, Bound]) -> None:
        """Run these from now on, and no others. A run that has begun in old code is cut off, and begins again."""
        self._wanted = dict(wanted)
        if not self._started:
            return
        for name, (bound, task) in list(self._tasks.items()):
            if self._wanted.get(name) is not bound:
                task.cancel()
                del self._tasks[name]
        for name, bound in self._wanted.items():
            if name not in self._tasks:
                self._tasks[name] = (bound, self._alone(f"job {name}", self._keeping(bound)))

    def _keeping(self, bound: Bound) -> Work:
        async def keep() -> None:
            await self._keep(bound)

        return keep

    async def _keep(self, bound: Bound) -> None:
        """Run it whenever it is due."""
        await self._tables.make()
        while True:
            now = self._clock.now()
            due = bound.every.last(now, self._timezone)
            mark = await self._database.read(lambda c: _mark(c, bound.name))
            if mark is None:
                # New here: what was due before it was written was not missed.
                await self._write(bound, Mark(began=due, done=due))
            elif mark.done < due:
                await self._attempt(bound, due, mark)
                continue
            following = bound.every.following(now, self._timezone)
            await self._clock.sleep(min(max(following - now, 0.0), LOOK))

    async def _attempt(self, bound: Bound, due: float, mark: Mark) -> None:
        attempts = mark.attempts + 1 if mark.began == due else 1
        if attempts > ATTEMPTS:
            log.error("job_given_up", job=bound.name, due=due)
            await self._write(bound, Mark(began=due, done=due))
            return
        await self._write(bound, Mark(began=due, done=mark.done, attempts=attempts))
        began = self._clock.steady()
        self._running += 1
        token = step_key.set(f"{bound.name}@{due:.0f}")
        try:
            await bound.run()
        except Exception as problem:
            log.exception("job_failed", job=bound.name, attempt=attempts, error=type(problem).__name__)
            if isinstance(problem, StoreError):
                raise
        else:
            await self._write(bound, Mark(began=due, done=due, attempts=attempts))
            log.info("job_done", job=bound.name, due=due, seconds=round(self._clock.steady() - began, 3))
            return
        finally:
            step_key.reset(token)
            self._running -= 1
        if attempts < ATTEMPTS:
            await self._clock.sleep(PAUSES[min(attempts, len(PAUSES)) - 1])

    async def _write(self, bound: Bound, mark: Mark) -> None:
        await self._database.write(lambda c: _set(c, bound.name, mark))


def _mark(connection: Connection, name: str) -> Mark | None:
    row = connection.execute(select(jobs).where(jobs.c.name == name)).first()
    return None if row is None else Mark(began=row.began, done=row.done, attempts=row.attempts)


def _set(connection: Connection, name: str, mark: Mark) -> None:
    values = {"began": mark.began, "done": mark.done, "attempts": mark.attempts}
    if connection.execute(update(jobs).where(jobs.c.name == name).values(values)).rowcount == 0:
        connection.execute(insert(jobs).values(name=name, **values))
