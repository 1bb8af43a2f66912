"""The store of one simulated node: the contract over the database that all nodes share. Decides nothing itself.

A node's own clock is not asked: leases, marks and timers go by the database's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.channel import Accepted, Entry
from bot.messages import Message
from bot.people import Conversation
from bot.store.contract import (
    Applied,
    Begun,
    CaseRecord,
    Change,
    Claim,
    Committed,
    DeadLetter,
    Effect,
    OutRow,
    Store,
)
from bot.store.incoming import incoming
from bot.store.sqlite import effects, inbox, lanes, looking, outbox
from tests.simulation.database import Database

T = TypeVar("T")


class SimulatedStore(Store):
    """What a node sees of the database. Starting and stopping it touches nothing: others are at work."""

    def __init__(self, database: Database) -> None:
        self._call, self._unit = database.call, database.unit
        self._last_tenant = ""

    async def start(self) -> None:
        """Nothing to lock, nothing to release."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        """Run a unit of work."""
        return await self._unit(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a unit of work."""
        return await self._unit(fn)

    # --- the inbox and its lanes

    async def put(self, message: Message, now: float) -> Accepted:
        """Store a message."""
        item = incoming(message)
        return await self._call("put", lambda raw, now: inbox.put(raw, item, now), message)

    async def take(self, message: Message, worker: str, lease: float, now: float) -> tuple[Accepted, Claim | None]:
        """Store a message and claim its turn."""
        item = incoming(message)
        return await self._call("take", lambda raw, now: lanes.take(raw, item, worker, now + lease, now), message)

    async def claim(self, worker: str, limit: int, lease: float, now: float) -> list[Claim]:
        """Take turns that are ready."""
        last = self._last_tenant
        claims, self._last_tenant = await self._call(
            "claim", lambda raw, now: lanes.claim(raw, last, worker, limit, now + lease, now)
        )
        return claims

    async def commit(self, change: Change) -> Committed:
        """Write a turn's result."""
        return await self._call("commit", lambda raw, now: lanes.commit(raw, replace(change, now=now)), change)

    async def retry(self, claim: Claim, now: float, *, pause: float = 0.0, counts: bool = True) -> bool:
        """Give a turn back."""
        return await self._call("retry", lambda raw, now: lanes.retry(raw, claim, now + pause, counts), claim)

    async def reread(self, claim: Claim) -> Claim | None:
        """The same turn as it stands now."""
        return await self._call("reread", lambda raw, now: lanes.reread(raw, claim))

    async def renew(self, claims: Sequence[Claim], lease: float, now: float) -> list[bool]:
        """Keep turns."""
        return await self._call("renew", lambda raw, now: lanes.renew(raw, claims, now + lease))

    async def apply(self, effect: Effect) -> Applied | None:
        """Write an effect."""
        item = None if effect.message is None else incoming(effect.message)
        return await self._call("apply", lambda raw, now: effects.apply(raw, replace(effect, now=now), item), effect)

    async def fire(self, now: float, limit: int = 100) -> int:
        """Move timers into their lanes."""
        return await self._call("fire", lambda raw, now: inbox.fire(raw, now, limit))

    async def next_due(self) -> float | None:
        """When the next timer or turn is due."""
        return await self._call("next_due", lambda raw, now: looking.next_due(raw))

    async def hold(self, name: str, worker: str, lease: float, now: float) -> bool:
        """Be the one that does `name`."""
        return await self._call("hold", lambda raw, now: lanes.hold(raw, name, worker, now + lease, now))

    async def let_go(self, name: str, worker: str) -> None:
        """Not any more."""
        await self._call("let_go", lambda raw, now: lanes.let_go(raw, name, worker))

    # --- the outbox

    async def unsent(self, conversation: str = "") -> list[OutRow]:
        """Rows that are pending or sending."""
        return await self._call("unsent", lambda raw, now: looking.unsent(raw, conversation))

    async def pick_up(self, limit: int, hold: float, now: float) -> list[OutRow]:
        """Take rows that nobody sends."""
        return await self._call("pick_up", lambda raw, now: outbox.pick_up(raw, limit, now + hold, now))

    async def mark_sending(self, row: OutRow, wait: float, now: float) -> Begun:
        """Say that a send begins."""
        return await self._call("mark_sending", lambda raw, now: outbox.mark_sending(raw, row, wait, now), row)

    async def mark_sent(self, row: OutRow, platform_id: str, now: float) -> None:
        """The platform took it."""
        place = row.conversation, row.seq
        await self._call("mark_sent", lambda raw, now: outbox.mark_sent(raw, *place, platform_id, now), row)

    async def mark_failed(self, row: OutRow, status: Literal["failed", "ambiguous"], error: str) -> bool:
        """It will not be tried again."""
        return await self._call("mark_failed", lambda raw, now: outbox.mark_failed(raw, row, status, error), row)

    async def postpone(self, row: OutRow, pause: float, error: str, now: float) -> bool:
        """It was surely not sent."""
        return await self._call("postpone", lambda raw, now: outbox.postpone(raw, row, now + pause, error), row)

    # --- looking

    async def history(self, conversation: str, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript."""
        return await self._call("history", lambda raw, now: looking.history(raw, conversation, after, limit))

    async def conversation(self, conversation: str) -> Conversation | None:
        """A conversation by id."""
        return await self._call("conversation", lambda raw, now: looking.conversation(raw, conversation))

    async def recall(self, person: str, key: str) -> bytes | None:
        """What was remembered."""
        return await self._call("recall", lambda raw, now: looking.recall(raw, person, key))

    async def recall_all(self, person: str, beginning: str) -> dict[str, bytes]:
        """What was remembered under keys that begin like this."""
        return await self._call("recall_all", lambda raw, now: looking.recall_all(raw, person, beginning))

    async def case(self, *, id: str = "", desk: str = "", ref: str = "") -> CaseRecord | None:
        """A case."""
        return await self._call("case", lambda raw, now: looking.case(raw, id, desk, ref))

    async def open_cases(self, desk: str) -> list[CaseRecord]:
        """Cases that are not closed."""
        return await self._call("open_cases", lambda raw, now: looking.open_cases(raw, desk))

    async def trace(self, conversation: str, n: int) -> tuple[bytes, list[OutRow]] | None:
        """The trace of a turn."""
        return await self._call("trace", lambda raw, now: looking.trace(raw, conversation, n))

    async def states(self, *, after: str = "", limit: int = 500) -> list[tuple[Conversation, bytes]]:
        """Conversations with a state."""
        return await self._call("states", lambda raw, now: looking.states(raw, after, limit))

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """Turns that were given up."""
        return await self._call("dead_letters", lambda raw, now: looking.dead_letters(raw, limit))
