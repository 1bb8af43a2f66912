"""What the console works with, handed to each of its parts. Holds no state of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from bot import Clock, Database, Entropy
from handoff.console.settings import ConsoleSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Means:
    """The settings, the database, the time and randomness."""

    settings: ConsoleSettings
    database: Database
    clock: Clock
    entropy: Entropy

    def now(self) -> float:
        """The time, in seconds since 1970."""
        return self.clock.now()

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Look something up."""
        return await self.database.read(fn)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Change something; durable when this returns."""
        return await self.database.write(fn)
