"""This process among the others of the same bot: news goes by the bus, work for one of them by leases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from bot.clock import Clock, Entropy
from bot.delivery.pacing import Buckets, LocalBuckets
from bot.llm.cache import LocalShelf, Shelf
from bot.processes.bus import Bus, Heard, LocalBus
from bot.processes.peers import Job, Peers
from bot.processes.sole import Sole
from bot.redis import connect, prefix_of
from bot.settings import StoreSettings


class Shared(NamedTuple):
    """What the processes of one bot have in common besides the store."""

    bus: Bus
    buckets: Buckets
    shelf: Shelf


def shared(settings: StoreSettings, clock: Clock, entropy: Entropy) -> Shared:
    """By way of Redis where it is set; a bot on SQLite is one process. Raises StartError for a URL that is none."""
    if settings.redis_url is None or settings.database_url is None:
        return Shared(LocalBus(), LocalBuckets(clock), LocalShelf(clock))
    prefix = prefix_of(settings.database_url.get_secret_value(), settings.redis_prefix)
    return Shared(*connect(settings.redis_url.get_secret_value(), prefix, clock, entropy))


class Process(Peers):
    """One of the processes."""

    def __init__(self, bus: Bus, sole: Sole) -> None:
        self._bus, self._sole = bus, sole
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell everybody."""
        self._bus.publish(topic, body)

    def subscribe(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Hear what is told."""
        return self._bus.subscribe(topic, heard)

    def alone(self, name: str, job: Job) -> asyncio.Task[None]:
        """Do it when nobody else does."""
        task = asyncio.create_task(self._sole.run(name, job), name=f"alone {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """End what is done alone, and let another process do it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
