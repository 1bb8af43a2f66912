"""The contract of a channel: one platform where people write.

A channel verifies, parses, renders and sends. It knows nothing of skills, adapters and stores, and hands every
message to the `Gateway`, which returns only once the message is stored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from bot.messages import Address, Message, Value
from bot.processes.peers import Peers
from bot.replies import Button, Reply

Source = Literal["user", "bot", "agent", "system"]


class Pace(Value, frozen=True):
    """At most `count` sends in any `seconds`, of one account or of one conversation."""

    count: int
    seconds: float = 1.0
    of: Literal["account", "conversation"] = "account"


class Capabilities(Value, frozen=True):
    """What a channel can do. The core asks these and never which channel it is on.

    `max_text` counts what `Channel.measure` counts; 0 means no limit. `buttons` is how many choices can be shown as
    buttons, 0 for none: then they become a numbered list. `read_back` says that `find_sent` can tell whether an
    uncertain send arrived. `forms` shows a reply's form as one; elsewhere its fields are asked one by one. `mentions`
    calls people. `shares_phone` shows a button that shares the person's own number, where the platform lets it.
    `whispers` shows a private reply to one person alone where others read along. Of a reply that is longer, the
    person gets `max_parts` parts (0 for all of them) and the rest when they ask for more. With `confirms_consent` the
    core says once that somebody has opted out or in; some platforms say so themselves. A send that takes longer than
    `send_timeout` seconds is given up, its outcome unknown. `paces` are the platform's limits; the outbox keeps all
    of them.
    """

    max_text: int = 0
    max_parts: int = 0
    buttons: int = 0
    markdown: bool = False
    cards: bool = False
    media: bool = False
    typing: bool = False
    drafts: bool = False
    edits: bool = False
    deletes: bool = False
    reactions: bool = False
    whispers: bool = False
    read_back: bool = False
    forms: bool = False
    mentions: bool = False
    shares_phone: bool = False
    confirms_consent: bool = False
    send_timeout: float = 10.0
    paces: tuple[Pace, ...] = ()


class Accepted(Value, frozen=True):
    """A stored message: its conversation, its place in it (from 1), and whether it had been stored before."""

    conversation: str
    seq: int
    duplicate: bool = False


class Entry(Value, frozen=True):
    """One line of a conversation's transcript, as the person saw it. `seq` rises, with gaps.

    With `takes_back` it says nothing: the line of that number is gone from here on.
    """

    seq: int
    source: Source
    at: float
    text: str = ""
    author: str = ""
    buttons: tuple[Button, ...] = ()
    reply: Reply | None = None
    message: Message | None = None
    takes_back: int = 0


def standing(lines: Sequence[Entry]) -> list[Entry]:
    """A transcript without what was taken back."""
    gone = {line.takes_back for line in lines if line.takes_back}
    return [line for line in lines if not line.takes_back and line.seq not in gone] if gone else list(lines)


class Delivery(Value, frozen=True):
    """One reply on its way. `id` stays the same over all attempts; `attempt` counts from 1."""

    id: str
    conversation: str
    seq: int
    address: Address
    reply: Reply
    source: Source = "bot"
    author: str = ""
    attempt: int = 1
    first_attempt_at: float = 0.0


class Receipt(Value, frozen=True):
    """The platform took it; `platform_id` is its name for the message."""

    platform_id: str = ""


class Unreadable(Value, frozen=True):
    """What a platform surely sent and nobody can read: kept with the dead letters. `payload` is as it came."""

    event_id: str
    channel: str
    account: str
    payload: str
    problem: str
    at: float


class KnownCommand(Value, frozen=True):
    """A command that some skill has: `/track`, and what it does, by language ("" is for all others)."""

    name: str
    about: dict[str, str]


class Gateway(Peers):
    """What a channel may ask of the core, and of the other processes of the bot: they see what this one sends."""

    @abstractmethod
    async def receive(self, message: Message) -> Accepted:
        """Store a message; only then acknowledge it to the platform.

        Raises StoreUnavailable when it could not be stored: let the platform deliver it again.
        """

    @abstractmethod
    async def problems(self, message: Message) -> Mapping[str, str]:
        """What is wrong with a form before it is sent, where a platform can say so while it is still open.

        By the names of its fields, under "" for what is wrong with the whole, as plain sentences; empty when it may be
        sent. Nothing is stored, and nobody need ask: what is received is checked once more, and asked again if wrong.
        """

    @abstractmethod
    async def signal(self, message: Message) -> None:
        """Pass on something fleeting (typing) that is never stored."""

    @abstractmethod
    async def history(self, address: Address, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript behind `after`, oldest first, with no holes: later calls only add at the end.

        What is taken back stays in it, and a line that says so comes behind (see `standing`).
        """

    @abstractmethod
    async def set_aside(self, unreadable: Unreadable) -> None:
        """Keep what can't be read; only then acknowledge it. Raises StoreUnavailable."""

    @abstractmethod
    async def knows(self, address: Address) -> bool:
        """Whether anything was said at an address before."""

    @abstractmethod
    async def said(self, address: Address, platform_id: str) -> bool:
        """Whether the platform's message of this id is one of the last that were said for us at an address."""

    @abstractmethod
    async def note(self, key: str) -> str | None:
        """What a channel wrote down for itself. Keys begin with its name and account: "telegram.main.offset"."""

    @abstractmethod
    async def write_note(self, key: str, value: str | None, *, keep: float = 0.0) -> None:
        """Write something down durably, for all processes; None strikes it out. Raises StoreUnavailable.

        `keep` is for how many seconds it is needed, 0 for ever: what nobody will ask for again should say so.
        """

    @abstractmethod
    async def admit(self, wanted: Sequence[tuple[str, Pace]], event: str, *, anyway: bool = False) -> str:
        """Count an event in all of these windows, by key, if there is room in each; the key of a full one, or "".

        For caps that all processes share. `event` is its id: what was counted already keeps its place. `anyway` counts
        it where there is no room too, so that a window stays full for whoever goes on. Never raises.
        """

    @abstractmethod
    def commands(self) -> Sequence[KnownCommand]:
        """The commands of all skills, as they are now, by name."""

    @abstractmethod
    def file_url(self, channel: str, account: str, ref: str, name: str = "") -> str:
        """An address of ours for a file that the platform calls `ref`; who opens it gets it through `open_file`."""

    @abstractmethod
    def new_id(self) -> str:
        """An unguessable id of 128 bits, as 32 hex digits."""


class Channel(ABC):
    """One account on one platform.

    `send` raises only Rejected, RateLimited, NotSent or UnknownOutcome (see bot.errors); never let an SDK retry.
    """

    name: str
    account: str = "main"
    capabilities: Capabilities = Capabilities()

    def routes(self) -> Sequence[web.RouteDef]:
        """HTTP routes of this channel; by custom under /channels/<name>/."""
        return ()

    @abstractmethod
    async def start(self, gateway: Gateway) -> None:
        """Connect, and give every incoming message to `gateway.receive` from now on."""

    @abstractmethod
    async def send(self, delivery: Delivery) -> Receipt:
        """Send one reply that fits the limits; return once the platform took it."""

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Look whether an uncertain send arrived; only called where capabilities.read_back is set."""
        raise NotImplementedError(f"{self.name} has no read-back")

    def measure(self, text: str) -> int:
        """How long a CommonMark text is on this platform, in the unit of `max_text`."""
        return len(text)

    def paces(self, address: Address) -> Sequence[Pace]:
        """The platform's limits for this address, where they are not the same everywhere."""
        return self.capabilities.paces

    def shared(self, address: Address) -> bool:
        """Whether others than one person read along at an address: a group, a room, a thread in one. Told by it alone.

        Nothing personal is said there unasked, and a person is never written to there.
        """
        return False

    @abstractmethod
    async def stop(self) -> None:
        """Disconnect; nothing is received afterwards."""


class Types(ABC):
    """Ability: show that the bot is typing. Announce it with capabilities.typing."""

    @abstractmethod
    async def typing(self, address: Address, *, on: bool) -> None:
        """Show or hide it; failures are ignored."""


class Drafts(ABC):
    """Ability: show a reply while it is being made. Announce it with capabilities.drafts."""

    @abstractmethod
    async def draft(self, address: Address, key: str, text: str) -> None:
        """Show `text` so far; the finished reply replaces the draft of the same `key`. Failures are ignored."""


class Edits(ABC):
    """Ability: change what was said. Announce it with capabilities.edits."""

    @abstractmethod
    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Let the message `platform_id` say `delivery.reply` from now on; twice is harmless. Raises as `send` does."""


class Deletes(ABC):
    """Ability: take back what was said. Announce it with capabilities.deletes."""

    @abstractmethod
    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Take the message `platform_id` away; twice is harmless. Raises as `send` does: Rejected if it has to stay.

        `delivery` is the taking back itself: it has a place in the transcript, and says nothing.
        """


@dataclass(slots=True)
class Download:
    """A file on its way. `size` is 0 where it is not known before the end."""

    chunks: AsyncIterator[bytes]
    type: str = "application/octet-stream"
    name: str = ""
    size: int = 0


class Files(ABC):
    """Ability: get the files that people send. `Gateway.file_url` gives them addresses."""

    @abstractmethod
    def open_file(self, ref: str) -> AbstractAsyncContextManager[Download]:
        """The file that the platform calls `ref`. Raises Rejected where it is gone, NotSent for a time."""


class Rereads(ABC):
    """Ability: try again to read what was set aside."""

    @abstractmethod
    async def reread(self, payload: str) -> None:
        """Read it and give it to the gateway, as if it had just come in. Raises ValueError while it can't be read."""


class Cost(Value, frozen=True):
    """What a text takes: `units` of a `unit` ("segments"), for `amount` in `currency`.

    Where nobody knows the price, `currency` is empty and `unpriced` says what the operator can do about it.
    """

    units: int
    unit: str
    amount: float = 0.0
    currency: str = ""
    unpriced: str = ""


class Prices(ABC):
    """Ability: say what a text would cost before it is sent."""

    @abstractmethod
    def price(self, text: str, address: Address) -> Cost:
        """The cost of one CommonMark text, as `send` would send it to an address."""


Chunks = AsyncIterator[str]
