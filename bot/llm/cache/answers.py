"""Answers that may be given again: to exactly the same question, or to one that means the same.

Only what an `Ask` allows is kept. Its tenant, its prompt's version and all that a model would see are part of the key;
of what is kept for a person, the person too. What many ask at the same moment is asked of a model once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec.structs import replace
from pydantic import Field

from bot.clock import Clock
from bot.errors import NoAnswer
from bot.llm.cache.flights import Flight
from bot.llm.cache.meanings import Embed, Meanings
from bot.llm.cache.shelf import Shelf
from bot.ports.llm import Answer, Ask, Chunk
from bot.settings.sections import Section

Likeness = Annotated[float, Field(ge=0.8, le=1.0)]


Produce = Callable[[Ask], AsyncGenerator[Chunk, None]]
"""Makes the answer to an Ask."""


class CacheSettings(Section):
    """How long answers are kept, in seconds; from which likeness on another question may have the same answer, by task.

    A task that is not named in `semantic` wants exactly the same words. 0.97 is a careful beginning.
    """

    ttl: Annotated[float, Field(gt=0)] = 3600.0
    semantic: dict[str, Likeness] = Field(default_factory=dict)


class AnswerCache:
    """The cache. Where the shelf is shared, so are its answers and what they mean; an answer in the making is not."""

    def __init__(self, shelf: Shelf, settings: CacheSettings, clock: Clock) -> None:
        self._shelf, self._settings, self._clock = shelf, settings, clock
        self._meanings = Meanings(shelf)
        self._flights: dict[tuple[str, bool], Flight] = {}

    def use(self, embed: Embed) -> None:
        """Compare meanings with these vectors; without any, only equal words count."""
        self._meanings.embed = embed

    async def through(self, ask: Ask, produce: Produce, *, stream: bool) -> AsyncGenerator[Chunk, None]:
        """The answer that is kept, or the one that `produce` makes: once for all who ask for it now.

        Nobody waits for somebody else's answer longer than for their own. Where the other one failed for want of money
        or time, which is nobody else's failure, it is made once more.
        """
        until = self._clock.steady() + ask.deadline
        found = await self.find(ask)
        if found is not None:
            yield Chunk(text=found.text, answer=found)
            return
        key = (_key(ask), stream)
        while True:
            flight = self._flights.get(key)
            mine = flight is None or flight.given_up or flight.until > until
            if flight is None or mine:
                flight = self._begun(key, ask, produce, until)
            try:
                async with aclosing(flight.listen()) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except NoAnswer as problem:
                if mine or not (problem.spent or flight.until < until):
                    raise

    async def find(self, ask: Ask) -> Answer | None:
        """What is kept for this question; it costs nothing. What another version of the bot kept may be unreadable."""
        data = await self._shelf.get(_key(ask))
        needed = self._settings.semantic.get(ask.task)
        if data is None and needed is not None:
            near = await self._meanings.nearest(_topic(ask), _question(ask), ask.payer, needed)
            data = await self._shelf.get(near) if near else None
        if data is None:
            return None
        try:
            answer = msgspec.json.decode(data, type=Answer)
        except msgspec.DecodeError:
            return None
        return replace(answer, rung="cache", cost=0, attempts=())

    async def keep(self, ask: Ask, answer: Answer) -> None:
        """Keep a whole answer of a model; nothing that was cut, refused, or wishes to call a tool."""
        if answer.finish != "stop" or answer.calls or answer.rung not in ("model", "cheaper"):
            return
        key, seconds = _key(ask), self._settings.ttl
        await self._shelf.put(key, msgspec.json.encode(answer), seconds)
        if ask.task in self._settings.semantic:
            await self._meanings.add(_topic(ask), _question(ask), ask.payer, key, seconds)

    def _begun(self, key: tuple[str, bool], ask: Ask, produce: Produce, until: float) -> Flight:
        made = produce(replace(ask, deadline=until - self._clock.steady()))
        flight = Flight(self._kept(ask, made), until, lambda landed: self._landed(key, landed))
        self._flights[key] = flight
        return flight

    def _landed(self, key: tuple[str, bool], flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _kept(self, ask: Ask, made: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """What is made, and kept when it is whole."""
        async with aclosing(made) as chunks:
            async for chunk in chunks:
                yield chunk
                if chunk.answer is not None:
                    await self.keep(ask, chunk.answer)


def _key(ask: Ask) -> str:
    payer = ask.payer
    whose = (payer.tenant, payer.person if ask.cache == "person" else "")
    seen = (ask.task, ask.prompt, ask.lines, ask.tools, ask.tool_choice, ask.schema, ask.params)
    wanted = (ask.needs, ask.quality, ask.language, ask.cache)
    return blake2b(msgspec.json.encode((whose, seen, wanted)), digest_size=20).hexdigest()


def _topic(ask: Ask) -> str:
    """What questions have in common that differ in the words of their last line only."""
    return _key(replace(ask, lines=(*ask.lines[:-1], *(replace(line, text="") for line in ask.lines[-1:]))))


def _question(ask: Ask) -> str:
    return ask.lines[-1].text if ask.lines else ""
