"""The gateways' side of a bot of one process, for tests: what is the same for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property

from bot.channel import Gateway, KnownCommand, Unreadable
from bot.messages import Address
from bot.processes.bus import Heard, LocalBus
from bot.processes.peers import Job, Peers


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


class LoneGateway(Loner, Gateway):
    """Keeps a channel's notes, and what it could not read, in memory."""

    @cached_property
    def kept(self) -> dict[str, float]:
        """For how many seconds each note was to be kept; 0 for ever."""
        return {}

    @cached_property
    def notes(self) -> dict[str, str]:
        """What channels wrote down."""
        return {}

    @cached_property
    def unreadable(self) -> list[Unreadable]:
        """What was set aside, each once."""
        return []

    @cached_property
    def known_commands(self) -> list[KnownCommand]:
        """What `commands` answers."""
        return []

    async def set_aside(self, unreadable: Unreadable) -> None:
        """Keep it."""
        if all(kept.event_id != unreadable.event_id for kept in self.unreadable):
            self.unreadable.append(unreadable)

    async def knows(self, address: Address) -> bool:
        """Whether there is a transcript."""
        return bool(await self.history(address, limit=1))

    async def note(self, key: str) -> str | None:
        """What was written down."""
        return self.notes.get(key)

    async def write_note(self, key: str, value: str | None, *, keep: float = 0.0) -> None:
        """Write it down."""
        if value is None:
            self.notes.pop(key, None)
        else:
            self.notes[key] = value
            self.kept[key] = keep

    def commands(self) -> Sequence[KnownCommand]:
        """What the check put there."""
        return self.known_commands

    def file_url(self, channel: str, account: str, ref: str, name: str = "") -> str:
        """An address that says what it is for."""
        return f"https://bot.example/files/{channel}/{account}/{ref}"
