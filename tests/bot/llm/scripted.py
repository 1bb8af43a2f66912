"""Providers that say what a script tells them to, by a virtual clock; and books that are held to their word."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml

from bot.clock import Clock
from bot.errors import ModelBusy, StoreUnavailable
from bot.llm.cache import AnswerCache, CacheSettings, LocalShelf
from bot.llm.routing.catalogue import Catalogue
from bot.llm.routing.reading import read_catalogue
from bot.llm.routing.router import Router
from bot.llm.spending.books import Books, Reservation, Spent, UsageEntry
from bot.llm.spending.budgets import Account
from bot.ports.llm import Ask, Payer
from bot.ports.models import Endpoint, Finished, Inquiry, Line, Piece, Provider, Providers, Usage, Words
from bot.testing.clock import VirtualClock

T = TypeVar("T")

Step = Piece | Exception | float
"""Something to say, to fail with, or to wait for (seconds)."""

DONE = Finished(reason="stop", usage=Usage(prompt=100, completion=10))


def says(text: str, *, after: float = 0.0, gap: float = 0.0) -> list[Step]:
    """The steps of an answer, word by word."""
    words: list[Step] = []
    for number, word in enumerate(text.split(" ")):
        words += [gap, Words(text=word if not number else f" {word}")]
    return [after, *words, DONE]


@dataclass
class Scripted(Provider):
    """Answers each inquiry with the next script of its model, then with the last one for ever."""

    name: str
    clock: Clock
    scripts: dict[str, list[list[Step]]] = field(default_factory=dict)
    inquiries: list[Inquiry] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    cut_off: int = 0
    closed: bool = False

    async def inquire(self, inquiry: Inquiry) -> AsyncGenerator[Piece, None]:
        self.inquiries.append(inquiry)
        left = self.scripts.get(inquiry.model) or [says("Hello from " + inquiry.model)]
        script = left.pop(0) if len(left) > 1 else left[0]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        ended = False
        try:
            for step in script:
                if isinstance(step, Exception):
                    ended = True
                    raise step
                if isinstance(step, float):
                    if step:
                        await self.clock.sleep(step)
                else:
                    ended = isinstance(step, Finished)
                    yield step
        finally:
            self.at_once -= 1
            self.cut_off += not ended

    async def embed(self, model: str, texts: Sequence[str]) -> tuple[list[list[float]], Usage]:
        script = self.scripts.get(model, [[]])[0]
        for step in script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, float):
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    await self.clock.sleep(step)
                finally:
                    self.at_once -= 1
        return [[3.0, 4.0] for _ in texts], Usage(prompt=len(texts))

    async def close(self) -> None:
        self.closed = True


class ScriptedProviders(Providers):
    """Opens the scripted ones by name."""

    def __init__(self, clock: Clock, *names: str) -> None:
        self.by_name = {name: Scripted(name, clock) for name in names}

    def open(self, endpoint: Endpoint) -> Provider:
        return self.by_name[endpoint.name]


class TestBooks(Books):
    """Keeps everything, and refuses what goes over `budget`. Reserving and settling must match.

    Of the next calls of `settle`, `away` find no database.
    """

    __test__ = False

    def __init__(self, budget: int | None = None, levels: Sequence[tuple[int, str]] = ()) -> None:
        self.budget, self.levels = budget, levels
        self.entries: list[UsageEntry] = []
        self.open: dict[str, int] = {}
        self.held: list[int] = []
        self.broken = False
        self.away = 0
        self.spent = 0
        self._numbers = itertools.count(1)

    async def reserve(self, payer: Payer, most: int) -> Reservation:
        if self.broken:
            raise OSError("the database is gone")
        await asyncio.sleep(0)
        taken = self.spent + sum(self.open.values())
        if self.budget is not None and taken + most > self.budget:
            raise Spent(Account(scope="total", name=""), "person")
        id = str(next(self._numbers))
        self.open[id] = most
        self.held.append(most)
        level = next((name for limit, name in reversed(self.levels) if taken >= limit), "free")
        await asyncio.sleep(0)
        return Reservation(id=id, level=level)  # type: ignore[arg-type]  # the tests name levels

    async def settle(self, reservation: Reservation, entry: UsageEntry) -> None:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise StoreUnavailable("the database is away")
        most = self.open.pop(reservation.id)
        assert entry.cost <= most or entry.usage == DONE.usage, (entry, most)
        self.entries.append(entry)
        self.spent += entry.cost


CATALOGUE = """
providers:
  one:
    openai_setting: {base_url: "http://one.example/v1"}
    generation_params: {model: big, max_tokens: 100, temperature: 0.3}
    concurrency: 2
    models:
      big: {context: 8000, abilities: [tools, json], quality: 0.8, price: {input: 1.0, output: 4.0}}
      vector: {abilities: [embed], price: {input: 0.1}}
  two:
    openai_setting: {base_url: "http://two.example/v1"}
    generation_params: {model: small, max_tokens: 100}
    models:
      small: {context: 2000, abilities: [tools], quality: 0.5, price: {input: 0.2, output: 0.8}}
      huge:
        {context: 100000, abilities: [vision, hearing], quality: 0.6, price: {input: 3, output: 9}, languages: [en, de]}
      vector: {abilities: [embed]}
routes:
  answer: [one/big, two/small]
  long: [one/big, two/small, two/huge]
  careful: {steps: [one/big, two/small], refused: next}
  alone: [one]
  embed: [one/vector, two/vector]
hedging: {share: 0.1, after: 2.0}
"""


def catalogue(text: str = CATALOGUE) -> Catalogue:
    return Catalogue.model_validate(yaml.safe_load(text))


@dataclass
class House:
    """A router with two scripted providers."""

    books: TestBooks = field(default_factory=TestBooks)
    text: str = CATALOGUE
    kept: bool = False

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.providers = ScriptedProviders(self.clock, "one", "two")
        self.one, self.two = self.providers.by_name["one"], self.providers.by_name["two"]
        cache = AnswerCache(LocalShelf(self.clock), CacheSettings(), self.clock) if self.kept else None
        self.router = Router(catalogue(self.text), lambda: self.providers, self.clock, books=self.books, cache=cache)

    def plan(self, model: str, *scripts: list[Step]) -> None:
        """Let a model answer like this, one after the other; the last one from then on."""
        for provider in (self.one, self.two):
            provider.scripts[model] = [list(script) for script in scripts]

    async def run(self, work: Awaitable[T]) -> T:
        """Await it, letting time pass whenever nothing else can happen."""

        async def and_settle() -> T:
            try:
                return await work
            finally:
                await self.router.settled()

        task = asyncio.ensure_future(and_settle())
        while not task.done():
            await still()
            at = self.clock.next_waking
            if not task.done():
                assert at is not None, "it hangs, and no clock will help"
                self.clock.move(at)
        return task.result()

    async def seen(self, ask: Ask, on_chunk: Callable[[str], None] = lambda _: None) -> str:
        """What a person sees in the end of a stream."""
        return await self.run(self.shown(ask, on_chunk))

    async def shown(self, ask: Ask, on_chunk: Callable[[str], None] = lambda _: None) -> str:
        """The same, for whoever lets the time pass."""
        text = ""
        async for chunk in self.router.stream(ask):
            text = chunk.text if chunk.anew else text + chunk.text
            on_chunk(text)
        return text


async def still(rounds: int = 150) -> None:
    """Let everything go on that can without time passing."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def ask(task: str = "answer", text: str = "Hi", deadline: float = 30.0, **more: object) -> Ask:
    return Ask(task=task, lines=(Line(role="user", text=text),), deadline=deadline, **more)  # type: ignore[arg-type]


def busy(seconds: float | None = None) -> list[Step]:
    return [ModelBusy("429", retry_after=seconds)]


def written(folder: Path, text: str, environ: dict[str, str]) -> tuple[Catalogue, list[str]]:
    """The catalogue of a file with this text, and what is wrong with it."""
    file = folder / "providers.yaml"
    file.write_text(text, encoding="utf-8")
    problems: list[str] = []
    return read_catalogue(file, environ, problems), problems
