"""Answers that may be given again: to exactly the same question, or to one that means the same.

Only what an `Ask` allows is kept. Its tenant, its prompt's version and all that a model would see are part of the key;
of what is kept for a person, the person too. What many ask at the same moment is asked of a model once.
"""

from __future__ import annotations

import asyncio
import math
import operator
import re
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace
from pydantic import Field

from bot.errors import NoAnswer
from bot.llm.shelf import Shelf
from bot.messages import Value
from bot.ports.llm import Answer, Ask
from bot.settings.sections import Section

Embed = Callable[[str], Awaitable[Sequence[float]]]
"""A vector of unit length for a question."""

Likeness = Annotated[float, Field(ge=0.8, le=1.0)]

_TOPICS = 500
_PER_TOPIC = 200

# Words that turn a question round, and everything with a digit: two questions that differ in one are not the same.
_TELLING = re.compile(r"\b(?:not?|never|without|except|cannot|\w+n['’]t)\b|\S*\d\S*", re.IGNORECASE)


class CacheSettings(Section):
    """How long answers are kept, in seconds; from which likeness on another question may have the same answer, by task.

    A task that is not named in `semantic` wants exactly the same words. 0.97 is a careful beginning.
    """

    ttl: Annotated[float, Field(gt=0)] = 3600.0
    semantic: dict[str, Likeness] = Field(default_factory=dict)


class _Kept(Value, frozen=True):
    """A question whose answer lies on the shelf."""

    key: str
    vector: tuple[float, ...]
    telling: tuple[str, ...]


class AnswerCache:
    """The cache. Its index of meanings is this process's own; the answers may be shared by all."""

    def __init__(self, shelf: Shelf, settings: CacheSettings, embed: Embed | None = None) -> None:
        self._shelf, self._settings, self._embed = shelf, settings, embed
        self._topics: OrderedDict[str, deque[_Kept]] = OrderedDict()
        self._flights: dict[str, _Flight] = {}

    async def through(self, ask: Ask, produce: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer that is kept, or the one that `produce` makes: once for all who ask for it now."""
        if ask.cache == "never":
            return await produce()
        found = await self.find(ask)
        if found is not None:
            return found
        key = _key(ask)
        flight = self._flights.get(key)
        if flight is None or flight.over:
            flight = self._flights[key] = _Flight(self._make(ask, produce))
        try:
            return await flight.wait()
        finally:
            if flight.over and self._flights.get(key) is flight:
                del self._flights[key]

    async def find(self, ask: Ask) -> Answer | None:
        """What is kept for this question; it costs nothing."""
        if ask.cache == "never":
            return None
        data = await self._shelf.get(_key(ask))
        if data is None and (near := await self._nearest(ask)):
            data = await self._shelf.get(near)
        if data is None:
            return None
        answer = msgspec.json.decode(data, type=Answer)
        return replace(answer, rung="cache", cost=0, attempts=())

    async def keep(self, ask: Ask, answer: Answer) -> None:
        """Keep a whole answer of a model; nothing that was cut, refused, or wishes to call a tool."""
        if ask.cache == "never" or answer.finish != "stop" or answer.calls or answer.rung not in ("model", "cheaper"):
            return
        key = _key(ask)
        await self._shelf.put(key, msgspec.json.encode(answer), self._settings.ttl)
        if ask.task in self._settings.semantic and (vector := await self._meaning(ask)):
            self._topic(ask).append(_Kept(key=key, vector=vector, telling=_telling(ask)))

    async def _make(self, ask: Ask, produce: Callable[[], Awaitable[Answer]]) -> Answer:
        answer = await produce()
        await self.keep(ask, answer)
        return answer

    async def _nearest(self, ask: Ask) -> str:
        """The key of a kept question that means the same, if this task allows that."""
        needed = self._settings.semantic.get(ask.task)
        if needed is None:
            return ""
        telling = _telling(ask)
        rivals = [kept for kept in self._topic(ask) if kept.telling == telling]
        vector = await self._meaning(ask) if rivals else ()
        if not vector:
            return ""
        likeness, key = max((_likeness(kept.vector, vector), kept.key) for kept in rivals)
        return key if likeness >= needed else ""

    async def _meaning(self, ask: Ask) -> tuple[float, ...]:
        """The vector of the question, or nothing when none can be had."""
        if self._embed is None:
            return ()
        try:
            return tuple(await self._embed(_question(ask)))
        except NoAnswer:
            return ()

    def _topic(self, ask: Ask) -> deque[_Kept]:
        """The kept questions that differ from this one in their last line only."""
        name = _key(replace(ask, lines=ask.lines[:-1]))
        topic = self._topics.setdefault(name, deque(maxlen=_PER_TOPIC))
        self._topics.move_to_end(name)
        if len(self._topics) > _TOPICS:
            self._topics.popitem(last=False)
        return topic


class _Flight:
    """One answer that is being made, and how many wait for it: when nobody does, it is not made any more."""

    def __init__(self, making: Coroutine[Any, Any, Answer]) -> None:
        self._task = asyncio.create_task(making)
        self._waiting = 0
        self.over = False

    async def wait(self) -> Answer:
        """The answer, or the error that everybody gets."""
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            self.over = self._task.done() or not self._waiting
            if not self._waiting:
                self._task.cancel()


def _key(ask: Ask) -> str:
    payer = ask.payer
    whose = (payer.tenant, payer.person if ask.cache == "person" else "")
    seen = (ask.task, ask.prompt, ask.lines, ask.tools, ask.tool_choice, ask.schema, ask.params)
    wanted = (ask.needs, ask.quality, ask.language, ask.cache)
    return blake2b(msgspec.json.encode((whose, seen, wanted)), digest_size=20).hexdigest()


def _question(ask: Ask) -> str:
    return ask.lines[-1].text if ask.lines else ""


def _telling(ask: Ask) -> tuple[str, ...]:
    return tuple(sorted(word.strip(".,;:!?()").lower() for word in _TELLING.findall(_question(ask))))


def _likeness(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(map(operator.mul, one, other))
