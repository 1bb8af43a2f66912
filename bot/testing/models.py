"""A language model in a test: it says what the test lays down, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
from pydantic import BaseModel

from bot.errors import NoAnswer
from bot.llm.structured import into
from bot.ports.llm import NOBODY, Answer, Ask, Chunk, Llm, Payer
from bot.ports.models import ToolCall

M = TypeVar("M", bound=BaseModel)

Saying = str | Answer | NoAnswer | Callable[[Ask], "str | Answer"]


class FakeLlm(Llm):
    """Says these, one after another; the last one again and again. A callable gets the question."""

    def __init__(self, *says: Saying) -> None:
        self.says = list(says)
        self.asked: list[Ask] = []

    @property
    def there(self) -> bool:
        """Yes."""
        return True

    async def complete(self, ask: Ask) -> Answer:
        """The next saying."""
        self.asked.append(ask)
        saying = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(saying, NoAnswer):
            raise saying
        if callable(saying):
            saying = saying(ask)
        return Answer(text=saying, provider="fake", model="fake") if isinstance(saying, str) else saying

    async def stream(self, ask: Ask) -> AsyncGenerator[Chunk, None]:
        """The next saying, word by word."""
        answer = await self.complete(ask)
        for word in answer.text.split(" "):
            yield Chunk(text=f"{word} ")
        yield Chunk(text=answer.text, anew=True, answer=answer)

    async def into(self, ask: Ask, shape: type[M]) -> M:
        """The next saying, read."""
        return await into(self.complete, ask, shape)

    async def embed(self, texts: Sequence[str], payer: Payer = NOBODY) -> list[list[float]]:
        """None: that a text has a meaning can't be faked."""
        raise NoAnswer("a fake has no vectors", sentence="")


def calling(*calls: tuple[str, Mapping[str, object]], text: str = "", cost: int = 1000) -> Answer:
    """An answer that wishes to call tools, each with these arguments."""
    wishes = tuple(
        ToolCall(id=f"call_{at}", name=name, arguments=msgspec.json.encode(arguments).decode())
        for at, (name, arguments) in enumerate(calls)
    )
    return Answer(text=text, calls=wishes, finish="tools", provider="fake", model="fake", cost=cost)
