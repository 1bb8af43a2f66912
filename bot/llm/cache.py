"""Answers that may be given again. Knows no model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from bot.ports.llm import Answer, Ask


class AnswerCache(ABC):
    """Remembers answers, and lets equal questions that come together wait for one of them."""

    @abstractmethod
    async def find(self, ask: Ask, model_family: str) -> Answer | None:
        """The answer to the same question, if it may be given again."""

    @abstractmethod
    async def keep(self, ask: Ask, model_family: str, answer: Answer) -> None:
        """Remember an answer."""

    @abstractmethod
    async def through(self, ask: Ask, produce: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer from memory, or from `produce`, which runs once for all who ask the same now."""
