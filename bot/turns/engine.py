"""Step 4 of a message's path: which lanes this process works on, and for how long they are its own.

One task works on one lane at a time, many lanes side by side. What a turn is, from its claim to its commit, is in
answering.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable

import structlog

from bot.channel import Accepted
from bot.clock import Clock
from bot.errors import StoreError
from bot.messages import Message
from bot.store.contract import Claim, Store
from bot.turns.answering import Answering

log = structlog.get_logger()

POLL = 0.5
"""Seconds after which the store is asked even if nobody rang."""

TIMERS = 100
"""Timers that are moved into their lanes at once; more follow without a pause."""

LANES = 1000
"""Lanes that one process works on side by side."""

COMMON = 800
"""So many of them are for everybody; the rest are for tenants that have few."""

FEW = 20
"""Lanes of one tenant at work that are few."""


class Engine:
    """Works through the lanes."""

    def __init__(self, worker: str, store: Store, clock: Clock, answering: Answering, *, lease: float) -> None:
        self._worker, self._store, self._clock, self._lease = worker, store, clock, lease
        self._answering = answering
        self.announce: Callable[[], None] = self.ring  # to all processes: a turn waits that was not begun here
        self._bell = asyncio.Event()
        self._busy: dict[str, tuple[asyncio.Task[None], Claim]] = {}
        self._takers: set[asyncio.Task[None]] = set()
        self._tenants: Counter[str] = Counter()  # how many lanes of each are at work
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = False
        self._looking = False
        self._renewed = 0.0

    def ring(self) -> None:
        """Something came in."""
        self._bell.set()

    async def start(self) -> None:
        """Begin to work."""
        self._stopping, self._renewed = False, self._clock.steady()
        self._answering.keeps = True
        self._loops = [asyncio.create_task(self._claiming()), asyncio.create_task(self._renewing())]

    async def stop(self, patience: float = 5.0) -> None:
        """Claim nothing more, let turns end, give the rest back."""
        self._stopping, self._answering.keeps = True, False
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
        await self._answering.close()

    @property
    def busy(self) -> bool:
        """Whether a lane is being worked on, or one may be about to be."""
        return bool(self._busy) or self._bell.is_set() or self._looking

    async def take(self, message: Message) -> Accepted:
        """Store a message; begin its turn in the same breath if there is room and nothing of its lane waits.

        A caller that is cancelled meanwhile (its client hung up) changes nothing: what is stored and claimed is begun.
        """
        if self._stopping or not self._room(message.tenant):
            return await asyncio.shield(self._put(message))
        accepted: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._takers.add(asyncio.create_task(self._take(message, accepted)))
        return await accepted

    async def _put(self, message: Message) -> Accepted:
        accepted = await self._store.put(message, self._clock.now())
        self.announce()
        return accepted

    async def _take(self, message: Message, told: asyncio.Future[Accepted]) -> None:
        """A lane's task from the start: one that only stored the message and began another would cost a turn more."""
        task = asyncio.current_task()
        assert task is not None, "it was made a task of"  # noqa: S101 - for the type checker
        try:
            # Without a claim nobody need be told: whoever is at work on the lane gets the message with their commit.
            accepted, claim = await self._store.take(message, self._worker, self._lease, self._clock.now())
            if claim is not None and self._stopping:
                await self._store.retry(claim, self._clock.now(), counts=False)
                claim = None
        except asyncio.CancelledError:
            told.cancel()
            raise
        except Exception as problem:
            if not told.done():  # or else whoever sent it has hung up, and will send it again
                told.set_exception(problem)
            return
        finally:
            self._takers.discard(task)
        if not told.done():
            told.set_result(accepted)
        if claim is not None:
            self._enter(claim, task)
            await self._work_lane(claim)

    def _room(self, tenant: str) -> bool:
        """Whether one more turn may be begun at once; a tenant with very many leaves room for the others."""
        busy = len(self._busy)
        return busy < COMMON or (busy < LANES and self._tenants[tenant] < FEW)

    def _begin(self, claim: Claim) -> None:
        self._enter(claim, asyncio.create_task(self._work_lane(claim), name=f"lane {claim.conversation.id}"))

    def _enter(self, claim: Claim, task: asyncio.Task[None]) -> None:
        """From now on this is the lane's task."""
        conversation = claim.conversation.id
        held = self._busy.get(conversation)
        if held is None:
            self._tenants[claim.conversation.tenant] += 1
        elif held[1].n == claim.n or not self._answering.ends(conversation):
            # Its lease ran out, and it can commit nothing any more: two at once must not be. But one whose commit of
            # the turn before is on its way has still to send what it wrote.
            held[0].cancel()
        self._busy[conversation] = (task, claim)

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
                await self._answering.give_back_owed()
                free = COMMON - len(self._busy)
                if free > 0:
                    claims = await self._store.claim(self._worker, free, self._lease, self._clock.now())
            except StoreError as problem:
                log.error("claim_failed", why=str(problem))
            except Exception:
                # Whatever it is that nobody foresaw: a process that claims nothing any more looks alive, and is not.
                log.exception("claim_broke")
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
                    ended = self._answering.ends(conversation) or self._busy.get(conversation) != (task, claim)
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
                committed = await self._answering.run(current)
                current = committed.next if committed else None
        except asyncio.CancelledError:
            if self._holds(conversation, task):
                self._answering.drop(conversation)
            raise
        except Exception as problem:
            # Nothing may end a lane's task silently; the lease gives the turn to whoever claims it next.
            log.exception("lane_broke", conversation=conversation, error=repr(problem))
            self._answering.drop(conversation)
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
