"""What the desks' conformance suite is written with: a core in memory, and the agents' side of a helpdesk.

Knows no helpdesk: an `Office` is what a suite's author writes to play one agent in theirs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.channel import Entry, Source
from bot.desk import AgentReplied, AgentTyping, Case, Desk, DeskEvent, DeskGateway, Ref
from bot.errors import StoreUnavailable
from bot.people import Person
from bot.store.codec import clean_text
from bot.testing.loner import Loner

NOON = 1_800_000_000.0


class DeskCore(Loner, DeskGateway):
    """What a desk sees of the bot: it stores events once, or refuses while it is `deaf`, and keeps transcripts."""

    def __init__(self) -> None:
        self.offered: list[DeskEvent] = []
        self.stored: list[DeskEvent] = []
        self.deaf = False
        self.refused = 0
        self._said: dict[str, list[Entry]] = {}

    async def receive(self, event: DeskEvent) -> bool:
        """Store it once per event id."""
        self.offered.append(event)
        if self.deaf:
            self.refused += 1
            raise StoreUnavailable("the disk is full")
        if isinstance(event, AgentTyping) or any(known.event_id == event.event_id for known in self.stored):
            return False
        self.stored.append(event)
        return True

    async def transcript(self, conversation: str, *, after: int = 0, limit: int = 500) -> list[Entry]:
        """What was said."""
        return [entry for entry in self._said.get(conversation, []) if entry.seq > after][:limit]

    def say(self, conversation: str, source: Source, text: str) -> Entry:
        """Something is said: the line as the transcript has it."""
        lines = self._said.setdefault(conversation, [])
        entry = Entry(seq=2 * len(lines) + 1, source=source, at=NOON + len(lines), text=clean_text(text))
        lines.append(entry)
        return entry

    def replies(self, ref: Ref) -> list[str]:
        """What agents said in a case to the person, as far as the core has stored it."""
        return [event.text for event in self.stored if isinstance(event, AgentReplied) and event.ref == ref]

    def events(self, ref: Ref) -> list[DeskEvent]:
        """Everything that was stored of a case, in order."""
        return [event for event in self.stored if event.ref == ref]


class Office(ABC):
    """One agent at the helpdesk behind a desk, and the helpdesk's own manners. It outlives the desk."""

    @abstractmethod
    async def build(self) -> Desk:
        """A desk for this helpdesk, not started; called again for a restart of the bot."""

    async def connect(self, desk: Desk, core: DeskCore) -> None:  # noqa: B027 - most have nothing to do here
        """The desk has started: serve its routes, sign the agent in."""

    async def disconnect(self) -> None:  # noqa: B027 - most have nothing to do here
        """The desk has stopped: close what `build` and `connect` opened."""

    @abstractmethod
    async def says(self, ref: Ref, text: str) -> bool:
        """The agent answers the person, taking the case first if that is needed. Whether the helpdesk took it."""

    @abstractmethod
    async def notes(self, ref: Ref, text: str) -> None:
        """The agent writes something that only the team may read."""

    @abstractmethod
    async def closes(self, ref: Ref) -> None:
        """The agent, who has the case, says that it is done."""

    @abstractmethod
    async def shows(self, ref: Ref) -> list[str]:
        """Everything that an agent sees in the case, as it is now: the summary, each line, each note."""

    @abstractmethod
    async def tickets(self) -> int:
        """How many cases there are, open and closed."""

    @abstractmethod
    async def is_open(self, ref: Ref) -> bool:
        """Whether the case still waits for agents, or is with one."""

    async def sees_typing(self, ref: Ref) -> bool:
        """Whether the agent is shown that the person is typing."""
        return False

    async def later(self) -> None:  # noqa: B027 - most have nothing to do here
        """Time passes: the helpdesk delivers again what was not taken."""

    async def break_off(self) -> bool:
        """Make the helpdesk refuse or vanish from now on; False where a test can't."""
        return False

    async def mend(self) -> None:  # noqa: B027 - most have nothing to do here
        """Bring it back."""


@dataclass
class Shift:
    """A started desk with an agent at it."""

    office: Office
    desk: Desk
    core: DeskCore

    async def open(self, key: str = "key-1", conversation: str = "c1") -> Ref:
        """Hand a conversation over."""
        return await self.desk.open(self.case(conversation), key)

    def case(self, conversation: str = "c1") -> Case:
        """A person whose lamp broke."""
        lines = [
            self.core.say(conversation, "user", f"My lamp is broken ({conversation})"),
            self.core.say(conversation, "bot", "I'm getting someone for you."),
        ]
        return Case(
            conversation=conversation,
            channel="web",
            person=Person(id="p1", name="Rosa Weber", language="en", email="rosa@example.org"),
            queue="support",
            reason="It arrived broken",
            summary="The lamp came with a cracked shade.",
            transcript=tuple(lines),
            facts={"Order": "1042"},
        )

    async def append(self, ref: Ref, text: str, key: str, *, source: Source = "user", conversation: str = "c1") -> None:
        """Something is said while an agent has the case."""
        await self.desk.append(ref, self.core.say(conversation, source, text), key)

    async def restart(self) -> None:
        """The bot's process ends, and another one begins."""
        await self.desk.stop()
        await self.office.disconnect()
        self.desk = await self.office.build()
        await self.start()

    async def start(self) -> None:
        """Start the desk, and let agents reach it."""
        await self.desk.start(self.core)
        await self.office.connect(self.desk, self.core)


class DeskSuite(ABC):
    """How a suite gets its desk. `title` heads the desk's column in the table of capabilities."""

    title = ""

    @abstractmethod
    def make(self, folder: Path) -> Office:
        """A helpdesk with one agent at it; whatever its desk keeps goes into `folder`."""

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[Shift]:
        """A started desk, stopped at the end."""
        office = self.make(folder)
        shift = Shift(office, await office.build(), DeskCore())
        await shift.start()
        try:
            yield shift
        finally:
            await shift.desk.stop()
            await office.disconnect()
