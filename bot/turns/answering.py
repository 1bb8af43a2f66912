"""Steps 4 to 8 of a message's path: load its lane's state, pass the middleware, respond, commit.

Whatever goes wrong in a turn ends here: it is tried again, or parked with one apology, and the lane goes on. Which turn
is whose, and when, is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from bot.channel import Channel
from bot.clock import Clock
from bot.delivery.sending import certain_after
from bot.dialog.driver import Abandoned, Dialogs, HandlerFailed
from bot.errors import Fenced, StoreError, StoreUnavailable
from bot.handoff.bridge import Bridge
from bot.llm.models import Models
from bot.messages import Message
from bot.prompts.outcomes import outcome_of
from bot.store.contract import Claim, Committed, Store
from bot.turns.conversing import Conversing
from bot.turns.middleware import Middleware, compose
from bot.turns.superseding import Superseding
from bot.turns.thinking import Thinking
from bot.turns.trace import Trace, turn_id
from bot.turns.work import Send, Times, Work

log = structlog.get_logger()

ATTEMPTS = 3
"""A turn that failed at so many attempts is parked."""

DEATHS = 6
"""So is one that was claimed so often while nobody reported anything: it kills its process. More than ATTEMPTS, since
whatever kills a process again and again takes innocent turns along (docs/figures.md)."""

SUSPECT = 3
"""A turn that was claimed more often is tried, in each process, while no other such one is: who dies with two hundred
turns in their hands makes two hundred suspects, and all but one are innocent."""

RETRY = (0.2, 1.0)
"""Seconds before the second and the third attempt."""

Finished = Callable[[Trace], None]


class Answering:
    """Works on one turn at a time of each lane, for an engine that says which."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        dialogs: Dialogs,
        conversing: Conversing,
        bridge: Bridge,
        models: Models,
        send: Send,
        lease: float,
    ) -> None:
        self._store, self._clock, self._lease = store, clock, lease
        self._dialogs, self._conversing, self._bridge, self._send = dialogs, conversing, bridge, send
        self._models = models
        self.channels: Mapping[tuple[str, str], Channel] = {}
        self.desk = ""
        self.keeps = True  # whether a lane's next turn is wanted with the commit of the one before
        self.finished: Finished = lambda trace: None
        self.crowded: Callable[[], bool] = lambda: False
        self._respond = compose((), self._decide)
        self._thinking = Thinking()
        self._superseding = Superseding(dialogs.drop, self.ends)
        self._trying = False
        self._ending: set[str] = set()
        self._owed: list[Claim] = []  # turns to give back, their attempts with them, once the store is there again

    def use(self, middleware: Sequence[Middleware]) -> None:
        """Set the chain that every message passes."""
        self._respond = compose(middleware, self._decide)

    def ends(self, conversation: str) -> bool:
        """Whether a turn of this conversation is being committed: nothing should cut that off."""
        return conversation in self._ending

    def heard(self, conversation: str, message: Message) -> None:
        """A message was stored, which may end the turn that is at work there."""
        self._superseding.heard(conversation, message)

    def drop(self, conversation: str) -> None:
        """Forget what is in memory of a conversation."""
        self._dialogs.drop(conversation)

    async def give_back_owed(self) -> None:
        """Give back what could not be given back while the store was away. Raises StoreError while it still is."""
        while self._owed:
            await self._store.retry(self._owed[-1], self._clock.now(), counts=False)
            self._owed.pop()

    async def close(self) -> None:
        """Forget everything."""
        await self._dialogs.close()

    async def run(self, claim: Claim) -> Committed | None:
        """From a claim to its commit; None when the turn was given back.

        One whose processes died is tried with no other suspect beside it, or else it waits.
        """
        if not SUSPECT < claim.attempts <= DEATHS:
            return await self._turn(claim)
        if self._trying:
            problem = "its processes died; waits for another such turn"
            return await self._give_back(claim, RETRY[0], problem, counts=False)
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
                return await self._park(work, f"claimed {DEATHS} times without an end")
            # In front of the middleware: a flood, or whatever else a plugin stops, must not swallow a STOP.
            if not self._conversing.consents(work):
                with self._superseding.watching(work):
                    await self._answer(work)
            if work.handed_off:
                await self._dialogs.give_up(work)
            elif work.nobody_there:
                self._conversing.stock.nobody(work)
            committed = await self._finish(work)
        except HandlerFailed as problem:
            return await self._failed(work, problem)
        except Abandoned:
            if work.superseded:
                return await self._let_go(work)
            return await self._again(work, RETRY[0], "a commit in the middle failed")
        except Fenced:
            return await self._again(work, 0.0, "the lane moved on", counts=False)
        except StoreError as problem:
            # A database that is away for a minute is not the message's fault: it costs no attempt.
            return await self._again(work, RETRY[0], str(problem), counts=not isinstance(problem, StoreUnavailable))
        except Exception as problem:
            log.exception("turn_broke", turn=work.trace.turn)
            return await self._once_more(work, type(problem).__name__)
        self._dialogs.committed(work)
        self._report(work)
        return committed

    async def _answer(self, work: Work) -> None:
        # Whoever owns it types themselves; who wants to hear nothing shall see nothing either.
        if work.conversation.owner != "bot" or work.conversation.silence:
            await self._respond(work)
            return
        with self._thinking.shown(work.channel, work.conversation.address):
            await self._respond(work)

    async def _finish(self, work: Work, *, parked: str = "") -> Committed:
        conversation = work.conversation.id
        self._ending.add(conversation)
        try:
            return await work.finish(keep=self.keeps, parked=parked)
        finally:
            self._ending.discard(conversation)

    async def _decide(self, work: Work) -> None:
        """A person owns it: pass it on. Otherwise the bot answers."""
        if work.conversation.owner == "bot":
            await self._conversing.respond(work)
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
        work = Work(
            claim,
            lane,
            store=self._store,
            clock=self._clock,
            channel=channel,
            desk=self.desk,
            phrases=self._models.phrases,
            send=self._send,
            times=Times(self._lease, 0.0 if self.crowded() else certain_after(channel)),
        )
        work.models = self._models
        return work

    # --- when it went wrong

    async def _failed(self, work: Work, failure: HandlerFailed) -> Committed | None:
        turn, attempt = work.trace.turn, work.claim.attempts
        why, where = failure.brief, failure.__cause__
        log.error("handler_failed", turn=turn, attempt=attempt, handler=failure.handler, why=why, exc_info=where)
        if failure.final:
            return await self._park(work, failure.problem, failure)
        return await self._once_more(work, failure.problem, failure)

    async def _once_more(self, work: Work, problem: str, failure: HandlerFailed | None = None) -> Committed | None:
        attempts = work.claim.attempts
        if attempts >= ATTEMPTS:
            return await self._park(work, problem, failure)
        pause = RETRY[min(attempts, len(RETRY)) - 1]
        return await self._again(work, pause, failure.brief if failure else problem)

    async def _again(self, work: Work, pause: float, problem: str, *, counts: bool = True) -> Committed | None:
        """Forget what is in memory and give the turn back: it will be claimed and replayed, so nothing is committed."""
        self._dialogs.drop(work.conversation.id, work.lane)
        return await self._give_back(work.claim, pause, problem, counts=counts)

    async def _give_back(self, claim: Claim, pause: float, problem: str, *, counts: bool) -> Committed | None:
        log.warning("turn_retried", turn=turn_id(claim.conversation.id, claim.n), why=problem)
        try:
            await self._store.retry(claim, self._clock.now(), pause=pause, counts=counts)
        except StoreError:
            if not counts:
                self._owed.append(claim)
        return None

    async def _let_go(self, broke: Work) -> Committed | None:
        """Nobody wants this answer any more: move past the turn without a word."""
        fresh = await self._store.reread(broke.claim)
        if fresh is None:
            return None
        work = self._work(fresh)
        work.trace.decided = "left, since its message was changed or silence was asked for while it was being answered"
        try:
            committed = await self._finish(work)
        except StoreError as refused:
            return await self._again(work, RETRY[0], str(refused))
        self._dialogs.committed(work)
        self._report(work)
        return committed

    async def _park(self, broke: Work, problem: str, failure: HandlerFailed | None = None) -> Committed | None:
        """Give the turn up: one apology, a dead letter, and the lane goes on without the frame that broke."""
        self._dialogs.drop(broke.conversation.id, broke.lane)
        fresh = await self._store.reread(broke.claim)
        if fresh is None:
            return None
        work = self._work(fresh)
        work.lane.replaces = []  # an apology is no better answer than the one that stands
        broken = failure.frame.id if failure else work.lane.frames[-1].id if work.lane.frames else ""
        work.lane.frames[:] = [other for other in work.lane.frames if other.id != broken]
        work.trace.error = problem
        work.trace.handler = failure.handler if failure else ""
        work.trace.decided = work.trace.decided or "given up"
        if self._conversing.consents(work):
            work.trace.notes.append("given up, and honoured all the same")
        elif work.conversation.owner == "bot":
            self._conversing.stock.apologise(work, changed=failure is not None and failure.changed)
            self._dialogs.pick_up(work)
        else:
            await self._dialogs.give_up(work)
        try:
            committed = await self._finish(work, parked=problem)
        except StoreError as refused:
            return await self._again(work, RETRY[0], str(refused))
        self._dialogs.committed(work)
        self._report(work)
        why = failure.brief if failure else problem
        log.error("turn_parked", turn=work.trace.turn, handler=work.trace.handler, why=why)
        return committed

    def _report(self, work: Work) -> None:
        trace = work.trace
        log.info("turn_done", turn=trace.turn, handler=trace.handler, decided=trace.decided, ms=trace.milliseconds)
        self.finished(trace)
        outcome = outcome_of(work.message, handed_off=work.handed_off)
        if outcome is not None:
            self._models.prompts.soon(outcome, work.conversation.person.id)
