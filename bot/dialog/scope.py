"""Where a handler's keys, chance and ids come from: one scope for the handler, one for each branch of a gather.

Keys say what came before what; nothing here knows of journals or runs.
"""

from __future__ import annotations

import asyncio
import uuid
from functools import cached_property
from random import Random
from typing import Any


class Scope:
    """Where keys come from: 0, 1, 2 in the handler, 3/0/0 in the first branch of the gather at position 3.

    Chance and time are a scope's own too: branches take turns in another order when they are replayed. `seed` is the
    frame's id: a new generation must not give another id to what an effect before it was given.
    """

    def __init__(self, seed: str, prefix: str = "", *, since: float = 0.0) -> None:
        self.prefix, self.since = prefix, since
        self.task: asyncio.Task[Any] | None = None
        self._seed, self._next = f"{seed}/{prefix}", 0

    # Both made when first asked for: seeding one costs more than the rest of a short turn's journal.

    @cached_property
    def random(self) -> Random:
        """Chance that repeats itself on replay."""
        return Random(self._seed)

    @cached_property
    def _ids(self) -> Random:
        # Apart from the other, so that neither moves the other on.
        return Random(f"{self._seed}.ids")

    def uuid(self) -> str:
        """An id that is the same on every replay."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    @property
    def ahead(self) -> str:
        """The key that comes next."""
        return f"{self.prefix}{self._next}"

    def key(self) -> str:
        """The next key."""
        key = self.ahead
        self._next += 1
        return key


def branch_of(key: str) -> str:
    """The prefix of the branch that a key is in: "3/0/" for 3/0/1, nothing for 4."""
    head, slash, _ = key.rpartition("/")
    return head + slash


def place_of(key: str) -> int:
    """How far on in the handler a key is: 3 for 3/0/1."""
    return int(key.partition("/")[0])


def side_by_side(key: str, other: str) -> bool:
    """Whether two keys are in different branches of one gather: then neither has to come before the other."""
    mine, yours = branch_of(key), branch_of(other)
    return bool(mine) and mine != yours and mine.partition("/")[0] == yours.partition("/")[0]
