"""The store's database, for whatever is not on the path of a turn. Knows no messages and no turns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(ABC):
    """Units of work for whatever is not on the path of a turn: plugins' own tables, reports, the console.

    `fn` gets a SQLAlchemy Core connection inside a transaction and must do database work only: no waiting, no other
    I/O; it may run twice (a group of writes that fails is repeated one by one).
    """

    @abstractmethod
    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        """Run `fn` in a transaction of its own; return its result once it is durable.

        `fn` sees the world as if it were alone. Without `alone` it need not: every row that it depends on it locks
        itself, in one order everywhere, and then units that want the same row wait in line instead of starting over.
        """

    @abstractmethod
    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a read-only connection."""
