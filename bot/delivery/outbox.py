"""Step 9 of a message's path: what was committed is sent, in order, once.

The rows of a conversation for one target are a line: row k+1 waits for row k, and lines never wait for each other.
How one row comes to its end is in sending.py. Several processes may have the same row in their hands;
`Store.mark_sending` lets one of them go on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

import structlog

from bot.alarms import Alarms
from bot.channel import Channel
from bot.delivery.pacing import Openings
from bot.delivery.sending import STALL, Means, Sending
from bot.errors import StoreError
from bot.store.contract import OutRow

log = structlog.get_logger()

SWEEP = 1.0
"""Seconds between two looks for rows that nobody sends."""

SOON = 0.05
"""Seconds after which it looks again once a row that it found is done: behind it there may be another one."""

BATCH = 200
"""Rows that are picked up at once."""

HOLD = 10.0
"""Seconds for which rows that were picked up are ours."""

MOST = 5_000
"""Lines that one process has in its hands; while a platform takes nothing, more of them wait in the store."""


class Outbox:
    """Sends rows. `channels` are asked for by (name, account)."""

    def __init__(self, means: Means) -> None:
        self._means, self._store, self._clock = means, means.store, means.clock
        self._alarms = Alarms()
        self.channels: Mapping[tuple[str, str], Channel] = {}
        self._lines: dict[str, deque[Sending]] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._hands: set[str] = set()
        self._openings = Openings(self._clock)
        self._behind = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Go on with what was left by the last stop, and look now and then for what others left."""
        self._stopping = False
        self._found(await self._store.pick_up(BATCH, HOLD, self._clock.now()))
        self._sweeping = asyncio.create_task(self._sweep(), name="outbox sweep")

    def accept(self, rows: Sequence[OutRow], began: float) -> None:
        """Rows were committed just now, in a commit that began at `began` of the steady clock: send them."""
        for row in rows:
            line, began_already = f"{row.conversation} {row.target}", row.status == "sending"
            if began_already or line in self._lines or not self.crowded:
                self._queue(line, row, began if began_already else None)

    @property
    def crowded(self) -> bool:
        """Whether there is no room for another line: what is committed now waits in the store until there is."""
        return len(self._senders) >= MOST

    @property
    def busy(self) -> bool:
        """Whether anything is being sent, or waits to be."""
        return bool(self._senders)

    async def stop(self, patience: float = 5.0) -> None:
        """Let sends that have begun come to their end; the rest stays in the store."""
        self._stopping = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._senders:
            _, late = await asyncio.wait(list(self._senders.values()), timeout=patience)
            for task in late:
                task.cancel()

    async def _sweep(self) -> None:
        """Find what a process that died has left, and what was put off in the store."""
        found: list[OutRow] = []
        while True:
            if len(found) < BATCH:
                await self._pause()
            found = []
            try:
                if not self.crowded:
                    found = await self._store.pick_up(BATCH, HOLD, self._clock.now())
            except StoreError as problem:
                log.error("pick_up_failed", why=str(problem))
            except Exception:
                # Whatever it is that nobody foresaw: without this task nothing that was put off is sent any more.
                log.exception("pick_up_broke")
            self._found(found)

    async def _pause(self) -> None:
        """Until it is time to look again, or the row behind one that was found may be next."""
        behind = asyncio.ensure_future(self._behind.wait())
        sweep = asyncio.ensure_future(self._clock.sleep(SWEEP))
        try:
            await asyncio.wait({behind, sweep}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            behind.cancel()
            sweep.cancel()
        if self._behind.is_set():
            await self._clock.sleep(SOON)
            self._behind.clear()

    def _found(self, rows: Sequence[OutRow]) -> None:
        # Each on its own and not in its line: what is in there already may be waiting for this very row.
        for row in rows:
            if row.id not in self._hands:
                self._queue(row.id, row, None)

    def _queue(self, line: str, row: OutRow, began: float | None) -> None:
        queue = self._lines.get(line)
        if queue is None:
            queue = self._lines[line] = deque()
            self._senders[line] = asyncio.create_task(self._drain(line, queue), name=f"send {line}")
        queue.append(Sending(row, began, self._means, self._channel(row), self._alarms, self._openings))
        self._hands.add(row.id)

    def _channel(self, row: OutRow) -> Channel | None:
        if row.target == "desk":
            return None
        return self.channels.get((row.address.channel, row.address.account))

    async def _drain(self, line: str, queue: deque[Sending]) -> None:
        try:
            while queue and not self._stopping:
                try:
                    await queue[0].finish()
                    done = queue.popleft().id
                    self._hands.discard(done)
                    if line == done:  # it was found: nobody has the next one of its line in their hands
                        self._behind.set()
                except Exception as problem:
                    # Whatever it is, later rows must neither overtake this one nor be forgotten.
                    log.error("outbox_stalled", row=queue[0].id, why=repr(problem))
                    await self._clock.sleep(STALL)
        finally:
            self._lines.pop(line, None)
            self._senders.pop(line, None)
            self._hands.difference_update(left.id for left in queue)
