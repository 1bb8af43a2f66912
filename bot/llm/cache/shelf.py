"""Where answers are kept for a while, for this process or for all of them. All of it can be made again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Sequence

from bot.clock import Clock

LARGEST = 64 * 1024
"""Bytes of one answer that is kept; nobody asks for a book twice."""

NOTES = 100
"""So many notes under one name, the newest."""

NAMES = 64
"""So many names with notes that one process knows; the longest unused goes first."""


class Shelf(ABC):
    """Bytes under keys, and rows of notes under names, for so many seconds at most."""

    @abstractmethod
    async def get(self, key: str) -> bytes | None:
        """What lies there, if it is not too old."""

    @abstractmethod
    async def put(self, key: str, data: bytes, seconds: float) -> None:
        """Lay it there; more than `LARGEST` bytes are not kept."""

    @abstractmethod
    async def note(self, name: str, data: bytes, seconds: float) -> None:
        """Add a note to those under a name, of which the newest `NOTES` stay."""

    @abstractmethod
    async def notes(self, name: str, after: str = "") -> Sequence[tuple[str, bytes]]:
        """The notes under a name that came after one of them, oldest first, each with its own mark."""


class LocalShelf(Shelf):
    """In this process: at most so many bytes of answers, the longest unused goes first."""

    def __init__(self, clock: Clock, most: int = 16 * 1024 * 1024) -> None:
        self._clock, self._most, self._size = clock, most, 0
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._noted: OrderedDict[str, deque[tuple[str, bytes]]] = OrderedDict()
        self._marks = 0

    async def get(self, key: str) -> bytes | None:
        """What lies there, if it is not too old."""
        found = self._kept.get(key)
        if found is None:
            return None
        until, data = found
        if until < self._clock.steady():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return data

    async def put(self, key: str, data: bytes, seconds: float) -> None:
        """Lay it there, and let go of what is over the limit."""
        if len(data) > LARGEST:
            return
        if key in self._kept:
            self._drop(key)
        self._kept[key] = (self._clock.steady() + seconds, data)
        self._size += len(data)
        while self._size > self._most:
            self._drop(next(iter(self._kept)))

    async def note(self, name: str, data: bytes, seconds: float) -> None:
        """Add a note."""
        self._marks += 1
        self._noted.setdefault(name, deque(maxlen=NOTES)).append((f"{self._marks:020}", data))
        self._noted.move_to_end(name)
        if len(self._noted) > NAMES:
            self._noted.popitem(last=False)

    async def notes(self, name: str, after: str = "") -> Sequence[tuple[str, bytes]]:
        """The notes that came after one of them."""
        return [(mark, data) for mark, data in self._noted.get(name, ()) if mark > after]

    def _drop(self, key: str) -> None:
        self._size -= len(self._kept.pop(key)[1])
