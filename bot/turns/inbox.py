"""Step 3 of a message's path: seen before? Store it; only now may the channel answer its platform.

Also the way in for effects from outside a turn (an agent's words). Whatever comes in rings the engine's bell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from bot.channel import Accepted, Entry, Gateway, KnownCommand, Pace, Unreadable
from bot.clock import Clock, Entropy
from bot.delivery.pacing import Buckets
from bot.dialog.checking import Open, check
from bot.dialog.forms import FormLike
from bot.filelinks import path
from bot.messages import Address, Message
from bot.people import Conversation, conversation_id
from bot.processes.bus import Heard
from bot.processes.peers import Job, Peers
from bot.store.contract import Applied, Effect, OutRow, Store
from bot.store.letters import keep_unreadable
from bot.store.lookback import is_ours
from bot.store.notes import agree_on, read_note, write_note
from bot.store.parking import letter_id

log = structlog.get_logger()

FILE_SECRET = "files.secret"  # noqa: S105 - the name of one
"""The note with the key that signs addresses of files, as 64 hex digits."""

Signalled = Callable[[Message, Conversation], Awaitable[None]]


class Inbox(Gateway):
    """What channels see of the core."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        entropy: Entropy,
        buckets: Buckets,
        *,
        take: Callable[[Message], Awaitable[Accepted]],
        ring: Callable[[], None],
        send: Callable[[Sequence[OutRow], float], None],
        peers: Peers,
    ) -> None:
        self._store, self._clock, self._entropy = store, clock, entropy
        self._take, self._ring, self._send, self._peers, self._buckets = take, ring, send, peers, buckets
        self.signalled: Signalled | None = None
        self.open_form: Open = _unknown
        self.heard: Callable[[str, Message], None] = lambda conversation, message: None
        self.known: Callable[[], Sequence[KnownCommand]] = lambda: ()
        self.file_secret = b""
        self._url: Callable[[], str] = str

    async def open_files(self, url: Callable[[], str]) -> None:
        """Give files addresses from now on, which begin with `url()`: all processes sign them with the same secret."""
        fresh = self._entropy.token() + self._entropy.token()
        self.file_secret = bytes.fromhex(await agree_on(self._store, FILE_SECRET, fresh))
        self._url = url

    async def receive(self, message: Message) -> Accepted:
        """Store a message durably; a repeated event id changes nothing."""
        accepted = await self._take(message)
        if not accepted.duplicate:
            self.heard(accepted.conversation, message)
        return accepted

    async def problems(self, message: Message) -> Mapping[str, str]:
        """What is wrong with a form, as far as it can be told now."""
        return await check(message, self.open_form, self._store, self._clock)

    async def signal(self, message: Message) -> None:
        """Something fleeting: shown to an agent if one is there, and forgotten."""
        if self.signalled is None:
            return
        conversation = await self._store.conversation(conversation_id(message.tenant, message.address))
        if conversation is not None and conversation.owner != "bot":
            await self.signalled(message, conversation)

    async def history(self, address: Address, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript of the conversation at an address."""
        return await self._store.history(conversation_id("default", address), after=after, limit=limit)

    async def set_aside(self, unreadable: Unreadable) -> None:
        """Keep what can't be read with the dead letters."""
        log.warning("set_aside", letter=letter_id(unreadable), channel=unreadable.channel, account=unreadable.account)
        await keep_unreadable(self._store, unreadable)

    async def knows(self, address: Address) -> bool:
        """Whether anything was said at an address before."""
        return await self._store.conversation(conversation_id("default", address)) is not None

    async def said(self, address: Address, platform_id: str) -> bool:
        """Whether a message is one of our last ones there."""
        return await is_ours(self._store, conversation_id("default", address), platform_id)

    async def note(self, key: str) -> str | None:
        """What a channel wrote down for itself."""
        return await read_note(self._store, key)

    async def write_note(self, key: str, value: str | None, *, keep: float = 0.0) -> None:
        """Write it down durably."""
        await write_note(self._store, key, value, self._clock.now() + keep if keep else 0.0)

    async def admit(self, wanted: Sequence[tuple[str, Pace]], event: str, *, anyway: bool = False) -> str:
        """Count an event, in all processes."""
        return await self._buckets.admit(wanted, event, anyway=anyway)

    def commands(self) -> Sequence[KnownCommand]:
        """The commands of all skills that are loaded now."""
        return self.known()

    def file_url(self, channel: str, account: str, ref: str, name: str = "") -> str:
        """An address of ours for a platform's file."""
        if not self.file_secret:
            raise RuntimeError(f"{channel} has no ability Files, so nobody could open what it gives addresses to")
        return self._url() + path(self.file_secret, channel, account, ref, name)

    def new_id(self) -> str:
        """An unguessable id."""
        return self._entropy.token()

    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell all processes."""
        self._peers.publish(topic, body)

    def subscribe(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Hear what any process tells."""
        return self._peers.subscribe(topic, heard)

    def alone(self, name: str, job: Job) -> asyncio.Task[None]:
        """Do it in one process at a time."""
        return self._peers.alone(name, job)

    async def apply(self, effect: Effect) -> Applied | None:
        """Write an effect from outside a turn, and send what it says; a caller that is cancelled changes nothing."""
        return await asyncio.shield(self._apply(effect))

    async def _apply(self, effect: Effect) -> Applied | None:
        began = self._clock.steady()
        applied = await self._store.apply(effect)
        if applied is not None:
            self._send(applied.rows, began)
            if applied.message is not None:
                self._ring()
        return applied


def _unknown(conversation: str, token: str) -> FormLike | None:
    return None
