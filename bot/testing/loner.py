"""The gateways' side of a bot of one process, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property

from bot.bus import Heard, LocalBus
from bot.peers import Job, Peers


class Loner(Peers):
    """Hears itself, and does alone what one process shall do."""

    @cached_property
    def bus(self) -> LocalBus:
        """Its own."""
        return LocalBus()

    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell itself."""
        self.bus.publish(topic, body)

    def subscribe(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Hear itself."""
        return self.bus.subscribe(topic, heard)

    def alone(self, name: str, job: Job) -> asyncio.Task[None]:
        """Do it at once."""

        async def done() -> None:
            await job()

        return asyncio.create_task(done(), name=f"alone {name}")
