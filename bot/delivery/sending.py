"""One row of the outbox on its way to its end: sent, failed, ambiguous, suppressed, or left to whoever else has it.

A row is marked `sending` before the call. What a failure means decides what happens next: surely not sent is tried
again, refused is given up, and an unknown outcome is looked up at the platform where that can be done and never
blindly repeated. Knows nothing of other rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, TypeVar

import msgspec
import structlog

from bot.alarms import Alarms
from bot.channel import Channel, Deletes, Delivery, Edits
from bot.clock import Clock, Entropy
from bot.delivery.pacing import Buckets, Openings
from bot.errors import NotSent, RateLimited, Rejected, SendError, StoreUnavailable, UnknownOutcome
from bot.people import Silence
from bot.store.contract import Effect, OutRow, SilenceChange, Store
from bot.store.lookback import receipt

T = TypeVar("T")

log = structlog.get_logger()

GRACE = 5.0
"""Seconds after a send's time-out before its outcome is looked up: it can't land any more by then."""

DESK_TIMEOUT = 10.0
"""Seconds that a call to a desk may take."""

STALE = 2.0
"""A send that does not follow its mark within so many seconds is not made: the process slept, and another one may
already look up how it went. Shorter than GRACE, and nothing is certain before a time-out and GRACE have passed."""

STALL = 1.0
"""Seconds to wait when something that must not fail does, such as the store."""

TURN = (0.05, 1.0)
"""Seconds after which a row asks again that waits for an earlier one in another process: at first, and at most."""

PATIENCE = 1.0
"""Who has to wait longer for their place in a platform's pace (seconds) is put off in the store too."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 300.0
GIVE_UP_AFTER = 24 * 3600.0
"""A reply that could not be sent for so long (seconds) is given up: it would make no sense any more."""

IN_THE_DARK = 4
"""So often a reply is sent, with unknown outcomes, over a channel that can't look up what it sent. Each may arrive."""


class Means(NamedTuple):
    """What sending needs. `perform` and `refused` do the desk's rows; what `keeps` a row has its words said later."""

    store: Store
    clock: Clock
    entropy: Entropy
    buckets: Buckets
    perform: Callable[[OutRow], Awaitable[None]]
    refused: Callable[[OutRow, str], Awaitable[None]]
    keeps: Callable[[OutRow], Awaitable[bool]]


class Sending:
    """A row and how far it has come. `channel` is None for a desk's row, or when the channel is off.

    `began` is when (on the steady clock) the commit began that marked it as being sent; None if it has to be marked,
    or was marked by somebody else.
    """

    def __init__(
        self,
        row: OutRow,
        began: float | None,
        means: Means,
        channel: Channel | None,
        alarms: Alarms,
        openings: Openings,
    ) -> None:
        self._row, self._began, self._means, self._channel = row, began, means, channel
        self._alarms, self._openings = alarms, openings
        self._store, self._clock = means.store, means.clock
        self._unknowns = self._waited = 0
        self._anew = False
        # Both by the store's clock: ours may be wrong, and a day's error must not give up what was tried a minute ago.
        self._tried_for, self._since = row.last_attempt_at - row.first_attempt_at, self._clock.steady()
        self._next: Step | None = self._ready
        if row.status == "sending":
            self._next = self._reconcile if began is None else self._begun

    @property
    def id(self) -> str:
        """The row's."""
        return self._row.id

    async def finish(self) -> None:
        """Bring it to its end. Should this raise, it may be called again and goes on where it was."""
        while self._next is not None:
            self._next = await self._next()

    # --- the steps; each answers with the next one

    async def _ready(self) -> Step | None:
        """Wait for its place in the platform's pace."""
        wait = await self._place()
        if wait > PATIENCE:
            return await self._put_off(wait, "waits for its place in the platform's pace", then=self._mark)
        if wait:
            await self._clock.sleep(wait)
        return self._mark

    async def _mark(self) -> Step | None:
        """Say durably that a send begins."""
        if self._shut():
            return self._ready
        if await self._means.keeps(self._row):
            return None
        began, now = self._clock.steady(), self._clock.now()
        begun = await self._store.mark_sending(self._row, certain_after(self._channel), now)
        if begun == "waits":
            self._waited += 1
            await self._clock.sleep(min(TURN[0] * 2.0 ** min(self._waited, 10), TURN[1]))
            return self._mark
        if begun == "suppressed" and self._row.outgoing.source == "agent":
            # Only because they want to hear nothing: then whoever wrote it should know.
            await self._insist(lambda: self._means.refused(self._row, "they want to hear nothing from us"))
        if begun != "sending":
            log.info("reply_suppressed" if begun == "suppressed" else "reply_was_done", row=self._row.id, status=begun)
            return None
        self._began = began
        if not self._row.attempts:
            self._since = began
        first = self._row.first_attempt_at or now
        self._row = msgspec.structs.replace(
            self._row, status="sending", attempts=self._row.attempts + 1, first_attempt_at=first
        )
        return self._send

    async def _begun(self) -> Step | None:
        """It was marked with the commit that made it: there may be no place for it yet."""
        wait = await self._place()
        if wait:
            return await self._put_off(wait, "waits for its place in the platform's pace", then=self._mark)
        return self._send

    async def _send(self) -> Step | None:
        """Make the call."""
        old = await self._replaced()  # first: between the look at the clock and the call nothing may wait
        if self._began is None or self._clock.steady() - self._began > STALE:
            return self._reconcile
        if closed := self._closed():  # meanwhile
            return await self._put_off(closed, "the platform wants nothing of this account", then=self._ready)
        try:
            platform_id = await self._call(old)
        except RateLimited as problem:
            if problem.account:
                await self._means.buckets.close(self._account, problem.retry_after)
            pause = max(problem.retry_after, self._closed())
            return await self._put_off(pause, str(problem), then=self._ready)
        except NotSent as problem:
            pause = _pause(self._row.attempts) * (0.5 + self._means.entropy.jitter())
            return await self._put_off(pause, str(problem), then=self._ready)
        except Rejected as problem:
            if problem.silence:
                await self._silence(problem.silence, str(problem))
            elif old and not self._row.outgoing.takes_back:
                self._anew = True  # it can't be edited any more: then it is said anew
                return await self._put_off(0.0, str(problem), then=self._ready)
            return await self._fail("failed", str(problem))
        except Exception as problem:
            # Unknown is also what we can't name: a time-out, a reset, a 5xx, an error in a channel's own code.
            if not isinstance(problem, UnknownOutcome | TimeoutError):
                log.error("send_raised", row=self._row.id, error=_told(problem))
            self._unknowns += 1
            return self._reconcile
        return await self._sent(platform_id)

    async def _reconcile(self) -> Step | None:
        """Nobody knows whether it was sent."""
        channel = self._channel
        if channel is None:
            # Desks look before they write again: the same key never makes a second ticket or message.
            return await self._once_more()
        if self._began is not None:
            # Our own attempt; what others began is given to us only after this time.
            await self._clock.sleep(max(0.0, self._began + certain_after(channel) - self._clock.steady()))
        if self._row.outgoing.takes_back:
            return await self._once_more()  # the same taking back twice is harmless
        # Looked for first, an edit too: it may have been refused, and said anew by a process that died.
        if channel.capabilities.read_back:
            return await self._look_up(channel)
        if await self._replaced():
            return await self._once_more()  # the same edit twice is harmless
        if self._row.outgoing.body and self._row.outgoing.body.once:
            return await self._fail("ambiguous", "the outcome is unknown, and it must not be said twice")
        if self._unknowns >= IN_THE_DARK:
            return await self._fail("ambiguous", f"sent {self._unknowns} times; nobody can say whether it arrived")
        return await self._once_more()

    async def _look_up(self, channel: Channel) -> Step | None:
        """Ask the platform until it answers."""
        try:
            with self._alarms.within(channel.capabilities.send_timeout):
                found = await channel.find_sent(self._delivery())
        except Exception as problem:  # whatever it is, it says nothing about the message
            log.warning("read_back_failed", row=self._row.id, why=_told(problem))
            if self._too_late():
                return await self._fail("ambiguous", "for a day nobody could say whether it was sent")
            await self._clock.sleep(GRACE)
            return self._reconcile
        if found is not None:
            return await self._sent(found.platform_id)
        return await self._once_more() if await self._replaced() else self._ready

    async def _once_more(self) -> Step | None:
        if self._too_late():
            return await self._fail("ambiguous", "not reached for a day")
        await self._clock.sleep(_pause(self._unknowns))
        return self._ready

    # --- what became of it

    async def _sent(self, platform_id: str) -> Step | None:
        await self._insist(lambda: self._store.mark_sent(self._row, platform_id, self._clock.now()))
        log.debug("reply_sent", row=self._row.id, attempts=self._row.attempts)
        return None

    async def _put_off(self, pause: float, problem: str, *, then: Step) -> Step | None:
        """It was surely not sent."""
        if self._too_late():
            return await self._fail("failed", "not reached for a day")
        if not await self._insist(lambda: self._store.postpone(self._row, pause, problem, self._clock.now())):
            return None
        self._row = msgspec.structs.replace(self._row, status="pending")
        await self._clock.sleep(pause)
        return then

    async def _fail(self, status: Literal["failed", "ambiguous"], problem: str) -> Step | None:
        row = self._row
        log.error("reply_failed", row=row.id, status=status, why=problem)
        # What follows from it comes first, since it happens once by its own key: a crash between must not lose it.
        if row.target == "desk" or row.outgoing.source == "agent":
            await self._insist(lambda: self._means.refused(row, problem))
        await self._insist(lambda: self._store.mark_failed(row, status, problem))
        return None

    async def _silence(self, silence: Silence, problem: str) -> None:
        """The platform says that this person gets nothing from us: keep that, and try no more."""
        log.warning("silenced", conversation=self._row.conversation, why=silence)
        change = SilenceChange(silence=silence, word=problem)
        effect = Effect(
            conversation=self._row.conversation,
            now=self._clock.now(),
            event_id=f"silenced:{self._row.id}",
            silence=change,
        )
        await self._insist(lambda: self._store.apply(effect))

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Until the store takes it: the platform has answered, and that must not be forgotten."""
        while True:
            try:
                return await call()
            except StoreUnavailable as problem:
                log.error("outbox_stalled", row=self._row.id, why=str(problem))
                await self._clock.sleep(STALL)

    # --- the call

    async def _call(self, old: str) -> str:
        if self._row.target == "desk":
            with self._alarms.within(DESK_TIMEOUT):
                await self._means.perform(self._row)
            return ""
        channel = self._channel
        if channel is None:
            raise NotSent(f"the channel {self._account} is off")
        with self._alarms.within(channel.capabilities.send_timeout):
            if self._row.outgoing.takes_back:
                return await self._take_back(channel, old)
            if isinstance(channel, Edits) and old:
                await channel.edit(self._delivery(), old)
                return old
            sent = await channel.send(self._delivery())
        return sent.platform_id

    async def _take_back(self, channel: Channel, old: str) -> str:
        if old:  # else it never arrived
            if not isinstance(channel, Deletes) or not channel.capabilities.deletes:
                raise Rejected(f"the channel {self._account} takes nothing back any more")
            await channel.delete(self._delivery(), old)
        return old

    async def _replaced(self) -> str:
        """The platform's name for the message whose place this one takes, or which it takes back; "" for none."""
        outgoing = self._row.outgoing
        edits = not self._anew and isinstance(self._channel, Edits) and self._channel.capabilities.edits
        return await receipt(self._store, outgoing.edits) if outgoing.edits and (edits or outgoing.takes_back) else ""

    def _delivery(self) -> Delivery:
        row = self._row
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
            attempt=max(row.attempts, 1),
            first_attempt_at=row.first_attempt_at,
        )

    async def _place(self) -> float:
        """Seconds until its place in the platform's paces."""
        paces = self._channel.paces(self._row.address) if self._channel is not None else ()
        if not paces:
            return self._closed()
        keys = {"account": self._account, "conversation": self._row.conversation}
        return max(await self._means.buckets.take([(keys[pace.of], pace) for pace in paces]), self._closed())

    def _closed(self) -> float:
        """Seconds until this one may come to a platform that wants nothing of this account; 0 if it does."""
        closed = self._shut()
        return self._openings.place(self._account, closed) if closed else 0.0

    def _shut(self) -> float:
        """Seconds for which the platform wants nothing of this account."""
        return self._means.buckets.closed(self._account) if self._channel is not None else 0.0

    @property
    def _account(self) -> str:
        return f"{self._row.address.channel}/{self._row.address.account}"

    def _too_late(self) -> bool:
        return self._tried_for + self._clock.steady() - self._since > GIVE_UP_AFTER


Step = Callable[[], Awaitable["Step | None"]]


def certain_after(channel: Channel | None) -> float:
    """Seconds after the mark of a send when nothing of it can land any more; None stands for a desk."""
    if channel is None:
        return DESK_TIMEOUT + GRACE
    timeout = channel.capabilities.send_timeout
    return timeout + GRACE if timeout else GRACE


def _told(problem: Exception) -> str:
    """A failure in words for the log: those of others than us may have people's in them."""
    return str(problem) if isinstance(problem, SendError) else type(problem).__name__


def _pause(attempts: int) -> float:
    """Seconds to wait after so many attempts; each time twice as long."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(max(attempts - 1, 0), 12))
