"""Steps 4 to 8 of a message's path: claim a lane, load its state, pass the middleware, respond, commit.

One task works on one lane at a time, many lanes side by side. Whatever goes wrong in a turn ends here: it is tried
again, or parked with one apology, and the lane goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from bot.channel import Accepted, Channel
from bot.clock import Clock
from bot.conversing import Conversing
from bot.dialog.driver import Abandoned, Dialogs, HandlerFailed
from bot.errors import Fenced, StoreError, StoreUnavailable
from bot.handoff.bridge import Bridge
from bot.messages import Message
from bot.middleware import Middleware, compose
from bot.sending import certain_after
from bot.store.contract import Claim, Committed, OutRow, Store
from bot.trace import Trace, turn_id
from bot.work import Work

log = structlog.get_logger()

ATTEMPTS = 3
"""A turn that failed at so many attempts is parked."""

DEATHS = 6
"""So is one that was claimed so often while nobody reported anything: it kills its process. More than ATTEMPTS, since
whatever kills a process again and again takes innocent turns along (docs/figures.md)."""

SUSPECT = 3
"""A turn that was claimed more often is tried, in each process, while no other such one is: who dies with two hundred
turns in their hands makes two hundred suspects, and all but one are innocent."""

POLL = 0.5
"""Seconds after which the store is asked even if nobody rang."""

RETRY = (0.2, 1.0)
"""Seconds before the second and the third attempt."""

TIMERS = 100
"""Timers that are moved into their lanes at once; more follow without a pause."""

LANES = 1000
"""Lanes that one process works on side by side."""

COMMON = 800
"""So many of them are for everybody; the rest are for tenants that have few."""

FEW = 20
"""Lanes of one tenant at work that are few."""

Finished = Callable[[Trace], None]


class Engine:
    """Works through the lanes."""

    def __init__(
        self,
        *,
        worker: str,
        store: Store,
        clock: Clock,
        dialogs: Dialogs,
        conversing: Conversing,
        bridge: Bridge,
        send: Callable[[Sequence[OutRow], float], None],
        lease: float = 10.0,
    ) -> None:
        self._worker, self._store, self._clock, self._lease = worker, store, clock, lease
        self._dialogs, self.conversing, self._bridge, self._send = dialogs, conversing, bridge, send
        self.channels: Mapping[tuple[str, str], Channel] = {}
        self.desk = ""
        self.finished: Finished = lambda trace: None
        self.crowded: Callable[[], bool] = lambda: False
        self.announce: Callable[[], None] = self.ring  # to all processes: a turn waits that was not begun here
        self._respond = compose((), self._decide)
        self._bell = asyncio.Event()
        self._busy: dict[str, tuple[asyncio.Task[None], Claim]] = {}
        self._tenants: Counter[str] = Counter()  # how many lanes of each are at work
        self._trying = False
        self._ending: set[str] = set()  # conversations whose turn is being committed
        self._owed: list[Claim] = []  # turns to give back, their attempts with them, once the store is there again
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = False
        self._looking = False
        self._renewed = 0.0

    def use(self, middleware: Sequence[Middleware]) -> None:
        """Set the chain that every message passes."""
        self._respond = compose(middleware, self._decide)

    def ring(self) -> None:
        """Something came in."""
        self._bell.set()

    async def start(self) -> None:
        """Begin to work."""
        self._stopping, self._renewed = False, self._clock.steady()
        self._loops = [asyncio.create_task(self._claiming()), asyncio.create_task(self._renewing())]

    async def stop(self, patience: float = 5.0) -> None:
        """Claim nothing more, let turns end, give the rest back."""
        self._stopping = True
        for loop in self._loops:
            loop.cancel()
        tasks = [task for task, _ in self._busy.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=patience)
            for task in late:
                task.cancel()
        for _, claim in list(self._busy.values()):
            with contextlib.suppress(StoreError):
                await self._store.retry(claim, self._clock.now(), counts=False)
        self.announce()
        await self._dialogs.close()

    @property
    def busy(self) -> bool:
        """Whether a lane is being worked on, or one may be about to be."""
        return bool(self._busy) or self._bell.is_set() or self._looking

    async def take(self, message: Message) -> Accepted:
        """Store a message; begin its turn in the same breath if there is room and nothing of its lane waits.

        If the caller is cancelled meanwhile, the turn may only begin when its lease has ended.
        """
        now = self._clock.now()
        if self._stopping or not self._room(message.tenant):
            accepted = await self._store.put(message, now)
            self.announce()
            return accepted
        # Without a claim nobody need be told: whoever is at work on the lane gets the message with their commit.
        accepted, claim = await self._store.take(message, self._worker, self._lease, now)
        if claim is not None and self._stopping:
            await self._store.retry(claim, self._clock.now(), counts=False)
        elif claim is not None:
            self._begin(claim)
        return accepted

    def _room(self, tenant: str) -> bool:
        """Whether one more turn may be begun at once; a tenant with very many leaves room for the others."""
        busy = len(self._busy)
        return busy < COMMON or (busy < LANES and self._tenants[tenant] < FEW)

    def _begin(self, claim: Claim) -> None:
        held = self._busy.get(claim.conversation.id)
        if held is None:
            self._tenants[claim.conversation.tenant] += 1
        if held is not None and held[1].n == claim.n:
            held[0].cancel()  # its lease ran out, and it can commit nothing any more: two at once must not be
        task = asyncio.create_task(self._work_lane(claim), name=f"lane {claim.conversation.id}")
        self._busy[claim.conversation.id] = (task, claim)

    # --- the loops

    async def _claiming(self) -> None:
        look = 0.0
        while True:
            self._looking = True
            self._bell.clear()
            claims: list[Claim] = []
            try:
                if self._clock.steady() >= look:
                    look = self._clock.steady() + POLL
                    if await self._store.fire(self._clock.now(), TIMERS) == TIMERS:
                        look = 0.0  # there may be more
                if self._busy and self._clock.steady() - self._renewed > self._lease / 2:
                    # The whole process slept or was blocked: what it works on must not look abandoned to itself.
                    await self._renew()
                while self._owed:
                    await self._store.retry(self._owed[-1], self._clock.now(), counts=False)
                    self._owed.pop()
                free = COMMON - len(self._busy)
                if free > 0:
                    claims = await self._store.claim(self._worker, free, self._lease, self._clock.now())
            except StoreError as problem:
                log.error("claim_failed", why=str(problem))
            for claim in claims:
                self._begin(claim)
            if len(self._busy) >= COMMON and claims:
                self.announce()  # there may be more than one process can take
            self._looking = False
            if not claims:
                await self._pause()

    async def _pause(self) -> None:
        """Until the bell rings, or it is time to look anyway."""
        bell = asyncio.ensure_future(self._bell.wait())
        poll = asyncio.ensure_future(self._clock.sleep(POLL))
        try:
            await asyncio.wait({bell, poll}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()
            poll.cancel()

    async def _renewing(self) -> None:
        while True:
            await self._clock.sleep(self._lease / 3)
            await self._renew()

    async def _renew(self) -> None:
        """Keep what is being worked on; what is no longer ours is not worked on any more."""
        now, held = self._clock.steady(), list(self._busy.items())
        if held:
            with contextlib.suppress(StoreError):
                ours = await self._store.renew([claim for _, (_, claim) in held], self._lease, self._clock.now())
                for (conversation, (task, claim)), kept in zip(held, ours, strict=True):
                    # The turn may have ended meanwhile; then the lane is at its next one, which is not stale. While
                    # it is being committed, the fence decides: a cancelled task would not send what is in the store.
                    ended = conversation in self._ending or self._busy.get(conversation) != (task, claim)
                    if not kept and not ended:
                        task.cancel()
        self._renewed = now  # only now: whoever looks meanwhile has to wait for the last lease too

    async def _work_lane(self, claim: Claim) -> None:
        """One turn after the other, as long as the lane has some."""
        conversation, task = claim.conversation.id, asyncio.current_task()
        assert task is not None, "a lane is a task"  # noqa: S101 - for the type checker
        current: Claim | None = claim
        try:
            while current is not None:
                self._busy[conversation] = (task, current)
                committed = await self._carefully(current)
                current = committed.next if committed else None
        except asyncio.CancelledError:
            if self._holds(conversation, task):
                self._dialogs.drop(conversation)
            raise
        except Exception as problem:
            # Nothing may end a lane's task silently; the lease gives the turn to whoever claims it next.
            log.exception("lane_broke", conversation=conversation, error=repr(problem))
            self._dialogs.drop(conversation)
        finally:
            full = len(self._busy) >= COMMON
            if self._holds(conversation, task):  # the next turn may have begun already
                del self._busy[conversation]
                self._tenants[claim.conversation.tenant] -= 1
                if not self._tenants[claim.conversation.tenant]:
                    del self._tenants[claim.conversation.tenant]
            if full:
                self._bell.set()

    def _holds(self, conversation: str, task: asyncio.Task[None]) -> bool:
        held = self._busy.get(conversation)
        return held is not None and held[0] is task

    # --- one turn

    async def _carefully(self, claim: Claim) -> Committed | None:
        """A turn whose processes died is tried with no other suspect beside it, or else it waits."""
        if not SUSPECT < claim.attempts <= DEATHS:
            return await self._turn(claim)
        if self._trying:
            return await self._again(claim, RETRY[0], "its processes died; waits for another such turn", counts=False)
        self._trying = True
        try:
            return await self._turn(claim)
        finally:
            self._trying = False

    async def _turn(self, claim: Claim) -> Committed | None:
        """The path of one message, from its claim to its commit."""
        work = self._work(claim)
        try:
            if claim.attempts > DEATHS:
                return await self._park(claim, f"claimed {DEATHS} times without an end")
            await self._respond(work)
            if work.handed_off:
                await self._dialogs.give_up(work)
            elif work.nobody_there:
                self.conversing.nobody(work)
            committed = await self._finish(work)
        except HandlerFailed as problem:
            return await self._failed(claim, work, problem)
        except Abandoned:
            return await self._again(claim, RETRY[0], "a commit in the middle failed")
        except Fenced:
            return await self._again(claim, 0.0, "the lane moved on", counts=False)
        except StoreError as problem:
            # A database that is away for a minute is not the message's fault: it costs no attempt.
            return await self._again(claim, RETRY[0], str(problem), counts=not isinstance(problem, StoreUnavailable))
        except Exception as problem:
            log.exception("turn_broke", turn=work.trace.turn)
            return await self._once_more(claim, type(problem).__name__)
        self._dialogs.committed(work)
        self._report(work)
        return committed

    async def _finish(self, work: Work, *, parked: str = "") -> Committed:
        conversation = work.conversation.id
        self._ending.add(conversation)
        try:
            return await work.finish(keep=not self._stopping, parked=parked)
        finally:
            self._ending.discard(conversation)

    async def _decide(self, work: Work) -> None:
        """A person owns it: pass it on. Otherwise the bot answers."""
        if work.conversation.owner == "bot":
            await self.conversing.respond(work)
        elif work.lane.interrupted:
            # The handler that asked for a person was cut off before its end, in this very turn.
            work.handed_off = True
            work.trace.decided = "goes on after an interruption"
            await self._dialogs.resume(work)
        else:
            await self._bridge.respond(work)

    def _work(self, claim: Claim) -> Work:
        address = claim.conversation.address
        channel = self.channels.get((address.channel, address.account)) or next(iter(self.channels.values()))
        lane = self._dialogs.open(claim)
        return Work(
            claim,
            lane,
            store=self._store,
            clock=self._clock,
            channel=channel,
            desk=self.desk,
            send=self._send,
            lease=self._lease,
            sends=0.0 if self.crowded() else certain_after(channel),
        )

    # --- when it went wrong

    async def _failed(self, claim: Claim, work: Work, failure: HandlerFailed) -> Committed | None:
        turn, attempt = work.trace.turn, claim.attempts
        why, where = failure.brief, failure.__cause__
        log.error("handler_failed", turn=turn, attempt=attempt, handler=failure.handler, why=why, exc_info=where)
        if failure.final:
            return await self._park(claim, failure.problem, failure)
        return await self._once_more(claim, failure.problem, failure)

    async def _once_more(self, claim: Claim, problem: str, failure: HandlerFailed | None = None) -> Committed | None:
        if claim.attempts >= ATTEMPTS:
            return await self._park(claim, problem, failure)
        pause = RETRY[min(claim.attempts, len(RETRY)) - 1]
        return await self._again(claim, pause, failure.brief if failure else problem)

    async def _again(self, claim: Claim, pause: float, problem: str, *, counts: bool = True) -> Committed | None:
        """Forget what is in memory and give the turn back: it will be claimed and replayed, so nothing is committed."""
        self._dialogs.drop(claim.conversation.id)
        log.warning("turn_retried", turn=turn_id(claim.conversation.id, claim.n), why=problem)
        try:
            await self._store.retry(claim, self._clock.now(), pause=pause, counts=counts)
        except StoreError:
            if not counts:
                self._owed.append(claim)
        return None

    async def _park(self, claim: Claim, problem: str, failure: HandlerFailed | None = None) -> Committed | None:
        """Give the turn up: one apology, a dead letter, and the lane goes on without the frame that broke."""
        self._dialogs.drop(claim.conversation.id)
        fresh = await self._store.reread(claim)
        if fresh is None:
            return None
        work = self._work(fresh)
        broken = failure.frame.id if failure else work.lane.frames[-1].id if work.lane.frames else ""
        work.lane.frames[:] = [other for other in work.lane.frames if other.id != broken]
        work.trace.error = problem
        work.trace.handler = failure.handler if failure else ""
        work.trace.decided = work.trace.decided or "given up"
        if work.conversation.owner == "bot":
            self.conversing.apologise(work, changed=failure is not None and failure.changed)
            self._dialogs.pick_up(work)
        else:
            await self._dialogs.give_up(work)
        try:
            committed = await self._finish(work, parked=problem)
        except StoreError as refused:
            return await self._again(claim, RETRY[0], str(refused))
        self._dialogs.committed(work)
        self._report(work)
        why = failure.brief if failure else problem
        log.error("turn_parked", turn=work.trace.turn, handler=work.trace.handler, why=why)
        return committed

    def _report(self, work: Work) -> None:
        trace = work.trace
        log.info("turn_done", turn=trace.turn, handler=trace.handler, decided=trace.decided, ms=trace.milliseconds)
        self.finished(trace)
