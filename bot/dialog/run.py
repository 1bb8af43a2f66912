"""One handler at work: its task, and the journal that it claims from while replaying and adds to while live.

A run knows nothing of lanes and stores. It stops at three places only: at a question (`Asked`), at its end
(`Ended`), or broken (`Broken`). The driver looks at what the run recorded, never at which exception came out,
so that handlers which swallow exceptions change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import msgspec
import structlog

from bot.dialog.codec import codec_for, freeze
from bot.dialog.host import Host
from bot.dialog.journal import Frame, Kind, Outcome, Pending, Record
from bot.dialog.scope import Scope, branch_of, place_of, side_by_side
from bot.dialog.stops import Again, Asked, Broken, Declined, Ended, Question, Stop
from bot.errors import AskTimeout, Cancelled, CodeChanged, DialogError, Evicted, Misuse, StoreError
from bot.replies import Button, Reply

if TYPE_CHECKING:
    from bot.turn import Turn

log = structlog.get_logger()

DEAD_CALLS = 3
"""So many calls of a run that is over fail; the next one never returns."""

MAX_EMISSIONS = 100
"""So many things may be said, remembered or scheduled between two questions; a loop without an end says more."""

MAX_INSISTING = 10
"""So many questions may be asked after "cancel", each of which raises Cancelled at once."""

step_key: ContextVar[str] = ContextVar("step_key", default="")
"""The idempotency key of the step that is running: the same one whenever this step is run again."""


class Run:
    """A frame's handler, running or waiting."""

    def __init__(self, frame: Frame, handler: Callable[[Turn], Awaitable[Any]]) -> None:
        self.frame = frame
        self.host: Host = _NOBODY
        self.question: Question | None = None
        self.cancelled = False
        self.in_flight: list[str] = []
        self._handler = handler
        self._recorded = {entry.key: entry for entry in frame.journal}
        self._unclaimed = dict.fromkeys(self._recorded)
        self._skip = frame.said
        self._past_prompt = frame.pending is None
        self._last = frame.started_at
        self._times: dict[str, float] = {}
        self._changes: dict[str, bool] = {}
        self._fault: DialogError | None = None
        self._dead = False
        self._dead_calls = 0
        self._emissions = 0
        self._insisted = 0
        self._task: asyncio.Task[Any] | None = None
        self._answer: asyncio.Future[Record] | None = None
        self._stopped: asyncio.Future[Stop] | None = None

    # --- the driver's side

    async def go(self, host: Host, turn: Turn) -> Stop:
        """Start the handler and run it to its next stop."""
        self.host = host
        self._stopped = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._work(turn), name=f"{self.frame.skill}.{self.frame.handler}")
        turn.scope.task = self._task
        return await self._stopped

    async def answer(self, host: Host, value: object = None, outcome: Outcome | Literal[""] = "") -> Stop:
        """Answer the open question and run to the next stop."""
        question, answer = self.question, self._answer
        assert question is not None, "nobody asked"  # noqa: S101 - the driver's own mistake
        assert answer is not None, "nobody waits"  # noqa: S101
        kind = question.like.kind if question.like and not isinstance(value, Button) else str
        given = value.value if isinstance(value, Button) else value
        name = self.frame.pending.name if self.frame.pending else ""
        detail = "choice" if isinstance(value, Button) else ""
        self.host = host
        self.question = self._answer = None
        self._emissions = 0
        self._stopped = asyncio.get_running_loop().create_future()
        try:
            data = b"null" if outcome else freeze(f"the answer to {question.key}", kind, given)[0]
            entry = self._add("ask", question.key, name, msgspec.Raw(data), outcome=outcome, detail=detail)
        except Misuse as misuse:
            self._fault = misuse  # the driver's own call: an Evicted here would end the lane, not the handler
            return Broken(misuse)
        self.frame.pending = None
        answer.set_result(entry)
        return await self._stopped

    def kill(self) -> None:
        """From now on nothing that the handler does counts; its `finally` blocks pass through dead calls."""
        self._dead = True
        if self._task and not self._task.done():
            self._task.cancel()
        self.stop(Broken(self._fault))

    async def evict(self) -> bool:
        """Take the run out of memory; whether the handler let go of it."""
        self.kill()
        if self._task and not self._task.done():
            await asyncio.wait({self._task}, timeout=1.0)
        return self._task is None or self._task.done()

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The handler's task."""
        return self._task

    @property
    def waiting(self) -> bool:
        """Whether an answer would reach the handler."""
        return self._answer is not None and not self._answer.done() and not self._dead

    @property
    def problem(self) -> DialogError | None:
        """What broke the run, also while nobody was looking."""
        return self._fault

    @property
    def fitting(self) -> int:
        """How many entries of the journal the handler's code has come by: what is behind does not fit."""
        for at, entry in enumerate(self.frame.journal):
            if entry.key in self._unclaimed:
                return at
        return len(self.frame.journal)

    # --- the turn's side

    @property
    def replaying(self) -> bool:
        """Whether what the handler does now was done and committed before."""
        return bool(self._unclaimed) or not self._past_prompt

    @property
    def over(self) -> bool:
        """Whether nothing that the handler does counts any more."""
        return self._dead or self._fault is not None

    def branch(self, prefix: str) -> Scope:
        """The scope of a branch that begins now."""
        return Scope(self.frame.id, prefix, since=self._last)

    def now(self, scope: Scope) -> float:
        """The time of the scope's last entry: the same on every replay."""
        return max(scope.since, self._times.get(scope.prefix, 0.0)) if scope.prefix else self._last

    async def enter(self, scope: Scope) -> None:
        """What every call of a turn begins with: it must come from the handler, and the run must not be over."""
        if self.over:
            await self.dead_end()
        self.check(scope)

    def check(self, scope: Scope) -> None:
        """Refuse calls from other tasks."""
        if asyncio.current_task() is not scope.task:
            self.fault(Misuse("turn.* was called from another task; use turn.gather for work side by side"))

    async def flush(self) -> None:
        """Commit what there is. A commit that fails ends the run: memory is ahead of the store."""
        try:
            await self.host.flush()
        except Exception as problem:
            if not isinstance(problem, StoreError):
                log.exception("commit_broke", handler=f"{self.frame.skill}.{self.frame.handler}")
            self._dead = True
            self.stop(Broken(None))
            raise Evicted("the commit failed") from problem

    async def dead_end(self) -> None:
        """What every call comes to once the run is over.

        A handler that swallows everything in a loop is stopped in its tracks: dead calls would spin the event loop.
        """
        self._dead_calls += 1
        if self._dead_calls > DEAD_CALLS:
            await asyncio.get_running_loop().create_future()
        raise Evicted("this run is over")

    def fault(self, error: DialogError) -> None:
        """Break the run for good."""
        self._fault = self._fault or error
        self.stop(Broken(self._fault))
        raise Evicted(str(error)) from error

    def claim(self, kind: Kind, key: str, name: str) -> Record | None:
        """The recorded entry at a key, or None where the handler goes beyond its journal."""
        entry = self._recorded.get(key)
        if entry is None:
            for other in self._unclaimed:
                if key not in self._recorded[other].open and not side_by_side(key, other):
                    self.fault(CodeChanged(f"{kind} {name} at {key} is new, before {self._recorded[other].name}"))
            pending = self.frame.pending
            if kind != "ask" and pending and not self._past_prompt and place_of(key) >= place_of(pending.key):
                self.fault(CodeChanged(f"{kind} {name} at {key} is new, where {pending.name} was asked"))
            return None
        if (entry.kind, entry.name) != (kind, name):
            self.fault(CodeChanged(f"at {key} was {entry.kind} {entry.name}, now it is {kind} {name}"))
        self._unclaimed.pop(key, None)
        self._passed(entry)
        return entry

    def changed(self, name: str) -> bool:
        """Whether this dialog began after a change was made to the code."""
        key = f"changed {name}"
        if name not in self._changes:
            self._changes[name] = key in self._recorded or not self.replaying
            if key in self._recorded:
                self._unclaimed.pop(key, None)
            elif self._changes[name]:
                self.record("mark", key, name)
        return self._changes[name]

    def record(
        self,
        kind: Kind,
        key: str,
        name: str,
        value: msgspec.Raw = msgspec.Raw(b"null"),  # noqa: B008 - an immutable value
        *,
        outcome: Outcome | Literal[""] = "",
        detail: str = "",
        arguments: str = "",
        effect: bool = False,
    ) -> Record:
        """Add an entry; it is durable with the next commit."""
        try:
            return self._add(kind, key, name, value, outcome=outcome, detail=detail, arguments=arguments, effect=effect)
        except Misuse as problem:
            self.fault(problem)
            raise

    def _add(
        self,
        kind: Kind,
        key: str,
        name: str,
        value: msgspec.Raw,
        *,
        outcome: Outcome | Literal[""],
        detail: str,
        arguments: str = "",
        effect: bool = False,
    ) -> Record:
        entry = Record(
            key=key,
            kind=kind,
            name=name,
            at=max(self._last, self.host.clock.now()),
            value=value,
            outcome=outcome,
            detail=detail,
            arguments=arguments,
            effect=effect,
            open=tuple(other for other in self.in_flight if other != key),
        )
        self.frame.record(entry)
        self._skip = 0
        self._passed(entry)
        return entry

    def _passed(self, entry: Record) -> None:
        self._last = max(self._last, entry.at)
        branch = branch_of(entry.key)
        if branch:
            self._times[branch] = max(self._times.get(branch, 0.0), entry.at)

    def emits(self) -> str | None:
        """The key of the next emission (a reply, a fact, a timer), or None when it was committed before."""
        if self.replaying:
            return None
        if self._skip:
            self._skip -= 1
            return None
        self._emissions += 1
        if self._emissions > MAX_EMISSIONS:
            self.fault(
                Misuse(
                    f"{self.frame.skill}.{self.frame.handler} said, remembered or scheduled more than {MAX_EMISSIONS} "
                    "things without asking anything; is a loop without an end? Say less, or in fewer replies"
                )
            )
        key = f"{self.frame.base}:{len(self.frame.journal)}.{self.frame.said}"
        self.frame.said += 1
        return key

    def insist(self) -> NoReturn:
        """A question after "cancel": it is cancelled too. A loop around it would never end, so that is a fault."""
        self._insisted += 1
        if self._insisted > MAX_INSISTING:
            self.fault(Misuse('it goes on asking after "cancel"; let Cancelled end the handler'))
        raise Cancelled

    async def ask(self, question: Question, pending: Pending) -> Record:
        """Wait for an answer, for minutes or weeks."""
        self._past_prompt = True
        if self._unclaimed:
            self.fault(CodeChanged(f"ask {pending.name} at {pending.key} is new"))
        if self.frame.pending is None:
            self.host.say(f"{self.frame.base}:{pending.key}", _shown(question))  # what fails here was not asked
            self.frame.pending = pending
        elif (self.frame.pending.key, self.frame.pending.name) != (pending.key, pending.name):
            was = self.frame.pending
            self.fault(CodeChanged(f"at {was.key} was asked {was.name}, now {pending.name} at {pending.key}"))
        self.question = question
        self._answer = asyncio.get_running_loop().create_future()
        self.stop(Asked(question))
        try:
            return await self._answer
        except asyncio.CancelledError:
            if not self._dead:
                self.fault(Misuse("an ask was cancelled from outside (asyncio.timeout?); use ask(timeout=)"))
            raise

    def settle(self, entry: Record, kind: Any) -> Any:
        """What an ask returns or raises for an entry."""
        match entry.outcome:
            case "cancel":
                self.cancelled = True
                raise Cancelled
            case "timeout":
                raise AskTimeout(entry.name)
            case "typed":
                return None
            case _:
                return codec_for(str if entry.detail == "choice" else kind).decode(bytes(entry.value))

    def stop(self, stop: Stop) -> None:
        """Tell the driver, once per stretch."""
        if self._stopped and not self._stopped.done():
            self._stopped.set_result(stop)

    async def _work(self, turn: Turn) -> None:
        result: object = None
        error: BaseException | None = None
        try:
            result = await self._handler(turn)
        except asyncio.CancelledError as raised:
            error = None if self.cancelled and not self._dead else raised
        except BaseException as raised:
            error = raised
        if not self._dead and not self._fault and self._unclaimed:
            self._fault = CodeChanged(f"the handler ended before {next(iter(self._unclaimed))}")
        if not self._dead and not self._fault and self.frame.pending and not self._past_prompt:
            self._fault = CodeChanged(f"the handler ended before it asked {self.frame.pending.name}")
        if self._fault or self._dead:
            self.stop(Broken(self._fault))
        else:
            again = result if isinstance(result, Again) else None
            self.stop(Ended(again=again, declined=isinstance(result, Declined), error=error))


def _shown(question: Question) -> Reply:
    return msgspec.structs.replace(question.prompt, buttons=question.buttons)


class _Nobody:
    """The host of a run that has not started; using it is the engine's mistake."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"a run without a turn was asked for {name}")


_NOBODY: Any = _Nobody()
