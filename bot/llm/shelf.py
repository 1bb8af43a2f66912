"""Where answers are kept for a while: in memory, or in Redis for all processes. All of it can be made again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict

from redis.exceptions import RedisError

from bot.clock import Clock
from bot.redis.connection import Link

LARGEST = 64 * 1024
"""Bytes of one answer that is kept; nobody asks for a book twice."""


class Shelf(ABC):
    """Bytes under keys, for so many seconds at most."""

    @abstractmethod
    async def get(self, key: str) -> bytes | None:
        """What lies there, if it is not too old."""

    @abstractmethod
    async def put(self, key: str, data: bytes, seconds: float) -> None:
        """Lay it there; more than `LARGEST` bytes are not kept."""


class LocalShelf(Shelf):
    """In this process: at most so many bytes, the longest unused goes first."""

    def __init__(self, clock: Clock, most: int = 16 * 1024 * 1024) -> None:
        self._clock, self._most, self._size = clock, most, 0
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

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

    def _drop(self, key: str) -> None:
        self._size -= len(self._kept.pop(key)[1])


class RedisShelf(Shelf):
    """In Redis. While it is away nothing is found and nothing kept: a model is asked again."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link, self._prefix = link, prefix

    async def get(self, key: str) -> bytes | None:
        """What lies there."""
        try:
            found = await self._link.client.get(self._name(key))
        except (RedisError, OSError, TimeoutError) as problem:
            self._link.failed("cache", problem)
            return None
        self._link.works("cache")
        return found if isinstance(found, bytes) else None

    async def put(self, key: str, data: bytes, seconds: float) -> None:
        """Lay it there."""
        if len(data) > LARGEST:
            return
        try:
            await self._link.client.set(self._name(key), data, px=max(1, round(seconds * 1000)))
        except (RedisError, OSError, TimeoutError) as problem:
            self._link.failed("cache", problem)
        else:
            self._link.works("cache")

    def _name(self, key: str) -> str:
        return f"{self._prefix}:answer:{key}"
