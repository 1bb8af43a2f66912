"""The gateways' side of a bot of one process, for tests: what is the same for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property

from bot.channel import Gateway, KnownCommand, Pace, Unreadable
from bot.clock import Clock, SystemClock
from bot.delivery.counting import Counted
from bot.messages import Address, Message
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

    @cached_property
    def clock(self) -> Clock:
        """What windows are counted by; a test may put its own here."""
        return SystemClock()

    @cached_property
    def counted(self) -> Counted:
        """What was counted."""
        return Counted(self.clock)

    async def admit(self, wanted: Sequence[tuple[str, Pace]], event: str, *, anyway: bool = False) -> str:
        """Count an event."""
        return self.counted.admit(wanted, event, anyway=anyway)

    async def set_aside(self, unreadable: Unreadable) -> None:
        """Keep it."""
        if all(kept.event_id != unreadable.event_id for kept in self.unreadable):
            self.unreadable.append(unreadable)

    @cached_property
    def form_problems(self) -> dict[str, str]:
        """What `problems` answers."""
        return {}

    async def problems(self, message: Message) -> dict[str, str]:
        """What the check put there."""
        return self.form_problems

    async def knows(self, address: Address) -> bool:
        """Whether there is a transcript."""
        return bool(await self.history(address, limit=1))

    @cached_property
    def ours(self) -> set[tuple[str, str]]:
        """What `said` knows: chats and the platform's ids."""
        return set()

    async def said(self, address: Address, platform_id: str) -> bool:
        """Whether the check put it there."""
        return (address.chat, platform_id) in self.ours

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
