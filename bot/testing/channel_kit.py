"""What the channels' conformance suite is written with: a core in memory, and the far side of the wire.

Knows no platform: a `Wire` is what a suite's author writes to play one person on theirs.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.channel import Accepted, Channel, Delivery, Entry, Source, Unreadable
from bot.errors import StoreUnavailable
from bot.messages import Address, Message
from bot.people import conversation_id
from bot.rendering import fit
from bot.replies import Reply
from bot.store.codec import clean, clean_text
from bot.testing.loner import LoneGateway

SOON = 20.0
"""Real seconds within which a platform shows what is not awaited: typing, drafts, a message that comes in."""

HOSTILE = {
    "control characters": "a\x00b\x07c\x1b[2J\x1b]0;owned\x07d\x7fe\x9bf\r\ng\u2028h",
    "half a character": "left \ud83d and \udc4b right \udfff",
    "right to left": "\u202eevil\u202c مرحبا \u2066שלום\u2069 \u200f",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301\u0323 " + "\u0301" * 300,
    "markup": "</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) ``` *_~|>`<@U1> &amp; {name} %s",
    "nested": ">" * 500 + "*" * 500 + "[" * 500,
    "fifty thousand": "long word " * 5_000,
    "one long word": "x" * 50_000,
}
"""Texts that people and models have broken bots with, by what is wrong with them."""


class Core(LoneGateway):
    """What a channel sees of the bot: it stores, refuses to store, or takes its time, as a check wants it."""

    def __init__(self) -> None:
        self.offered: list[Message] = []
        self.received: list[Message] = []
        self.signals: list[Message] = []
        self.full = False
        self._open = asyncio.Event()
        self._open.set()
        self._accepted: dict[tuple[str, str], Accepted] = {}
        self._transcripts: dict[str, list[Entry]] = {}
        self._numbers = itertools.count(1)

    async def receive(self, message: Message) -> Accepted:
        """Store it once per event id; StoreUnavailable while the disk is `full`."""
        self.offered.append(message)
        await self._open.wait()
        if self.full:
            raise StoreUnavailable("the disk is full")
        known = self._accepted.get((message.address.account, message.event_id))
        if known is not None:
            return Accepted(conversation=known.conversation, seq=known.seq, duplicate=True)
        seq = next(self._numbers)
        self._add(message.address, Entry(seq=seq, source="user", at=message.at, text=message.text, message=message))
        accepted = Accepted(conversation=conversation_id(message.tenant, message.address), seq=seq)
        self._accepted[message.address.account, message.event_id] = accepted
        self.received.append(message)
        return accepted

    async def signal(self, message: Message) -> None:
        """Note it."""
        self.signals.append(message)

    async def history(self, address: Address, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """What was said at an address."""
        lines = self._transcripts.get(conversation_id("default", address), [])
        return [entry for entry in lines if entry.seq > after][:limit]

    async def set_aside(self, unreadable: Unreadable) -> None:
        """Keep it; StoreUnavailable while the disk is `full`."""
        await self._open.wait()
        if self.full:
            raise StoreUnavailable("the disk is full")
        await super().set_aside(unreadable)

    async def write_note(self, key: str, value: str | None, *, keep: float = 0.0) -> None:
        """Write it down; StoreUnavailable while the disk is `full`."""
        if self.full:
            raise StoreUnavailable("the disk is full")
        await super().write_note(key, value, keep=keep)

    def new_id(self) -> str:
        """A random id."""
        return secrets.token_hex(16)

    def hold(self) -> None:
        """Let every `receive` wait from now on."""
        self._open.clear()

    def release(self) -> None:
        """Let them go on."""
        self._open.set()

    def deliveries(
        self, channel: Channel, reply: Reply, to: Address, *, source: Source = "bot", author: str = ""
    ) -> list[Delivery]:
        """A reply as the outbox makes it ready: fitted to the channel; nothing of it is sent or written down yet."""
        conversation = conversation_id("default", to)
        return [
            Delivery(
                id=f"{conversation}.{seq}",
                conversation=conversation,
                seq=seq,
                address=to,
                reply=part,
                source=source,
                author=author,
            )
            for part in fit(reply, channel.capabilities, channel.measure)
            for seq in (next(self._numbers),)
        ]

    def write_down(self, delivery: Delivery, *, takes_back: int = 0) -> None:
        """Mark a delivery as being sent: from here on it is in the transcript, as the store would give it back.

        `takes_back` is the number of the line that it takes back, if that is all it does.
        """
        reply = clean(delivery.reply)
        line = Entry(
            seq=delivery.seq,
            source=delivery.source,
            at=0.0,
            text=reply.text,
            author=clean_text(delivery.author),
            buttons=reply.buttons,
            reply=None if takes_back else reply,
            takes_back=takes_back,
        )
        self._add(delivery.address, line)

    def _add(self, address: Address, line: Entry) -> None:
        self._transcripts.setdefault(conversation_id("default", address), []).append(line)


class Wire(ABC):
    """One person on the platform behind a channel. It outlives the channel, as a platform does.

    `redelivers` says that the platform repeats an event that was not acknowledged. `friend` is the platform's id of
    somebody who can be called there.
    """

    redelivers = True
    friend = "U42"

    @abstractmethod
    async def build(self) -> Channel:
        """A channel for this platform, not started; called again for a restart of the bot."""

    async def connect(self, channel: Channel, core: Core) -> None:  # noqa: B027 - most have nothing to do here
        """The channel has started: serve its routes, let its loops run."""

    async def disconnect(self) -> None:  # noqa: B027 - most have nothing to do here
        """The channel has stopped: close what `connect` opened."""

    @abstractmethod
    async def write(self, text: str, event: str) -> bool:
        """The person writes; `event` is the platform's id for it. Whether the platform was told that it is stored."""

    async def press(self, label: str) -> bool:
        """The person presses the newest button with this label. Whether the platform was told that it is stored."""
        raise AssertionError(f"capabilities.buttons is set, and this wire can't press {label!r}")

    async def fill_in(self, values: dict[str, str]) -> bool:
        """The person opens the newest form, fills it in and sends it. Whether the platform was told that it is stored.

        `values` are by the names of the fields; of a choice it is its label. What is not there is left empty.
        """
        raise AssertionError("capabilities.forms is set, and this wire can't fill in a form")

    async def share_phone(self, label: str) -> str:
        """The person presses the button with this label that shares their own number; the number."""
        raise AssertionError(f"capabilities.shares_phone is set, and this wire can't press {label!r}")

    async def react(self, emoji: str) -> bool:
        """The person reacts to the newest thing that the bot said. Whether the platform was told that it is stored."""
        raise AssertionError(f"capabilities.reactions is set, and this wire can't react with {emoji!r}")

    async def write_among_others(self, text: str, event: str) -> bool:
        """The person writes to the bot where others read along; otherwise like `write`."""
        raise AssertionError(f"capabilities.whispers is set, and this wire can't write {text!r} in a room")

    async def overheard(self) -> str:
        """What those others are shown of what the bot says there."""
        return ""

    async def whispered(self) -> str:
        """What the person alone is shown there."""
        return ""

    async def called(self) -> list[str]:
        """The platform's ids of all who were called by what the bot said, in order."""
        return []

    @abstractmethod
    async def sees(self) -> str:
        """Everything that the person is shown, without markup, as it is now: no waiting."""

    async def bold(self) -> str:
        """All words that the person is shown in bold."""
        return ""

    async def files(self) -> str:
        """The addresses of all files that the person is shown as files."""
        return ""

    async def cards(self) -> str:
        """The titles of all cards that the person is shown as cards."""
        return ""

    async def sees_typing(self) -> bool:
        """Whether the person is shown that somebody is typing."""
        return False

    async def sees_draft(self) -> str:
        """The reply that the person sees growing; empty when there is none."""
        return ""

    async def close(self) -> None:  # noqa: B027 - most have nothing to do here
        """The test is over."""

    async def break_off(self) -> bool:
        """Make the platform refuse or vanish from now on; False where a test can't."""
        return False


@dataclass
class Talk:
    """A started channel with a person on it."""

    wire: Wire
    channel: Channel
    core: Core
    writes: int = 0

    async def hears(self, text: str) -> Message:
        """The person writes and is heard; the message as the core got it."""
        before = len(self.core.received)
        self.writes += 1
        stored = await self.wire.write(text, f"event-of-{text[:12].encode().hex()}-{self.writes:08d}")
        assert stored, f"the platform was not told that {text[:40]!r} is stored"  # noqa: S101 - asserting is its job
        new = self.core.received[before:]
        assert len(new) == 1, f"{len(new)} messages for one"  # noqa: S101
        return new[0]

    async def says(
        self, reply: Reply | str, to: Address, *, source: Source = "bot", author: str = ""
    ) -> list[Delivery]:
        """Say something as the outbox does: written down, then sent, part by part."""
        reply = Reply(text=reply) if isinstance(reply, str) else reply
        made = self.core.deliveries(self.channel, reply, to, source=source, author=author)
        for delivery in made:
            self.core.write_down(delivery)
            await self.channel.send(delivery)
        return made

    async def restart(self) -> None:
        """The bot's process ends, and another one begins."""
        await self.channel.stop()
        await self.wire.disconnect()
        self.channel = await self.wire.build()
        await self.start()

    async def start(self) -> None:
        """Start the channel, and let the platform reach it."""
        await self.channel.start(self.core)
        await self.wire.connect(self.channel, self.core)


async def soon(true: Callable[[], bool | Awaitable[bool]], patience: float = SOON) -> bool:
    """Whether something becomes true within the patience."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        answer = true()
        if answer if isinstance(answer, bool) else await answer:
            return True
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.005)


class ChannelSuite(ABC):
    """How a suite gets its channel. `title` heads the channel's column in the table of capabilities."""

    title = ""

    @abstractmethod
    def make(self, folder: Path) -> Wire:
        """A platform with one person on it; whatever its channel keeps goes into `folder`."""

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[Talk]:
        """A started channel, stopped at the end."""
        wire = self.make(folder)
        talk = Talk(wire, await wire.build(), Core())
        await talk.start()
        try:
            yield talk
        finally:
            talk.core.release()
            await talk.channel.stop()
            await wire.disconnect()
            await wire.close()
