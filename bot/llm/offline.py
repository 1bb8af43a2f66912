"""Engines that answer a task without a language model: what is left when there is none. Knows no engine."""

from __future__ import annotations

from abc import ABC, abstractmethod

from bot.ports.llm import Answer, Ask


class Engine(ABC):
    """Answers questions of its `tasks` by itself, within a second."""

    tasks: tuple[str, ...]

    @abstractmethod
    async def answer(self, ask: Ask) -> Answer | None:
        """An answer with the rung "offline", or None when it can't answer this."""


class Engines:
    """The engines of the house, by task; of several the first that answers."""

    def __init__(self) -> None:
        self._engines: list[Engine] = []

    def add(self, engine: Engine) -> None:
        """Have one more."""
        self._engines.append(engine)

    def have(self, task: str) -> bool:
        """Whether any could answer it."""
        return any(task in engine.tasks for engine in self._engines)

    async def answer(self, ask: Ask) -> Answer | None:
        """The first answer of those that have the task."""
        for engine in self._engines:
            if ask.task in engine.tasks:
                answer = await engine.answer(ask)
                if answer is not None:
                    return answer
        return None
