"""A dry run of every dialog that waits, against the code that is here now: what a deploy would do to them.

Executes no step, says nothing and writes nothing: a handler is stopped where it would go beyond its journal. Knows
the store only to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, NoReturn

import msgspec

from bot.channel import Entry
from bot.clock import Clock
from bot.dialog.driver import Lookup, hint
from bot.dialog.host import Host
from bot.dialog.journal import Frame, Kind, Record, load
from bot.dialog.run import Run
from bot.dialog.scope import Scope
from bot.dialog.stops import Asked, Broken, Stop
from bot.errors import CodeChanged, DialogError, NoAnswer
from bot.llm.models import Models
from bot.messages import Due, Message, Value
from bot.people import Conversation
from bot.ports.llm import Answer
from bot.replies import Reply
from bot.skill import Handler
from bot.store.contract import Store
from bot.turn import Turn

PAGE = 200
"""So many conversations are read at once."""

PATIENCE = 5.0
"""Seconds in which a handler must come to where it waits."""

Fate = Literal[
    "goes back to the last point that fits and asks from there",
    "is handed to a person with an apology",
    "runs this step before its question",
    "is forgotten without a word",
]


class Finding(Value, frozen=True):
    """One dialog that would not go on where it is."""

    conversation: str
    handler: str
    why: str
    fate: Fate

    def __str__(self) -> str:
        """A line for the operator."""
        return f"{self.conversation}  {self.handler or '-'}  {self.why}; it {self.fate}"


class Rehearsed(Value, frozen=True):
    """How many dialogs were tried, and what was found."""

    count: int
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """The report: a count, and a line for each finding."""
        lost = len(self.findings)
        first = f"{self.count} waiting dialogs: {self.count - lost} go on where they are, {lost} would not."
        return "\n".join([first, *map(str, self.findings)])


async def rehearse(store: Store, lookup: Lookup, clock: Clock, models: Models) -> Rehearsed:
    """Replay every waiting dialog in the store against the handlers that `lookup` finds."""
    count = 0
    findings: list[Finding] = []
    async for conversation, state in _states(store):
        try:
            lane = load(state)
        except msgspec.MsgspecError as problem:
            count += 1
            why = f"its state can't be read: {problem}"
            findings.append(
                Finding(conversation=conversation.id, handler="", why=why, fate="is forgotten without a word")
            )
            continue
        for frame in lane.frames:
            count += 1
            host = _Onlooker(conversation, frame.trigger, clock, models)
            found = await _try(frame, lookup(frame.skill, frame.handler), host)
            findings += [found] if found else []
    return Rehearsed(count=count, findings=tuple(findings))


async def _states(store: Store) -> AsyncIterator[tuple[Conversation, bytes]]:
    """In pages, since a long read keeps the store's log from being reused."""
    page = await store.states(limit=PAGE)
    while page:
        for found in page:
            yield found
        page = await store.states(after=page[-1][0].id, limit=PAGE)


async def _try(frame: Frame, handler: Handler | None, host: Host) -> Finding | None:
    def finding(why: str, fate: Fate) -> Finding:
        name = f"{frame.skill}.{frame.handler}"
        why = f"{why}{hint(frame, handler)}"
        return Finding(conversation=host.conversation.id, handler=name, why=why, fate=fate)

    if handler is None:
        return finding("the handler is gone", "is handed to a person with an apology")
    raised: list[Exception] = []

    async def watched(turn: Turn) -> Any:
        try:
            return await handler(turn)
        except Exception as error:
            raised.append(error)
            raise

    run = _Rehearsal(frame, watched)
    try:
        stop = await _stop(run, host)
        fitting = run.fitting
    finally:
        await run.evict()
    match stop:
        case Asked():
            return None
        case Broken(error=_Beyond()) if frame.pending is None:
            return None  # a turn is at work on it, and has come so far
        case Broken(error=_Beyond() as error):
            return finding(str(error), "runs this step before its question")
        case Broken(error=CodeChanged() as error) if not raised:
            if frame.mendable(fitting):
                return finding(str(error), "goes back to the last point that fits and asks from there")
            return finding(str(error), "is handed to a person with an apology")
        case Broken(error=error):
            why = f"it raises {type(raised[0]).__name__}: {raised[0]}" if raised else str(error)
            return finding(why, "is handed to a person with an apology")
        case _:  # a turn at work on it, whose handler has nothing more to do
            return None


async def _stop(run: Run, host: Host) -> Stop:
    try:
        async with asyncio.timeout(PATIENCE):
            return await run.go(host, Turn(run, Scope(run.frame.id)))
    except TimeoutError:
        return Broken(DialogError(f"it does not come to its question within {PATIENCE:g} s"))


class _Beyond(DialogError):
    """The replay has come to what was never done: nothing of it is done here."""


class _Rehearsal(Run):
    """A run that goes as far as its journal, and to the open question."""

    def claim(self, kind: Kind, key: str, name: str) -> Record | None:
        """The recorded entry; a step or mark that is not there stops the run, before it is run."""
        entry = super().claim(kind, key, name)
        if entry is None and (kind != "ask" or self.frame.pending is None):
            self.fault(_Beyond(f"{kind} {name} at {key} is new"))
        return entry

    def emits(self) -> str | None:
        """Nothing: what was said was said, and what would be said is not."""
        key = super().emits()
        if key is not None:
            self.fault(_Beyond(f"something new is said after {len(self.frame.journal)} entries"))
        return None


class _Onlooker(Host):
    """A turn in which nothing can be done. `_Rehearsal` lets no call come so far; should one, it fails."""

    def __init__(self, conversation: Conversation, message: Message, clock: Clock, models: Models) -> None:
        self.conversation, self.message, self.clock, self.models = conversation, message, clock, models

    def say(self, key: str, reply: Reply) -> None:
        """Refuse."""
        self._refuse()

    def remember(self, key: str, value: bytes | None) -> None:
        """Refuse."""
        self._refuse()

    def schedule(self, key: str, at: float, due: Due) -> None:
        """Refuse."""
        self._refuse()

    def hand_off(self, queue: str, reason: str, facts: Mapping[str, str]) -> None:
        """Refuse."""
        self._refuse()

    def holds_words(self) -> bool:
        """Never."""
        return False

    async def flush(self) -> None:
        """Refuse."""
        self._refuse()

    async def recall(self, key: str) -> bytes | None:
        """Refuse."""
        self._refuse()

    async def recall_all(self, beginning: str) -> dict[str, bytes]:
        """Refuse."""
        self._refuse()

    async def history(self, limit: int) -> list[Entry]:
        """Refuse."""
        self._refuse()

    async def draft(self, key: str, text: str) -> None:
        """Refuse."""
        self._refuse()

    async def read(self, url: str, largest: int) -> bytes:
        """Refuse."""
        self._refuse()

    def inquired(self, task: str, answer: Answer | NoAnswer) -> None:
        """Refuse."""
        self._refuse()

    def stepped(self, name: str, milliseconds: float, problem: str) -> None:
        """Refuse."""
        self._refuse()

    def noted(self, note: str) -> None:
        """Nobody reads this trace."""

    def _refuse(self) -> NoReturn:
        raise _Beyond("nothing is done in a rehearsal")
