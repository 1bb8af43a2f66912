"""The contract of a channel: one platform where people write.

A channel verifies, parses, renders and sends. It knows nothing of skills, adapters and stores, and hands every
message to the `Gateway`, which returns only once the message is stored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Literal

from aiohttp import web

from bot.messages import Address, Message, Value
from bot.peers import Peers
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
    uncertain send arrived. A send that takes longer than `send_timeout` seconds is given up, its outcome unknown.
    `paces` are the platform's limits; the outbox keeps all of them.
    """

    max_text: int = 0
    buttons: int = 0
    markdown: bool = False
    cards: bool = False
    media: bool = False
    typing: bool = False
    drafts: bool = False
    edits: bool = False
    reactions: bool = False
    read_back: bool = False
    send_timeout: float = 10.0
    paces: tuple[Pace, ...] = ()


class Accepted(Value, frozen=True):
    """A stored message: its conversation, its place in it (from 1), and whether it had been stored before."""

    conversation: str
    seq: int
    duplicate: bool = False


class Entry(Value, frozen=True):
    """One line of a conversation's transcript, as the person saw it. `seq` rises, with gaps."""

    seq: int
    source: Source
    at: float
    text: str = ""
    author: str = ""
    buttons: tuple[Button, ...] = ()
    reply: Reply | None = None
    message: Message | None = None


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


class Gateway(Peers):
    """What a channel may ask of the core, and of the other processes of the bot: they see what this one sends."""

    @abstractmethod
    async def receive(self, message: Message) -> Accepted:
        """Store a message; only then acknowledge it to the platform.

        Raises StoreUnavailable when it could not be stored: let the platform deliver it again.
        """

    @abstractmethod
    async def signal(self, message: Message) -> None:
        """Pass on something fleeting (typing) that is never stored."""

    @abstractmethod
    async def history(self, address: Address, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript behind `after`, oldest first, with no holes: later calls only add at the end."""

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


Chunks = AsyncIterator[str]
