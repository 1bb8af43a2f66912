"""Doorbells: who is looking at which conversation right now, in this process, and what the others ring.

Nothing in here is ever the truth. A bell only says "look into the transcript"; drafts and typing are fleeting, and
the newest one is all that counts, so a slow reader costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

DRAFT_PACE = 0.05
"""Seconds between two states of the same draft; whatever came between is not shown."""

Draft = tuple[str, str]


class Mailbox:
    """What one reader (a socket, or a waiting request) has to look at when its bell rings."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.drafts: dict[str, str] = {}
        self.typing: bool | None = None
        self.closing = False

    async def wait(self, seconds: float) -> None:
        """Wait for the bell, or for so long; afterwards the bell is silent again."""
        try:
            async with asyncio.timeout(seconds):
                await self.bell.wait()
        except TimeoutError:
            return
        self.bell.clear()


class Ring(msgspec.Struct, frozen=True, array_like=True):
    """One ring of a bell, on its way to all processes."""

    what: Literal["line", "finished", "draft", "typing"]
    chat: str
    key: str = ""
    text: str = ""
    on: bool = False


class Feed:
    """All mailboxes, by conversation. `publish` brings a ring to `heard` of every process; without it, to this one."""

    def __init__(self, publish: Callable[[bytes], None] | None = None) -> None:
        self._publish = publish or self.heard
        self._boxes: dict[str, set[Mailbox]] = {}
        self._closed = False
        # Drafts that were published a moment ago, with what came since.
        self._resting: dict[Draft, str | None] = {}

    @property
    def closed(self) -> bool:
        """Whether the readers were let go; whoever still has a line open is not heard any more."""
        return self._closed

    @contextmanager
    def reading(self, chat: str) -> Iterator[Mailbox]:
        """A mailbox for as long as somebody reads."""
        box = Mailbox()
        box.closing = self._closed
        self._boxes.setdefault(chat, set()).add(box)
        try:
            yield box
        finally:
            boxes = self._boxes[chat]
            boxes.discard(box)
            if not boxes:
                del self._boxes[chat]

    def readers(self, chat: str) -> int:
        """How many are reading a conversation in this process."""
        return len(self._boxes.get(chat, ()))

    # --- ringing, for all processes

    def ring(self, chat: str) -> None:
        """There may be something new in the transcript."""
        self._tell(Ring("line", chat))

    def finished(self, chat: str) -> None:
        """A reply is in the transcript; drafts that nobody was shown yet were drafts of it."""
        for draft in self._resting:
            if draft[0] == chat:
                self._resting[draft] = None
        self._tell(Ring("finished", chat))

    def draft(self, chat: str, key: str, text: str) -> None:
        """A reply is being made."""
        if (chat, key) in self._resting:
            self._resting[chat, key] = text
        else:
            self._rest((chat, key))
            self._tell(Ring("draft", chat, key, text))

    def typing(self, chat: str, *, on: bool) -> None:
        """Somebody is typing, or no longer."""
        self._tell(Ring("typing", chat, on=on))

    def _tell(self, ring: Ring) -> None:
        self._publish(msgspec.msgpack.encode(ring))

    def _rest(self, draft: Draft) -> None:
        """A model says fifty words a second; not every one of them goes to all processes."""
        self._resting[draft] = None
        asyncio.get_running_loop().call_later(DRAFT_PACE, self._rested, draft)

    def _rested(self, draft: Draft) -> None:
        text = self._resting.pop(draft)
        if text is not None:
            self.draft(*draft, text)

    # --- being rung, by any process

    def heard(self, body: bytes) -> None:
        """A ring; nothing, or something of another version, says that everybody had better look."""
        try:
            ring = msgspec.msgpack.decode(body, type=Ring) if body else None
        except msgspec.MsgspecError:
            ring = None
        if ring is not None:
            for box in self._boxes.get(ring.chat, ()):
                _put(box, ring)
            return
        for boxes in self._boxes.values():
            for box in boxes:
                box.bell.set()

    def close(self) -> None:
        """Let every reader go: the server stops."""
        self._closed = True
        for boxes in self._boxes.values():
            for box in boxes:
                box.closing = True
                box.bell.set()


def _put(box: Mailbox, ring: Ring) -> None:
    match ring.what:
        case "finished":
            box.drafts.clear()
            box.typing = None
        case "draft":
            box.drafts[ring.key] = ring.text
        case "typing":
            box.typing = ring.on
    box.bell.set()
