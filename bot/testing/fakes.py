"""A channel and a desk that live in the test: what they were told survives a restart of the bot, as a platform would.

They are real plugins behind the real contracts, and keep the contracts' promises (read-back, idempotent keys).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from bot.channel import (
    Capabilities,
    Channel,
    Deletes,
    Delivery,
    Download,
    Drafts,
    Edits,
    Entry,
    Files,
    Gateway,
    Receipt,
    Types,
)
from bot.desk import (
    Agent,
    AgentClosed,
    AgentReplied,
    AgentTook,
    Case,
    Desk,
    DeskCapabilities,
    DeskEvent,
    DeskGateway,
    Ref,
)
from bot.errors import Rejected, SendError
from bot.messages import Address
from bot.rendering import Document, Span, mentioned, parse, plain
from bot.replies import NOTHING, Mention, Reply

PROFILES = {
    "web": Capabilities(buttons=100, markdown=True, media=True, typing=True, drafts=True, read_back=True),
    "chat": Capabilities(buttons=10, max_text=4000, markdown=True, media=True, read_back=True, shares_phone=True),
    "team": Capabilities(
        buttons=25,
        max_text=3000,
        markdown=True,
        media=True,
        read_back=True,
        forms=True,
        mentions=True,
        edits=True,
        deletes=True,
        reactions=True,
        whispers=True,
    ),
    "sms": Capabilities(max_text=1600, read_back=True),
    "blind": Capabilities(max_text=1600),
}
"""The kinds of channel a skill may meet: all buttons, some, forms too, none, and none with no way to look up what was
sent."""


@dataclass
class Platform:
    """What the platform behind a fake channel knows: every message it took, in order, and how it misbehaves next.

    One that was taken back keeps its place, with nothing in it.
    """

    taken: list[Delivery] = field(default_factory=list)
    faults: list[tuple[SendError, bool]] = field(default_factory=list)
    drafts: list[tuple[str, str]] = field(default_factory=list)
    typing: list[bool] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def fail(self, error: SendError, *, taken: bool = False) -> None:
        """Answer the next send with `error`; `taken` says that the message arrived all the same."""
        self.faults.append((error, taken))


class Pulse:
    """Whether the process that owns a fake still lives: a dead one sends nothing and hears nothing."""

    def __init__(self) -> None:
        self.dead = False

    async def check(self) -> None:
        """Hang for ever in a dead process."""
        if self.dead:
            await asyncio.get_running_loop().create_future()


class FakeChannel(Channel, Types, Drafts, Edits, Deletes, Files):
    """A channel of a given kind, over a platform that outlives it."""

    def __init__(self, kind: str, platform: Platform, pulse: Pulse) -> None:
        self.name = kind
        self.capabilities = PROFILES[kind]
        self.platform, self._pulse = platform, pulse
        self.gateway: Gateway | None = None

    async def start(self, gateway: Gateway) -> None:
        """Be ready."""
        self.gateway = gateway

    async def send(self, delivery: Delivery) -> Receipt:
        """Give the message to the platform."""
        await self._pulse.check()
        error, taken = self.platform.faults.pop(0) if self.platform.faults else (None, True)
        if taken:
            self.platform.taken.append(delivery)
        if error:
            raise error
        return Receipt(platform_id=f"m{len(self.platform.taken)}")

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Look at what the platform took."""
        await self._pulse.check()
        for number, other in enumerate(self.platform.taken, start=1):
            if other.id == delivery.id:
                return Receipt(platform_id=f"m{number}")
        return None

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Let the platform's message say something else."""
        await self._pulse.check()
        self.platform.taken[int(platform_id.removeprefix("m")) - 1] = delivery

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Let the platform's message say nothing any more."""
        await self._pulse.check()
        number = int(platform_id.removeprefix("m")) - 1
        self.platform.taken[number] = replace(self.platform.taken[number], reply=NOTHING)

    def shared(self, address: Address) -> bool:
        """In chats whose names begin with "#"."""
        return address.chat.startswith("#")

    async def typing(self, address: Address, *, on: bool) -> None:
        """Note it."""
        self.platform.typing.append(on)

    async def draft(self, address: Address, key: str, text: str) -> None:
        """Note it."""
        self.platform.drafts.append((key, text))

    @asynccontextmanager
    async def open_file(self, ref: str) -> AsyncIterator[Download]:
        """A file that the platform keeps."""
        data = self.platform.files.get(ref)
        if data is None:
            raise Rejected("there is no such file")

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(data), 1000):
                yield data[start : start + 1000]

        yield Download(chunks=chunks(), name=ref, size=len(data))

    async def stop(self) -> None:
        """Hear nothing any more."""
        self.gateway = None


@dataclass
class Ticket:
    """One case at the fake desk."""

    ref: Ref
    case: Case
    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    closed: str = ""


@dataclass
class Helpdesk:
    """What the helpdesk behind the fake desk knows. Every call fails with `down` while it is set.

    `told` is everything that agents did. `untold` of it the bot has not taken yet: it is told again, as helpdesks do,
    when the bot comes back.
    """

    tickets: dict[str, Ticket] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    faults: list[SendError] = field(default_factory=list)
    down: SendError | None = None
    untold: list[DeskEvent] = field(default_factory=list)
    told: list[DeskEvent] = field(default_factory=list)
    events: int = 0


class FakeDesk(Desk):
    """A desk whose agents are the test's own lines: `takes`, `says`, `gives_back`.

    Each of them waits for `settle`, so that a test may look at once at what the person sees.
    """

    name = "fake"
    capabilities = DeskCapabilities(reopen="never_after_close")

    def __init__(
        self, helpdesk: Helpdesk, pulse: Pulse, *, settle: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.helpdesk, self._pulse, self._settle = helpdesk, pulse, settle
        self.gateway: DeskGateway | None = None
        self._telling: asyncio.Task[None] | None = None

    # --- the contract

    async def start(self, gateway: DeskGateway) -> None:
        """Be ready, and hear what was missed."""
        self.gateway = gateway
        self._tell()

    async def open(self, case: Case, key: str) -> Ref:
        """Make a ticket, once per key."""
        await self._told()
        ticket = self.helpdesk.tickets.setdefault(key, Ticket(Ref(id=f"t{len(self.helpdesk.tickets) + 1}"), case))
        return ticket.ref

    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        """Add a line, once per key."""
        await self._told()
        ticket = self._ticket(ref)
        if key not in self.helpdesk.seen:
            self.helpdesk.seen.add(key)
            ticket.entries.append(entry)

    async def note(self, ref: Ref, text: str, key: str) -> None:
        """Add a private note, once per key."""
        await self._told()
        ticket = self._ticket(ref)
        if key not in self.helpdesk.seen:
            self.helpdesk.seen.add(key)
            ticket.notes.append(text)

    async def signal(self, ref: Ref, *, typing: bool) -> None:
        """Ignore typing."""

    async def fetch(self, ref: Ref, cursor: str) -> tuple[list[DeskEvent], str]:
        """What agents did behind `cursor`, whether the bot has taken it or not."""
        number = int(cursor or 0)
        events = [event for event in self.helpdesk.told[number:] if event.ref == ref]
        return events, str(len(self.helpdesk.told))

    async def close(self, ref: Ref, reason: str, key: str) -> None:
        """Mark the ticket."""
        await self._told()
        self._ticket(ref).closed = reason

    async def stop(self) -> None:
        """Tell nothing any more."""
        self.gateway = None
        if self._telling is not None:
            self._telling.cancel()

    # --- the agents

    @property
    def ticket(self) -> Ticket:
        """The newest ticket."""
        assert self.helpdesk.tickets, "nobody was handed over"  # noqa: S101 - a test's own check
        return list(self.helpdesk.tickets.values())[-1]

    async def takes(self, agent: str = "Ana", *, ref: Ref | None = None) -> None:
        """An agent takes the ticket `ref`, or the newest."""
        where = ref or self.ticket.ref
        await self._emit(AgentTook(event_id=self._id(), ref=where, agent=_agent(agent), at=0.0))

    async def says(self, text: str, agent: str = "Ana", event_id: str = "", *, ref: Ref | None = None) -> None:
        """An agent answers in the ticket `ref`, or in the newest."""
        where = ref or self.ticket.ref
        id = event_id or self._id()
        await self._emit(AgentReplied(event_id=id, ref=where, agent=_agent(agent), text=text, at=0.0))

    async def gives_back(self, agent: str = "Ana", note: str = "", *, ref: Ref | None = None) -> None:
        """An agent gives the ticket `ref`, or the newest, back to the bot."""
        where = ref or self.ticket.ref
        ticket = self._ticket(where)
        ticket.closed = ticket.closed or "returned"
        await self._emit(AgentClosed(event_id=self._id(), ref=where, at=0.0, agent=_agent(agent), note=note))

    async def tells_again(self) -> None:
        """The helpdesk delivers again what the bot has not taken."""
        await self._wait(self._tell())

    async def _emit(self, event: DeskEvent) -> None:
        self.helpdesk.untold.append(event)
        if all(known.event_id != event.event_id for known in self.helpdesk.told):
            self.helpdesk.told.append(event)
        await self._wait(self._tell())

    async def _wait(self, telling: asyncio.Task[None]) -> None:
        while not telling.done() and not self._pulse.dead:  # noqa: ASYNC110 - a dead bot sets no event
            await asyncio.sleep(0.0005)
        if telling.done():
            telling.result()
        if self._settle is not None:
            await self._settle()

    @property
    def busy(self) -> bool:
        """Whether the bot has not heard everything yet."""
        return self._telling is not None and not self._telling.done()

    def _tell(self) -> asyncio.Task[None]:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all(), name="fake desk")
        return self._telling

    async def _tell_all(self) -> None:
        assert self.gateway is not None, "the bot is not running"  # noqa: S101
        while self.helpdesk.untold:
            await self.gateway.receive(self.helpdesk.untold[0])
            self.helpdesk.untold.pop(0)

    async def _told(self) -> None:
        await self._pulse.check()
        if self.helpdesk.faults:
            raise self.helpdesk.faults.pop(0)
        if self.helpdesk.down:
            raise self.helpdesk.down

    def _ticket(self, ref: Ref) -> Ticket:
        for ticket in self.helpdesk.tickets.values():
            if ticket.ref == ref:
                return ticket
        raise Rejected(f"there is no ticket {ref.id}")

    def _id(self) -> str:
        self.helpdesk.events += 1
        return f"e{self.helpdesk.events}"


def _agent(name: str) -> Agent:
    return Agent(id=name.lower(), name=name)


def shown(delivery: Delivery) -> str:
    """A message as the person sees it: its text without markup, and a line `[ Label ]` for each button.

    Who is called stands there as `@Name`.
    """
    reply = delivery.reply
    card = reply.card
    fields = [card.title, card.text, *(f"{field.name}: {field.value}" for field in card.fields)] if card else []
    labels = [button.label for button in reply.buttons] + ([reply.form.open] if reply.form else [])
    lines = [*fields, plain(_calling(reply)), *(f"[ {label} ]" for label in labels)]
    return "\n".join(line for line in lines if line)


def called(delivery: Delivery) -> list[Mention]:
    """Whom a message calls."""
    spans = [span for block in parse(delivery.reply.text).blocks for span in block.spans]
    return [who for span in spans if (who := mentioned(span.link, delivery.reply.mentions))]


def _calling(reply: Reply) -> Document:
    def written(span: Span) -> Span:
        if not span.link.casefold().startswith("mention:"):
            return span
        return replace(span, text=f"@{span.text}" if mentioned(span.link, reply.mentions) else span.text, link="")

    blocks = (replace(block, spans=tuple(map(written, block.spans))) for block in parse(reply.text).blocks)
    return Document(blocks=tuple(blocks))
