"""The port through which skills and tools use language models. Which model answers, and what it costs, is behind it.

    answer = await llm.complete(Ask(task="answer", lines=(Line(role="user", text="Hi"),)))

In a handler use `turn.llm`, which fills in who asks and remembers the answers in the journal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel

from bot.messages import Value
from bot.ports.models import Line, Params, Schema, ToolCall, ToolSpec, Usage

M = TypeVar("M", bound=BaseModel)

Need = Literal["tools", "vision", "hearing", "json", "long_context"]

Kept = Literal["never", "person", "tenant"]
"""Whose answers may be given again from the cache: nobody's, to the same person, to anybody of the tenant."""


class Payer(Value, frozen=True):
    """For whom a call is made: what it costs is counted for each of them, by day, and held to their budgets."""

    tenant: str = ""
    person: str = ""
    skill: str = ""


NOBODY = Payer()


class Ask(Value, frozen=True):
    """What is wanted of some model. The route of `task` in `config/providers.yaml` says which may answer.

    `needs` rules out models that lack something; `quality` from 0 to 1 rules out weaker ones; `language` is a BCP 47
    tag. `deadline` is in seconds and includes waiting, attempts and fallbacks. `prompt` names the prompt and its
    version, as "answer/shop@3": for the usage log and the cache. `cache` says to whom the same question may be answered
    from memory.
    """

    task: str
    lines: tuple[Line, ...]
    payer: Payer = Payer()
    prompt: str = ""
    needs: tuple[Need, ...] = ()
    quality: float = 0.0
    language: str = ""
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = ""
    schema: Schema | None = None
    params: Params = Params()
    deadline: float = 30.0
    cache: Kept = "never"


Rung = Literal["model", "cheaper", "shorter", "cache", "canned", "offline"]
"""Who spoke: a model of the route, a cheaper one or with less context for the budget's sake, the cache, a sentence of
the house, or an engine without a model."""


class Attempt(Value, frozen=True):
    """One attempt that was made for an answer: for the trace. `problem` is empty when it worked."""

    provider: str
    model: str
    milliseconds: float
    problem: str = ""


class Answer(Value, frozen=True):
    """A complete answer. `cost` is in millionths of the currency of the prices; `finish` is why the model stopped."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    rung: Rung = "model"
    provider: str = ""
    model: str = ""
    usage: Usage = Usage()
    cost: int = 0
    finish: Literal["stop", "length", "tools", "content"] = "stop"
    attempts: tuple[Attempt, ...] = ()


class Chunk(Value, frozen=True):
    """A piece of an answer that is being made. With `anew` everything shown so far is replaced by `text`.

    The last one of a stream carries the whole `answer`.
    """

    text: str = ""
    anew: bool = False
    answer: Answer | None = None


class Llm(ABC):
    """Language models, as one. Every method raises NoAnswer when nobody can answer within the deadline."""

    @abstractmethod
    async def complete(self, ask: Ask) -> Answer:
        """The whole answer."""

    @abstractmethod
    def stream(self, ask: Ask) -> AsyncGenerator[Chunk, None]:
        """The answer as it comes; closing the generator cancels it, and what was used until then is paid for."""

    @abstractmethod
    async def into(self, ask: Ask, shape: type[M]) -> M:
        """The answer as an instance of a pydantic model; one attempt to mend JSON that does not fit. Raises Misfit."""

    @abstractmethod
    async def embed(self, texts: Sequence[str], payer: Payer = NOBODY) -> list[list[float]]:
        """A vector for each text, of unit length; those of one call are comparable, and of one model."""

    @property
    @abstractmethod
    def there(self) -> bool:
        """Whether any model is configured; without one, answers come from engines of the house, or not at all."""
