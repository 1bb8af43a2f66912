"""The shelf of answers in Redis. While it is away nothing is found and nothing kept: a model is asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from redis.exceptions import RedisError

from bot.llm.cache.shelf import LARGEST, NOTES, Shelf
from bot.redis.connection import Link

T = TypeVar("T")


class RedisShelf(Shelf):
    """For all processes that share the Redis and the prefix. A row of notes is a stream, so each reads what is new."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link, self._prefix = link, prefix

    async def get(self, key: str) -> bytes | None:
        """What lies there."""
        found = await self._tried(self._link.client.get(f"{self._prefix}:answer:{key}"))
        return found if isinstance(found, bytes) else None

    async def put(self, key: str, data: bytes, seconds: float) -> None:
        """Lay it there."""
        if len(data) <= LARGEST:
            await self._tried(self._link.client.set(f"{self._prefix}:answer:{key}", data, px=_milliseconds(seconds)))

    async def note(self, name: str, data: bytes, seconds: float) -> None:
        """Add a note, and let the row live on."""
        row = f"{self._prefix}:notes:{name}"
        await self._tried(self._link.client.xadd(row, {b"note": data}, maxlen=NOTES, approximate=False))
        await self._tried(self._link.client.pexpire(row, _milliseconds(seconds)))

    async def notes(self, name: str, after: str = "") -> Sequence[tuple[str, bytes]]:
        """The notes that came after one of them."""
        found: Any = await self._tried(self._link.client.xrange(f"{self._prefix}:notes:{name}", min=after or "-"))
        marked = [(mark.decode(), fields[b"note"]) for mark, fields in found or ()]
        return [(mark, data) for mark, data in marked if mark != after]

    async def _tried(self, work: Awaitable[T]) -> T | None:
        try:
            done = await work
        except (RedisError, OSError, TimeoutError) as problem:
            self._link.failed("cache", problem)
            return None
        self._link.works("cache")
        return done


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
