"""Brings what agents did to the core: in order for each ticket, again after a failure, never lost by a crash.

It knows no HTTP. An event is a row before anybody hears of it; it is marked once the core has it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from bot import Database, DeskGateway, FrontdeskError
from handoff.console import records

log = structlog.get_logger()

LONGEST_PAUSE = 30.0

MOST = 500
"""Events that are carried in one round."""

LOOK = 10.0
"""Seconds after which it is looked for what another process has left, even if nothing was written here."""


class Courier:
    """One task that carries undelivered events to the gateway."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake = asyncio.Event()
        self._waiting: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self, gateway: DeskGateway) -> None:
        """Begin with what a crash may have left behind."""
        self._wake.set()
        self._task = asyncio.create_task(self._run(gateway), name="console-courier")

    async def stop(self) -> None:
        """Stop carrying; what is left is carried at the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def deliver(self, event_id: str, patience: float) -> bool:
        """Wait until the core has an event that was just written, `patience` seconds at most; whether it has."""
        arrived = self._waiting.setdefault(event_id, asyncio.Event())
        self._wake.set()
        try:
            # It may have been carried between being written and being waited for.
            stored = await self._database.read(lambda connection: records.find_event(connection, event_id))
            if stored is None or not stored.delivered:
                await asyncio.wait_for(arrived.wait(), patience)
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(event_id, None)
        return True

    async def _run(self, gateway: DeskGateway) -> None:
        pause = 0.25
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._wake.wait()
            self._wake.clear()
            if await self._round(gateway):
                pause = 0.25
                continue
            # A new event wakes the courier at once; one that failed waits a little longer every time.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            pause = min(pause * 2, LONGEST_PAUSE)
            self._wake.set()

    async def _round(self, gateway: DeskGateway) -> bool:
        """Carry everything once; False when something has to be tried again.

        Several processes may carry the same at once: each brings the events of a ticket in order, and each takes
        effect once.
        """
        asked = list(self._waiting)
        try:
            waiting = await self._database.read(lambda connection: records.undelivered(connection, MOST))
        except FrontdeskError as problem:
            log.warning("console_events_unread", error=str(problem))
            return False
        if len(waiting) < MOST:
            for event_id in set(asked) - {stored.event.event_id for stored in waiting}:
                self._arrived(event_id)  # by another process
        stuck: set[int] = set()
        for stored in waiting:
            if stored.ticket not in stuck and not await self._carry(gateway, stored):
                stuck.add(stored.ticket)
        return not stuck

    async def _carry(self, gateway: DeskGateway, stored: records.StoredEvent) -> bool:
        event_id = stored.event.event_id
        try:
            await gateway.receive(stored.event)
            await self._database.write(lambda connection: records.mark_delivered(connection, stored.id))
        except (
            Exception
        ) as problem:  # the task must outlive whatever the core raises: the event is kept and tried again
            log.warning("console_event_not_delivered", event_id=event_id, error=repr(problem))
            return False
        self._arrived(event_id)
        return True

    def _arrived(self, event_id: str) -> None:
        if (arrived := self._waiting.get(event_id)) is not None:
            arrived.set()
