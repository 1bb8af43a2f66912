"""Step 9 of a message's path: what was committed is sent, in order, once.

A row is marked `sending` before the call. What a failure means decides what happens next: surely not sent is tried
again, refused is given up, and an unknown outcome is looked up at the platform where that can be done and never
blindly repeated. Row k+1 of a conversation waits for row k; conversations never wait for each other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Literal

import structlog

from bot.channel import Channel, Delivery
from bot.clock import Clock, Entropy
from bot.errors import NotSent, RateLimited, Rejected, StoreError, UnknownOutcome
from bot.store.contract import OutRow, Store

log = structlog.get_logger()

GRACE = 5.0
"""Seconds after a send's time-out before its outcome is looked up: it can't land any more by then."""

STALL = 1.0
"""Seconds to wait when the store refuses."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 300.0
GIVE_UP_AFTER = 24 * 3600.0
"""A reply that could not be sent for so long (seconds) is given up: it would make no sense any more."""

IN_THE_DARK = 4
"""So often a reply is sent, with unknown outcomes, over a channel that can't look up what it sent. Each may arrive."""

Lane = tuple[str, str]
Perform = Callable[[OutRow], Awaitable[None]]
Refused = Callable[[OutRow, str], Awaitable[None]]


class Outbox:
    """Sends rows. `perform` and `refused` do the desk's rows; channels are asked by (name, account)."""

    def __init__(self, store: Store, clock: Clock, entropy: Entropy, *, perform: Perform, refused: Refused) -> None:
        self._store, self._clock, self._entropy = store, clock, entropy
        self._perform, self._refused = perform, refused
        self.channels: Mapping[tuple[str, str], Channel] = {}
        self._waiting: dict[Lane, deque[OutRow]] = {}
        self._senders: dict[Lane, asyncio.Task[None]] = {}
        self._stopping = False

    async def start(self) -> None:
        """Go on with what was left by the last stop."""
        self._stopping = False
        self.accept(await self._store.unsent())

    def accept(self, rows: Sequence[OutRow]) -> None:
        """Rows are in the store: send them."""
        for row in rows:
            lane = (row.conversation, row.target)
            queue = self._waiting.get(lane)
            if queue is None:
                queue = self._waiting[lane] = deque()
                self._senders[lane] = asyncio.create_task(self._drain(lane, queue), name=f"send {row.conversation}")
            queue.append(row)

    @property
    def busy(self) -> bool:
        """Whether anything is being sent, or waits to be."""
        return bool(self._senders)

    async def stop(self, patience: float = 5.0) -> None:
        """Let sends that have begun come to their end; the rest stays in the store."""
        self._stopping = True
        if self._senders:
            _, late = await asyncio.wait(list(self._senders.values()), timeout=patience)
            for task in late:
                task.cancel()

    async def _drain(self, lane: Lane, queue: deque[OutRow]) -> None:
        try:
            while queue and not self._stopping:
                try:
                    await self._deliver(queue[0])
                    queue.popleft()
                except Exception as problem:
                    # Mostly the store; but whatever it is, later rows must neither overtake this one nor be forgotten.
                    log.error("outbox_stalled", conversation=lane[0], why=repr(problem))
                    await self._clock.sleep(STALL)
                    await self._reread(lane, queue)
        finally:
            self._waiting.pop(lane, None)
            self._senders.pop(lane, None)

    async def _reread(self, lane: Lane, queue: deque[OutRow]) -> None:
        """After the store refused, it alone knows how far the first row came."""
        try:
            rows = await self._store.unsent(lane[0])
        except StoreError:
            return
        found = [row for row in rows if row.target == lane[1]]
        known = {row.seq for row in found}
        # Rows that came while the store was asked are not in its answer; the first was finished if it is not.
        came = [row for row in list(queue)[1:] if row.seq not in known]
        queue.clear()
        queue.extend(sorted(found + came, key=attrgetter("seq")))

    async def _deliver(self, row: OutRow) -> None:
        """Bring one row to its end: sent, failed, ambiguous or suppressed."""
        attempts, first = row.attempts, row.first_attempt_at
        unknown = row.status == "sending"
        tried_at = row.last_attempt_at
        unknowns = 0
        while True:
            if unknown and await self._reconcile(row, tried_at, first, unknowns):
                return
            await self._until(row.not_before)
            now = self._clock.now()
            marked = await self._store.mark_sending(row, now)
            if marked != "sending":
                # Suppressed; or finished already, when a row came both from its commit and from what a start found.
                log.info("reply_suppressed" if marked == "suppressed" else "reply_was_done", row=row.id)
                return
            attempts, first, tried_at = attempts + 1, first or now, now
            outcome = await self._attempt(row, attempts, first)
            if outcome == "done":
                return
            unknown = outcome == "unknown"
            unknowns += unknown
            if self._clock.now() - first > GIVE_UP_AFTER and not (unknown and self._can_look_up(row)):
                await self._fail(row, "ambiguous" if unknown else "failed", "not reached for a day")
                return

    async def _attempt(self, row: OutRow, attempts: int, first: float) -> Literal["done", "again", "unknown"]:
        try:
            platform_id = await self._send(row, attempts, first)
        except RateLimited as problem:
            await self._again(row, problem.retry_after, str(problem))
            return "again"
        except NotSent as problem:
            await self._again(row, _pause(attempts) * (0.5 + self._entropy.jitter()), str(problem))
            return "again"
        except Rejected as problem:
            await self._fail(row, "failed", str(problem))
            return "done"
        except StoreError:
            raise
        except Exception as problem:
            # Unknown is also what we can't name: a time-out, a reset, a 5xx, an error in a channel's own code.
            if not isinstance(problem, UnknownOutcome | TimeoutError):
                log.error("send_raised", row=row.id, error=repr(problem))
            return "unknown"
        await self._store.mark_sent(row, platform_id, self._clock.now())
        log.debug("reply_sent", row=row.id, attempts=attempts)
        return "done"

    async def _send(self, row: OutRow, attempts: int, first: float) -> str:
        if row.target == "desk":
            await self._perform(row)
            return ""
        channel = self._channel(row)
        async with asyncio.timeout(channel.capabilities.send_timeout or None):
            receipt = await channel.send(_delivery(row, attempts, first))
        return receipt.platform_id

    async def _reconcile(self, row: OutRow, tried_at: float, first: float, unknowns: int) -> bool:
        """After an unknown outcome: True when the row is done with, False when it may be sent again."""
        if row.target == "desk":
            # Desks look before they write again: the same key never makes a second ticket or message.
            await self._clock.sleep(_pause(unknowns))
            return False
        channel = self.channels.get((row.address.channel, row.address.account))
        if channel is None:
            return False
        timeout = channel.capabilities.send_timeout
        if timeout:
            await self._until(tried_at + timeout + GRACE)
        if channel.capabilities.read_back:
            return await self._look_up(channel, row, first)
        if row.outgoing.body and row.outgoing.body.once:
            await self._fail(row, "ambiguous", "the outcome is unknown, and it must not be said twice")
            return True
        if unknowns >= IN_THE_DARK:
            await self._fail(row, "ambiguous", f"sent {unknowns} times, and nobody can say whether it arrived")
            return True
        await self._clock.sleep(_pause(unknowns))
        return False

    async def _look_up(self, channel: Channel, row: OutRow, first: float) -> bool:
        """Ask the platform until it answers: True when the row is done with, False when it was not sent."""
        while True:
            try:
                receipt = await channel.find_sent(_delivery(row, row.attempts + 1, first))
            except StoreError:
                raise
            except Exception as problem:  # whatever it is, it says nothing about the message
                log.warning("read_back_failed", row=row.id, why=repr(problem))
            else:
                if receipt is not None:
                    await self._store.mark_sent(row, receipt.platform_id, self._clock.now())
                return receipt is not None
            if self._clock.now() - first > GIVE_UP_AFTER:
                await self._fail(row, "ambiguous", "for a day nobody could say whether it was sent")
                return True
            await self._clock.sleep(GRACE)

    async def _again(self, row: OutRow, pause: float, problem: str) -> None:
        at = self._clock.now() + pause
        await self._store.postpone(row, at, problem)
        await self._until(at)

    async def _fail(self, row: OutRow, status: Literal["failed", "ambiguous"], problem: str) -> None:
        log.error("reply_failed", row=row.id, status=status, why=problem)
        # What follows from it comes first, since it happens once by its own key: a crash between must not lose it.
        if row.target == "desk" or row.outgoing.source == "agent":
            await self._refused(row, problem)
        await self._store.mark_failed(row, status, problem)

    async def _until(self, at: float) -> None:
        pause = at - self._clock.now()
        if pause > 0:
            await self._clock.sleep(pause)

    def _can_look_up(self, row: OutRow) -> bool:
        channel = self.channels.get((row.address.channel, row.address.account))
        return row.target == "channel" and channel is not None and channel.capabilities.read_back

    def _channel(self, row: OutRow) -> Channel:
        channel = self.channels.get((row.address.channel, row.address.account))
        if channel is None:
            raise NotSent(f"the channel {row.address.channel}/{row.address.account} is off")
        return channel


def _pause(attempts: int) -> float:
    """Seconds to wait after so many attempts; each time twice as long."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(max(attempts - 1, 0), 12))


def _delivery(row: OutRow, attempts: int, first: float) -> Delivery:
    body = row.outgoing.body
    assert body is not None, "a channel row without a reply"  # noqa: S101 - the store's own mistake
    return Delivery(
        id=row.id,
        conversation=row.conversation,
        seq=row.seq,
        address=row.address,
        reply=body,
        source=row.outgoing.source,
        author=row.outgoing.author,
        attempt=attempts,
        first_attempt_at=first,
    )
