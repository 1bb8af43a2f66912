"""The contract of a desk: where human agents work. Knows no conversations, skills or routing.

The bridge in `bot.handoff` owns who speaks, relaying, order, retries and echo suppression; a desk only talks to one
helpdesk. `parse` (webhook) and `fetch` (poll) yield the same events, so a lost webhook loses no reply.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import msgspec
from aiohttp import web

from bot.channel import Entry
from bot.messages import Media, Value
from bot.people import Person
from bot.processes.peers import Peers


class DeskCapabilities(Value, frozen=True):
    """What a helpdesk can do. `append_budget` is (count, seconds): more than that, and the bridge coalesces."""

    private_notes: bool = True
    typing: bool = False
    edits: bool = False
    attachments: bool = False
    max_text: int = 100_000
    webhook: Literal["signed", "secret", "doorbell", "none"] = "none"
    append_budget: tuple[int, float] | None = None
    reopen: Literal["on_append", "explicit", "never_after_close"] = "on_append"


class Ref(Value, frozen=True):
    """A case in a helpdesk, by the helpdesk's own id."""

    id: str


class Case(Value, frozen=True):
    """Everything an agent needs when a conversation arrives."""

    conversation: str
    channel: str
    person: Person
    queue: str
    reason: str
    summary: str
    transcript: tuple[Entry, ...] = ()
    priority: Literal["low", "normal", "high"] = "normal"
    facts: dict[str, str] = msgspec.field(default_factory=dict)


class Agent(Value, frozen=True):
    """A human who answers."""

    id: str
    name: str


class AgentReplied(Value, frozen=True, tag="replied"):
    """An agent said something to the person. Only explicitly public words by a human become this event."""

    event_id: str
    ref: Ref
    agent: Agent
    text: str
    at: float
    media: tuple[Media, ...] = ()


class AgentTook(Value, frozen=True, tag="took"):
    """An agent took the case."""

    event_id: str
    ref: Ref
    agent: Agent
    at: float


class AgentClosed(Value, frozen=True, tag="closed"):
    """The case is solved, or given back to the bot, for `reason`."""

    event_id: str
    ref: Ref
    at: float
    agent: Agent | None = None
    reason: str = "solved"
    note: str = ""


class AgentTyping(Value, frozen=True, tag="typing"):
    """An agent is typing; never stored."""

    event_id: str
    ref: Ref
    agent: Agent
    on: bool = True


DeskEvent = AgentReplied | AgentTook | AgentClosed | AgentTyping


class DeskGateway(Peers):
    """What a desk may ask of the core, and of the other processes of the bot."""

    @abstractmethod
    async def receive(self, event: DeskEvent) -> bool:
        """Store an event and let it take effect; False when it was stored before."""

    @abstractmethod
    async def transcript(self, conversation: str, *, after: int = 0, limit: int = 500) -> list[Entry]:
        """What was said, oldest first."""


class Desk(ABC):
    """One helpdesk. Methods raise the SendError classes of bot.errors, as channels do.

    Every writing call has a `key` that stays the same over retries: look before writing again.
    """

    name: str
    capabilities: DeskCapabilities = DeskCapabilities()

    def routes(self) -> Sequence[web.RouteDef]:
        """HTTP routes: webhooks, or the desk's own pages."""
        return ()

    @abstractmethod
    async def start(self, gateway: DeskGateway) -> None:
        """Connect; give events to `gateway.receive` from now on."""

    @abstractmethod
    async def open(self, case: Case, key: str) -> Ref:
        """Make the ticket with summary and transcript, or return the one made before with the same `key`."""

    @abstractmethod
    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        """Add what the person (or the bot) said."""

    @abstractmethod
    async def note(self, ref: Ref, text: str, key: str) -> None:
        """Add a private note that only agents see."""

    @abstractmethod
    async def signal(self, ref: Ref, *, typing: bool) -> None:
        """Show the agents that the person is typing; a no-op where the desk can't."""

    @abstractmethod
    async def fetch(self, ref: Ref, cursor: str) -> tuple[list[DeskEvent], str]:
        """Events behind `cursor` ("" for all), oldest first, and the next cursor."""

    @abstractmethod
    async def close(self, ref: Ref, reason: str, key: str) -> None:
        """The conversation went back to the bot from our side; tell the agents."""

    @abstractmethod
    async def stop(self) -> None:
        """Disconnect."""
