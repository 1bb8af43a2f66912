"""Doorbells: who is looking at which conversation right now, in this process.

Nothing in here is ever the truth. A bell only says "look into the transcript"; drafts and typing are fleeting, and
the newest one is all that counts, so a slow reader costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


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


class Feed:
    """All mailboxes, by conversation."""

    def __init__(self) -> None:
        self._boxes: dict[str, set[Mailbox]] = {}
        self._closed = False

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
        """How many are reading a conversation."""
        return len(self._boxes.get(chat, ()))

    def ring(self, chat: str) -> None:
        """There may be something new in the transcript."""
        for box in self._boxes.get(chat, ()):
            box.bell.set()

    def finished(self, chat: str) -> None:
        """A reply is in the transcript; drafts that nobody was shown yet were drafts of it."""
        for box in self._boxes.get(chat, ()):
            box.drafts.clear()
            box.typing = None
            box.bell.set()

    def draft(self, chat: str, key: str, text: str) -> None:
        """A reply is being made."""
        for box in self._boxes.get(chat, ()):
            box.drafts[key] = text
            box.bell.set()

    def typing(self, chat: str, *, on: bool) -> None:
        """Somebody is typing, or no longer."""
        for box in self._boxes.get(chat, ()):
            box.typing = on
            box.bell.set()

    def close(self) -> None:
        """Let every reader go: the server stops."""
        self._closed = True
        for boxes in self._boxes.values():
            for box in boxes:
                box.closing = True
                box.bell.set()
