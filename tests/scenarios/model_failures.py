"""Each way in which a model can fail, and what the person gets: played over real sockets, with OpenAI's real client.

`python -m tests.scenarios.model_failures` prints the table of docs/models.md from what happened.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from adapters.llm.openai import OpenAIProviders
from bot.clock import SystemClock
from bot.errors import NoAnswer
from bot.llm.routing.catalogue import Catalogue
from bot.llm.routing.router import Router
from bot.phrases import Phrases
from bot.ports.llm import Answer, Ask
from bot.ports.models import Line, Schema, ToolSpec
from tests.bot.llm.scripted import TestBooks
from tests.platforms.openai import LocalOpenAI, Say

TEXT = "The parcel left our house on Monday and is with the carrier now. It will reach you on Thursday."
CALL = '{"name": "track", "arguments": {"number": "1000123"}}'
PHRASES = Phrases()
DEADLINE = 7.0
SLACK = 2.0
"""Seconds that a busy machine may take for what is done after the deadline."""

TRACK = ToolSpec(name="track", description="Where a parcel is.", parameters={"type": "object", "properties": {}})

Gets = Literal["the answer", "the call", "refused", "away", "slow", "nothing"]


@dataclass(frozen=True)
class Case:
    """`one` is how the first provider answers, time after time; the second one is well unless `two` says otherwise."""

    name: str
    one: tuple[Say, ...]
    gets: Gets = "the answer"
    by: Literal["one", "two", ""] = "two"
    two: Say | None = None
    stream: bool = True
    tools: tuple[ToolSpec, ...] = ()
    schema: Schema | None = None
    down: bool = False
    leaves: bool = False


def cut(fault: Any) -> tuple[Say, ...]:
    return (Say(text=TEXT, fault=fault, cut=14),)


CASES = (
    Case("an answer in one piece", (Say(text=TEXT),), by="one", stream=False),
    Case("a stream", (Say(text=TEXT),), by="one"),
    Case("a stream without usage", (Say(text=TEXT, usage=False),), by="one"),
    Case(
        "a tool call", (Say(text="", calls=(("track", '{"number": "1000123"}'),)),), "the call", "one", tools=(TRACK,)
    ),
    Case("a tool call in the text", (Say(text=f"```json\n{CALL}\n```"),), "the call", "one", tools=(TRACK,)),
    Case("429 with Retry-After", (Say(fault="429", retry_after="30"),)),
    Case("429, no credit left", (Say(fault="quota"),)),
    Case("500", (Say(fault="500"),)),
    Case("401, the key is wrong", (Say(fault="401"),)),
    Case("400", (Say(fault="bad request"),)),
    Case("404, no such model", (Say(fault="404"),)),
    Case("a web page instead of JSON", (Say(fault="html"),)),
    Case("nobody listens", (), down=True),
    Case("hangs up before the first word", (Say(fault="reset before"),)),
    Case("slow first word", (Say(text=TEXT, first=30.0),)),
    Case("slow stream", (Say(text=TEXT, gap=0.1),), by="one"),
    Case("falls silent in the middle", cut("stall")),
    Case("truncated stream", cut("truncated")),
    Case("connection lost in the middle", cut("reset")),
    Case("malformed chunk", cut("malformed")),
    Case("chunk of a wrong shape", cut("wrong shape")),
    Case("an error in the stream", cut("error event")),
    Case("does not hang up at the end", (Say(text=TEXT, fault="no hang up", cut=99),), by="one"),
    Case("says nothing", (Say(text=""),)),
    Case("a filter refuses the question", (Say(fault="filter"),), "refused", ""),
    Case("a filter stops the answer", (Say(text=TEXT, fault="filter in the end", cut=99),), "refused", ""),
    Case("an injection is obeyed: it calls what was not offered", (Say(text=f"```json\n{CALL}\n```"),), by="one"),
    Case("all are down", (Say(fault="500"),), "away", "", two=Say(fault="429", retry_after="60")),
    Case("all are slow", (Say(text=TEXT, first=30.0),), "slow", "", two=Say(text=TEXT, first=30.0)),
    Case("all break off", cut("truncated"), "away", "", two=Say(text=TEXT, fault="truncated", cut=2)),
    Case("the person leaves", (Say(text=TEXT, gap=0.2),), "nothing", "", leaves=True),
)


@dataclass
class Outcome:
    """What came of a case."""

    shown: str = ""
    answer: Answer | None = None
    sentence: str = ""
    seconds: float = 0.0
    books: TestBooks = field(default_factory=TestBooks)

    def problems(self, case: Case, servers: Mapping[str, LocalOpenAI]) -> list[str]:
        """What is not as it should be."""
        wrong = []
        got = self._got(case)
        if got != case.gets:
            wrong.append(f"the person got {got}: {self.shown or self.sentence!r}")
        if self.answer is not None and self.answer.provider != case.by:
            wrong.append(f"{self.answer.provider} answered")
        if self.seconds > DEADLINE + SLACK:
            wrong.append(f"it took {self.seconds:.1f} s")
        return wrong + self._in_the_books(servers)

    def _got(self, case: Case) -> str:
        if case.leaves:
            return "nothing" if self.answer is None and not self.sentence else "something"
        if self.answer is None:
            known = {PHRASES.model_refused: "refused", PHRASES.model_away: "away", PHRASES.model_slow: "slow"}
            return known.get(self.sentence, "nothing") if not self.shown else "half an answer"
        if self.answer.calls:
            calls = [(call.name, call.arguments) for call in self.answer.calls]
            return "the call" if not self.shown and calls == [("track", '{"number": "1000123"}')] else "another call"
        whole = (TEXT, f"```json\n{CALL}\n```")
        return "the answer" if self.shown == self.answer.text and self.shown in whole else "another answer"

    def _in_the_books(self, servers: Mapping[str, LocalOpenAI]) -> list[str]:
        """Against the bills of those servers that keep one."""
        entries = [entry for entry in self.books.entries if entry.provider in servers]
        wrong = [f"{len(self.books.open)} attempts were never settled"] if self.books.open else []
        if self.answer is not None and self.answer.cost != self.books.spent:
            wrong.append(f"the answer says {self.answer.cost}, the books {self.books.spent}")
        said = sorted((b.prompt, b.completion) for server in servers.values() for b in server.bill if b.told)
        ours = sorted((e.usage.prompt, e.usage.completion) for e in entries if not e.usage.estimated)
        if said != [pair for pair in ours if pair != (0, 0)]:
            wrong.append(f"providers charge {said}, we wrote down {ours}")
        billed = sum(len(server.bill) for server in servers.values())
        if billed > len([entry for entry in entries if entry.usage.prompt]):
            wrong.append("a request that was charged is not in the books")
        return wrong


def catalogue(one: str, two: str, key: str) -> Catalogue:
    part = {
        "generation_params": {"model": "m", "max_tokens": 200},
        "models": {
            "m": {
                "abilities": ["tools", "json"],
                "patience": 2.0,
                "silence": 2.0,
                "price": {"input": 0.4, "output": 1.6},
            }
        },
    }
    given = {
        "providers": {
            "one": {"openai_setting": {"base_url": one, "api_key": key}, **part},
            "two": {"openai_setting": {"base_url": two, "api_key": key}, **part},
        },
        "routes": {"answer": ["one", "two"]},
    }
    return Catalogue.model_validate(yaml.safe_load(yaml.safe_dump(given)))


def goes_on(body: dict[str, Any]) -> Say:
    """A model that is well: it tells the whole text, or goes on from where it is told to."""
    last = [message for message in body["messages"] if message["role"] == "assistant"]
    begun = last[-1]["content"] if last else ""
    return Say(text=TEXT[len(begun) :].strip() if TEXT.startswith(begun) else TEXT)


async def play(case: Case, *, url: str = "") -> tuple[Outcome, list[str]]:
    """Let it happen; what came of it, and what was wrong. With `url` the first provider is somebody else's program."""
    one, two = LocalOpenAI(), LocalOpenAI()
    left = deque(case.one)
    one.plan = lambda _: left.popleft() if len(left) > 1 else left[0]
    two.plan = (lambda _: case.two) if case.two is not None else goes_on  # type: ignore[assignment,return-value]
    async with AsyncExitStack() as stack:
        if not case.down and not url:
            await stack.enter_async_context(one)
        await stack.enter_async_context(two)
        outcome = Outcome()
        providers = OpenAIProviders()
        router = Router(
            catalogue(url or one.url, two.url, one.key), lambda: providers, SystemClock(), books=outcome.books
        )
        router.open()
        began = time.monotonic()
        try:
            await _listen(case, router, outcome)
        except NoAnswer as problem:
            outcome.sentence = problem.sentence
        outcome.seconds = time.monotonic() - began
        await router.close()
    wrong = outcome.problems(case, {"two": two} if url else {"one": one, "two": two})
    return outcome, wrong + one.problems + two.problems


async def _listen(case: Case, router: Router, outcome: Outcome) -> None:
    ask = Ask(
        task="answer",
        lines=(Line(role="user", text="Where is my parcel?"),),
        tools=case.tools,
        schema=case.schema,
        deadline=DEADLINE,
    )
    if not case.stream:
        outcome.answer = await router.complete(ask)
        outcome.shown = outcome.answer.text
        return
    chunks = router.stream(ask)
    async for chunk in chunks:
        outcome.shown = chunk.text if chunk.anew else outcome.shown + chunk.text
        outcome.answer = chunk.answer or outcome.answer
        if case.leaves and outcome.shown:
            outcome.shown = ""
            await chunks.aclose()
            return


HEAD = """\
| what the first provider does | the person gets | from | attempts | in the books |
|---|---|---|---|---|
"""

SAYS: dict[Gets, str] = {
    "the answer": "one complete answer",
    "the call": "the tool is called",
    "refused": f"“{PHRASES.model_refused}”",
    "away": f"“{PHRASES.model_away}”",
    "slow": f"“{PHRASES.model_slow}”",
    "nothing": "(they have left)",
}


def row(case: Case, outcome: Outcome) -> str:
    """A line of the table."""
    entries = outcome.books.entries
    who = {"one": "the first", "two": "the second"}.get(case.by, "-")
    parts = ["as charged"] * any(entry.usage.prompt and not entry.usage.estimated for entry in entries)
    parts += ["estimated"] * any(entry.usage.estimated for entry in entries)
    kinds = {entry.provider for entry in entries}
    tried = " and ".join({"one": "the first", "two": "the second"}[kind] for kind in sorted(kinds))
    return f"| {case.name} | {SAYS[case.gets]} | {who} | {tried} | {' and '.join(parts) or 'nothing'} |\n"


async def table() -> str:
    """The table, from what happens now. Raises AssertionError instead of telling a lie."""
    lines = [HEAD]
    for case in CASES:
        outcome, wrong = await play(case)
        assert not wrong, f"{case.name}: {wrong}"
        lines.append(row(case, outcome))
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(table()))
