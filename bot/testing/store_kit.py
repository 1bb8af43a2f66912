"""What the store's conformance suite is written with: messages, replies, a turn from end to end.

Knows no store: times are given, never read from a clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from bot.messages import Address, Content, Message, Sender, Text
from bot.people import conversation_id, person_id
from bot.replies import Reply
from bot.store.contract import Change, Claim, Committed, Effect, Outgoing, Store

V = TypeVar("V", bound=msgspec.Struct)

NOW = 1_000_000.0
CHAT = conversation_id("default", Address(channel="test", account="main", chat="1"))
PERSON = person_id("default", "test", "main", "user1")


def message(
    event_id: str, content: str | Content = "hello", *, chat: str = "1", sender: Sender | None = None
) -> Message:
    """A message from somebody in a chat of the test channel."""
    return Message(
        event_id=event_id,
        address=Address(channel="test", account="main", chat=chat),
        sender=sender or Sender(id=f"user{chat}"),
        content=Text(text=content) if isinstance(content, str) else content,
        at=NOW,
    )


def reply(key: str, text: str = "hi") -> Outgoing:
    """One reply of the bot."""
    return Outgoing(key=key, body=Reply(text=text))


def result(claim: Claim, *outgoing: Outgoing, now: float = NOW, rev: int | None = None, done: bool = True) -> Change:
    """The plain result of a turn; vary it with `but`."""
    return Change(
        conversation=claim.conversation.id,
        epoch=claim.epoch,
        n=claim.n,
        rev=claim.rev if rev is None else rev,
        owner_version=claim.conversation.owner_version,
        now=now,
        done=done,
        outgoing=outgoing,
    )


def but(value: V, **changes: object) -> V:
    """The same value, with some of its fields different."""
    return msgspec.structs.replace(value, **changes)


async def take(store: Store, now: float = NOW) -> Claim:
    """Claim exactly one turn."""
    (claim,) = await store.claim("worker", 1, 30.0, now)
    return claim


async def answer(store: Store, event_id: str, *outgoing: Outgoing, content: str | Content = "hello") -> Committed:
    """One whole turn: a message comes in, is claimed and answered."""
    await store.put(message(event_id, content), NOW)
    return await store.commit(result(await take(store), *outgoing))


async def said(store: Store, *, after: int = 0, limit: int = 200) -> list[str]:
    """The transcript as "source: text" lines."""
    return [f"{entry.source}: {entry.text}" for entry in await store.history(CHAT, after=after, limit=limit)]


def agent_says(event_id: str, words: str) -> Effect:
    """An agent's words."""
    outgoing = Outgoing(key=f"agent:{event_id}", body=Reply(text=words), source="agent", author="Kim")
    return Effect(conversation=CHAT, now=NOW, event_id=event_id, outgoing=(outgoing,))


class StoreSuite(ABC):
    """How a suite gets its store."""

    @abstractmethod
    def make(self, folder: Path) -> Store:
        """A store that keeps everything in `folder`; made again with the same folder, it finds it again."""

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[Store]:
        """A started store, stopped at the end."""
        store = self.make(folder)
        await store.start()
        try:
            yield store
        finally:
            await store.stop()
