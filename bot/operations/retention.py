"""Once a day, in one process of all, what is too old is deleted. Says when, and how fast; what may go is the store's.

Between two steps it takes a breath that is much longer than a step: nobody's message waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog

from bot.clock import Clock
from bot.dialog.journal import waits_since
from bot.processes.peers import Peers
from bot.settings import KeepSettings
from bot.store.contract import Store
from bot.store.notes import read_note, write_note
from bot.store.pruning import Cutoffs, database_time, prune

log = structlog.get_logger()

DAY = 86_400.0

FIRST = 900.0
"""Seconds after the start before it is asked for the first time: a start has better things to do."""

OFTEN = 3600.0
"""Seconds between two looks whether it is time again."""

BREATH = 0.05
"""Seconds between two steps, of a few milliseconds each."""

SLACK = 3600.0
"""Seconds that a dialog's clock may differ from that of the rows that it waits beside."""

PRUNED = "core.pruned_at"


class Retention:
    """The job. It lives from `start` to `stop`."""

    def __init__(self, store: Store, clock: Clock, peers: Peers, keep: KeepSettings) -> None:
        self._store, self._clock, self._peers, self._keep = store, clock, peers, keep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to wait."""
        self._task = asyncio.create_task(self._live(), name="retention")

    def stop(self) -> None:
        """No more of it; a step under way comes to its end in the store."""
        if self._task is not None:
            self._task.cancel()

    async def _live(self) -> None:
        await self._clock.sleep(FIRST)
        while True:
            await self._peers.alone("retention", self.run)
            await self._clock.sleep(OFTEN)

    async def run(self) -> None:
        """Delete what may go, if nobody did today. Begun anew after a crash, it goes on with what is left."""
        now = await database_time(self._store, self._clock.now())
        if now - float(await read_note(self._store, PRUNED) or 0.0) < DAY - OFTEN:
            return
        gone = Counter[str]()
        async for deleted in prune(self._store, self._cutoffs(now), lambda state: waits_since(state) - SLACK):
            gone += deleted
            await self._clock.sleep(BREATH)
        await write_note(self._store, PRUNED, str(now))
        log.info("pruned", rows=dict(gone))

    def _cutoffs(self, now: float) -> Cutoffs:
        keep = self._keep
        before = [
            now - days * DAY if days else 0.0 for days in (keep.transcripts, keep.traces, keep.events, keep.letters)
        ]
        transcripts, traces, events, letters = before
        return Cutoffs(now=now, transcripts=transcripts, traces=traces, events=events, letters=letters)
