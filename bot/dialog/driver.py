"""The dialogs of a conversation: starting handlers, waking waiting ones, answering, going back, giving up.

Runs that wait stay in memory, so that resuming one costs nothing; whatever is not there is replayed from its
journal. Knows nothing of routing; the engine says what a message means.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from bot.alarms import Alarms
from bot.dialog.forms import FormLike
from bot.dialog.gates import Gates
from bot.dialog.journal import UNASKED, Frame, Lane, Offer, Outcome, load
from bot.dialog.run import Run
from bot.dialog.scope import Scope
from bot.dialog.stops import Again, Asked, Broken, Ended, Question, Stop
from bot.errors import AskTimeout, CodeChanged, DialogError, FrontdeskError, NoAnswer
from bot.messages import Due, Message
from bot.phrases import Phrases
from bot.replies import Reply
from bot.services import short
from bot.skill import Handler, code_of
from bot.store.contract import Claim
from bot.turn import Turn
from bot.turns.work import Work

log = structlog.get_logger()

MAX_DEPTH = 3
"""How many dialogs may lie on top of each other before another request counts as no answer."""

MAX_ROUNDS = 50
"""How often a handler may begin again within one turn, without asking anything."""

Lookup = Callable[[str, str], Handler | None]
"""(skill, handler) to the bound handler, or None when it is gone."""


class HandlerFailed(FrontdeskError):
    """A handler raised, ran out of time or broke a rule; `final` when trying again would not help.

    `problem` is for the store; `brief` is for the log, which must not have words of people, as exceptions may.
    """

    def __init__(self, frame: Frame, problem: str, *, final: bool, changed: bool = False, brief: str = "") -> None:
        self.frame, self.final, self.changed = frame, final, changed
        self.handler = f"{frame.skill}.{frame.handler}"
        self.problem, self.brief = f"{self.handler}: {problem}", brief or problem
        super().__init__(self.problem)


class Abandoned(FrontdeskError):
    """A commit in the middle of the handler failed; the turn must be claimed again."""


class _Live:
    """What is in memory of one conversation; `busy` while a turn works on it."""

    __slots__ = ("busy", "lane", "rev", "runs")

    def __init__(self, rev: int, lane: Lane) -> None:
        self.rev, self.lane = rev, lane
        self.busy = True
        self.runs: dict[str, Run] = {}


class Dialogs:
    """Drives frames. `limit` is how many conversations with a waiting handler stay in memory."""

    def __init__(self, lookup: Lookup, gates: Gates, phrases: Phrases, *, limit: int = 2000) -> None:
        self._lookup, self._gates, self._phrases, self._limit = lookup, gates, phrases, limit
        self._alarms = Alarms()
        self._live: OrderedDict[str, _Live] = OrderedDict()
        self._ending: set[asyncio.Task[None]] = set()
        self._stuck: set[asyncio.Task[Any]] = set()

    # --- memory

    def open(self, claim: Claim) -> Lane:
        """The conversation's state: from memory if it is exactly what the store has, else from the store."""
        live = self._live.pop(claim.conversation.id, None)
        # One that is busy was left by an attempt at this very turn that was cut off: it is ahead of the store.
        if live is not None and (live.busy or live.rev != claim.rev):
            self._end(list(live.runs.values()))
            live = None
        if live is None:
            live = _Live(claim.rev, _loaded(claim))
        live.busy = True
        self._live[claim.conversation.id] = live
        return live.lane

    def committed(self, work: Work) -> None:
        """Memory is as the store now; forget conversations in which nobody waits, and the oldest of too many."""
        live = self._live.get(work.conversation.id)
        if live is None or live.lane is not work.lane:  # heard of late: the next turn has begun
            return
        live.rev, live.busy = work.rev, False
        waiting = {frame.id for frame in live.lane.frames}
        self._end([live.runs.pop(frame) for frame in list(live.runs) if frame not in waiting])
        if not live.runs:
            del self._live[work.conversation.id]
        while len(self._live) > self._limit:
            # Never one in the middle of a turn, however long that takes: its handler would be cut off.
            oldest = next((name for name, other in self._live.items() if not other.busy), None)
            if oldest is None:
                return
            self.drop(oldest)

    def drop(self, conversation: str, lane: Lane | None = None) -> None:
        """Forget a conversation: its handlers will be replayed when they are needed.

        With `lane`, only if that is what is in memory: a turn that is heard of late must not end the next one.
        """
        live = self._live.get(conversation)
        if live is not None and (lane is None or live.lane is lane):
            del self._live[conversation]
            self._end(list(live.runs.values()))

    def form(self, conversation: str, token: str) -> FormLike | None:
        """The form that is open under a token, if the handler that asked it is in memory."""
        live = self._live.get(conversation)
        asked = [run.question.like for run in live.runs.values() if run.question] if live else []
        return next((like for like in asked if isinstance(like, FormLike) and like.token == token), None)

    async def close(self) -> None:
        """Forget everything; wait a moment for handlers to let go."""
        for conversation in list(self._live):
            self.drop(conversation)
        if self._ending:
            await asyncio.wait(self._ending, timeout=2.0)

    # --- what the engine asks for

    async def begin(
        self,
        work: Work,
        skill: str,
        handler: str,
        *,
        slots: dict[str, str] | None = None,
        choice: str = "",
        trigger: Message | None = None,
        rounds: int = 0,
    ) -> None:
        """Start a handler on top of whatever waits, and run it to its first stop."""
        # Ids and keys that leave the house are made of this one, so no other frame anywhere may have it.
        depth = f".{len(work.lane.frames)}" if work.lane.frames else ""
        frame = Frame(
            id=f"{work.conversation.id}-{work.claim.n}{depth}" + (f"~{rounds}" if rounds else ""),
            rounds=rounds,
            skill=skill,
            handler=handler,
            trigger=replace(trigger or work.message, raw=""),
            started_at=work.clock.now(),
            slots=slots or {},
            choice=choice,
            code=code_of(self._lookup(skill, handler)),
        )
        work.lane.frames.append(frame)
        work.lane.offer = None
        await self._after(work, frame, await self._start(work, frame))

    async def resume(self, work: Work) -> None:
        """Go on with the foreground frame that a crash cut off in the middle of this very turn."""
        frame = work.lane.frames[-1]
        await self._after(work, frame, await self._start(work, frame))

    async def question(self, work: Work) -> Question | None:
        """The open question, alive: replayed if it is not in memory. None when the replay went another way."""
        frame = work.lane.frames[-1]
        generation = frame.generation
        run = self._run(work, frame)
        if run is None or not run.waiting:
            stop = Broken(run.problem) if run and run.problem else await self._start(work, frame)
            await self._after(work, frame, stop, replayed=True)
            run = self._run(work, frame)
        return run.question if run and frame.generation == generation else None

    async def answer(self, work: Work, value: object = None, outcome: Outcome | None = None) -> None:
        """Give the open question its answer, and run on to the next stop."""
        frame = work.lane.frames[-1]
        run = self._run(work, frame)
        assert run is not None, "question() comes first"  # noqa: S101 - the engine's own mistake
        if frame.pending and frame.pending.deadline:
            work.unschedule(f"timeout:{frame.base}:{frame.pending.key}")
        frame.quiet = outcome == "cancel"
        work.lane.offer = None
        work.lane.misses = 0
        await self._after(work, frame, await self._limited(work, frame, run, run.answer(work, value, outcome or "")))

    async def back(self, work: Work) -> str:
        """Undo the last answer and ask that question again; "effect" or "first" when that can't be."""
        frame = work.lane.frames[-1]
        asks = [at for at, entry in enumerate(frame.journal) if entry.kind == "ask" and entry.detail != UNASKED]
        if not asks:
            return "first"
        if any(entry.effect for entry in frame.journal[asks[-1] :]):
            return "effect"
        self._cut(work, frame, asks[-1])
        await self._after(work, frame, await self._start(work, frame))
        return ""

    async def give_up(self, work: Work) -> None:
        """End all dialogs without a word: a person has taken over."""
        work.lane.frames.clear()
        work.lane.offer = None

    # --- inside

    def _run(self, work: Work, frame: Frame) -> Run | None:
        live = self._live.get(work.conversation.id)
        return live.runs.get(frame.id) if live else None

    async def _start(self, work: Work, frame: Frame) -> Stop:
        handler = self._lookup(frame.skill, frame.handler)
        if handler is None:
            return Broken(CodeChanged(f"{frame.skill}.{frame.handler} is gone"))
        run = Run(frame, handler)
        self._live[work.conversation.id].runs[frame.id] = run
        return await self._limited(work, frame, run, run.go(work, Turn(run, Scope(frame.id))))

    async def _limited(self, work: Work, frame: Frame, run: Run, going: Coroutine[Any, Any, Stop]) -> Stop:
        gate = self._gates.of(frame.skill)
        queued = gate.full
        try:
            await gate.enter(work.conversation.tenant)
            try:
                if queued and gate.resting and not frame.journal:
                    # Whoever queued for a skill that hangs must not wait for its time-out too, one after the other.
                    raise HandlerFailed(frame, "the skill's breaker opened while this waited", final=True)
                with self._alarms.within(gate.deadline):
                    return await going
            finally:
                gate.leave()
        except TimeoutError:
            self._end([run])
            gate.failed()
            raise HandlerFailed(frame, f"not done after {gate.deadline:g} s", final=True) from None
        finally:
            going.close()  # cut off in the queue, it was never awaited

    async def _after(self, work: Work, frame: Frame, stop: Stop, *, replayed: bool = False) -> None:
        match stop:
            case Asked(question=question):
                work.lane.misses = 0
                if replayed:  # what is on the table is in the lane, and may be more than the question's own choices
                    return
                work.lane.offer = Offer(buttons=question.buttons, frame=frame.id) if question.buttons else None
                if question.deadline:
                    self._set_alarm(work, frame, question)
            case Broken(error=None):
                raise Abandoned
            case Broken(error=CodeChanged() as error):
                await self._mend(work, frame, error)
            case Broken(error=error):
                raise HandlerFailed(frame, str(error), final=True)
            case Ended(error=None, again=again, declined=declined):
                self._gates.of(frame.skill).succeeded()
                self._finish(work, frame)
                work.declined = declined
                work.lane.misses = work.lane.misses if declined else 0
                if again:
                    await self._again(work, frame, again)
                    return
                if frame.quiet:
                    work.say(f"cancelled.{work.claim.n}", Reply(text=self._phrases.cancelled))
                self.pick_up(work)
            case Ended(error=AskTimeout()):
                self._finish(work, frame)
                self.pick_up(work)
            case Ended(error=NoAnswer() as none):
                self._unanswered(work, frame, none)
            case Ended(error=error):
                self._gates.of(frame.skill).failed()
                final = isinstance(error, FrontdeskError)
                kind = type(error).__name__
                raise HandlerFailed(frame, f"{kind}: {error}{_place(error)}", final=final, brief=kind) from error

    async def _again(self, work: Work, frame: Frame, again: Again) -> None:
        work.rounds += 1
        if work.rounds > MAX_ROUNDS:
            raise HandlerFailed(frame, f"it began again {MAX_ROUNDS} times without asking anything", final=True)
        await self.begin(
            work, frame.skill, frame.handler, slots=again.slots, trigger=frame.trigger, rounds=frame.rounds + 1
        )

    def _unanswered(self, work: Work, frame: Frame, none: NoAnswer) -> None:
        """No model could answer: the person hears so, and gets a human where the budget says that."""
        self._finish(work, frame)
        work.say(f"unanswered.{work.claim.n}", Reply(text=none.sentence))
        if none.person:
            work.hand_off("support", str(none), {})
        self.pick_up(work)

    def _finish(self, work: Work, frame: Frame) -> None:
        work.lane.frames.remove(frame)

    def pick_up(self, work: Work) -> None:
        """Ask the question below again, from what is stored of it: no code of the handler runs."""
        frame = work.lane.top
        if frame is None or frame.pending is None or work.handed_off:
            return
        pending = frame.pending
        text = f"{self._phrases.back_to}\n\n{pending.prompt.text}"
        key = f"{frame.base}:{pending.key}:again.{work.claim.n}"
        work.say(key, replace(pending.prompt, text=text, buttons=pending.buttons))
        work.lane.offer = Offer(buttons=pending.buttons, frame=frame.id) if pending.buttons else None

    async def _mend(self, work: Work, frame: Frame, error: DialogError) -> None:
        """The code changed: cut back to the last question if no effect lies behind, else give up on the frame."""
        handler = self._lookup(frame.skill, frame.handler)
        why = f"{error}{hint(frame, handler)}"
        log.warning("handler_changed", turn=work.trace.turn, handler=f"{frame.skill}.{frame.handler}", why=why)
        work.trace.notes.append(f"the code changed: {why}")
        run = self._run(work, frame)
        at = run.fitting if run else 0
        if handler is None or not frame.mendable(at):
            raise HandlerFailed(frame, str(error), final=True, changed=True)
        self._cut(work, frame, at)
        await self._after(work, frame, await self._start(work, frame))

    def _cut(self, work: Work, frame: Frame, at: int) -> None:
        del frame.journal[at:]
        frame.pending = None
        frame.said = 0
        frame.generation += 1
        live = self._live.get(work.conversation.id)
        run = live.runs.pop(frame.id, None) if live else None
        if run:
            self._end([run])

    def _set_alarm(self, work: Work, frame: Frame, question: Question) -> None:
        key = f"timeout:{frame.base}:{question.key}"
        work.schedule(key, question.deadline, Due(kind="timeout", key=key))

    def _end(self, runs: Iterable[Run]) -> None:
        for run in runs:
            run.kill()
            if run.task and not run.task.done():
                task = asyncio.create_task(self._let_go(run))
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    async def _let_go(self, run: Run) -> None:
        """Wait for a handler's end. One that will not end is kept: collected as garbage, it would wake up again."""
        if not await run.evict() and run.task:
            log.error("handler_stuck", handler=f"{run.frame.skill}.{run.frame.handler}")
            self._stuck.add(run.task)
            run.task.add_done_callback(self._stuck.discard)


def hint(frame: Frame, handler: Handler | None) -> str:
    """Where to look: in the handler itself, if it is not what it was when the frame began. Never proof."""
    return " (its source changed)" if handler and frame.code and frame.code != code_of(handler) else ""


def _loaded(claim: Claim) -> Lane:
    """The state in the store; one that this version of the code can't read (a rolled back deploy) is let go."""
    try:
        return load(claim.state)
    except msgspec.MsgspecError as problem:
        log.error("state_unreadable", conversation=claim.conversation.id, why=str(problem))
        return Lane()


def _place(error: BaseException | None) -> str:
    """Where an exception was raised, for whoever has to mend it."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    return f" (at {short(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
