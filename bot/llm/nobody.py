"""No language model at all: what a bot without any key has."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TypeVar

from pydantic import BaseModel

from bot.errors import NoAnswer
from bot.ports.llm import NOBODY, Answer, Ask, Chunk, Llm, Payer

M = TypeVar("M", bound=BaseModel)


class NoModels(Llm):
    """Answers nothing, and says so at once."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    @property
    def there(self) -> bool:
        """Never."""
        return False

    async def complete(self, ask: Ask) -> Answer:
        """Raise NoAnswer."""
        raise self._none()

    async def stream(self, ask: Ask) -> AsyncGenerator[Chunk, None]:
        """Raise NoAnswer."""
        raise self._none()
        yield Chunk()

    async def into(self, ask: Ask, shape: type[M]) -> M:
        """Raise NoAnswer."""
        raise self._none()

    async def embed(self, texts: Sequence[str], payer: Payer = NOBODY) -> list[list[float]]:
        """Raise NoAnswer."""
        raise self._none()

    def _none(self) -> NoAnswer:
        return NoAnswer("no model is configured", sentence=self._sentence)
