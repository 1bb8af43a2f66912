"""A store in a process that can die: at any commit, just before it or just after.

It passes everything on to a real store. Once dead, every call hangs for ever, as calls of a killed process do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeVar

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
from bot.testing.fakes import Pulse

T = TypeVar("T")


class MortalStore(Store):
    """Dies where `die_at` says. `states` gets every state that was to be committed, also by those who died over it."""

    def __init__(self, store: Store, pulse: Pulse, states: list[bytes]) -> None:
        self.store, self._pulse, self._states = store, pulse, states
        self._dies_at, self._before = 0, False
        self.writes = 0
        self.died = asyncio.Event()
        self._calls = 0

    @property
    def idle(self) -> bool:
        """Whether no call is being answered."""
        return not self._calls

    def die_at(self, write: int, *, before: bool) -> None:
        """Die at the write of this number from now (from 1; 0 is never): `before` it is durable, or right after."""
        self.writes = 0
        self._dies_at, self._before = write, before

    async def _write(self, call: Callable[[], Awaitable[T]]) -> T:
        await self._pulse.check()
        self.writes += 1
        last = self.writes == self._dies_at
        if last and self._before:
            await self._die()
        result = await self._count(call)
        if last:
            await self._die()
        await self._pulse.check()
        return result

    async def _count(self, call: Callable[[], Awaitable[T]]) -> T:
        self._calls += 1
        try:
            return await call()
        finally:
            self._calls -= 1

    async def _die(self) -> None:
        self._pulse.dead = True
        self.died.set()
        await self._pulse.check()

    # --- writes

    async def put(self, message: Message, now: float) -> Accepted:
        """A write."""
        return await self._write(lambda: self.store.put(message, now))

    async def take(self, message: Message, worker: str, lease: float, now: float) -> tuple[Accepted, Claim | None]:
        """A write."""
        return await self._write(lambda: self.store.take(message, worker, lease, now))

    async def commit(self, change: Change) -> Committed:
        """A write."""
        if change.state is not None:
            self._states.append(change.state)
        return await self._write(lambda: self.store.commit(change))

    async def retry(self, claim: Claim, now: float, *, pause: float = 0.0, counts: bool = True) -> bool:
        """A write."""
        return await self._write(lambda: self.store.retry(claim, now, pause=pause, counts=counts))

    async def apply(self, effect: Effect) -> Applied | None:
        """A write."""
        return await self._write(lambda: self.store.apply(effect))

    async def mark_sending(self, row: OutRow, wait: float, now: float) -> Begun:
        """A write."""
        return await self._write(lambda: self.store.mark_sending(row, wait, now))

    async def mark_sent(self, row: OutRow, platform_id: str, now: float) -> None:
        """A write."""
        return await self._write(lambda: self.store.mark_sent(row, platform_id, now))

    async def mark_failed(self, row: OutRow, status: Literal["failed", "ambiguous"], error: str) -> bool:
        """A write."""
        return await self._write(lambda: self.store.mark_failed(row, status, error))

    async def postpone(self, row: OutRow, pause: float, error: str, now: float) -> bool:
        """A write."""
        return await self._write(lambda: self.store.postpone(row, pause, error, now))

    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        """A write."""
        return await self._write(lambda: self.store.write(fn, alone=alone))

    # --- the rest: nobody dies here, but the dead don't come back either

    async def _look(self, call: Callable[[], Awaitable[T]]) -> T:
        await self._pulse.check()
        result = await self._count(call)
        await self._pulse.check()
        return result

    async def claim(self, worker: str, limit: int, lease: float, now: float) -> list[Claim]:
        """Counts attempts, but a death around it changes nothing that can be seen."""
        return await self._look(lambda: self.store.claim(worker, limit, lease, now))

    async def renew(self, claims: Sequence[Claim], lease: float, now: float) -> list[bool]:
        """Pass on."""
        return await self._look(lambda: self.store.renew(claims, lease, now))

    async def hold(self, name: str, worker: str, lease: float, now: float) -> bool:
        """Pass on."""
        return await self._look(lambda: self.store.hold(name, worker, lease, now))

    async def let_go(self, name: str, worker: str) -> None:
        """Pass on."""
        return await self._look(lambda: self.store.let_go(name, worker))

    async def pick_up(self, limit: int, hold: float, now: float) -> list[OutRow]:
        """Holds rows, but a death around it only delays them."""
        return await self._look(lambda: self.store.pick_up(limit, hold, now))

    async def reread(self, claim: Claim) -> Claim | None:
        """Pass on."""
        return await self._look(lambda: self.store.reread(claim))

    async def fire(self, now: float, limit: int = 100) -> int:
        """Pass on."""
        return await self._look(lambda: self.store.fire(now, limit))

    async def next_due(self) -> float | None:
        """Pass on."""
        return await self._look(self.store.next_due)

    async def unsent(self, conversation: str = "") -> list[OutRow]:
        """Pass on."""
        return await self._look(lambda: self.store.unsent(conversation))

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Pass on."""
        return await self._look(lambda: self.store.read(fn))

    async def history(self, conversation: str, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """Pass on."""
        return await self._look(lambda: self.store.history(conversation, after=after, limit=limit))

    async def conversation(self, conversation: str) -> Conversation | None:
        """Pass on."""
        return await self._look(lambda: self.store.conversation(conversation))

    async def recall(self, person: str, key: str) -> bytes | None:
        """Pass on."""
        return await self._look(lambda: self.store.recall(person, key))

    async def recall_all(self, person: str, beginning: str) -> dict[str, bytes]:
        """Pass on."""
        return await self._look(lambda: self.store.recall_all(person, beginning))

    async def case(self, *, id: str = "", desk: str = "", ref: str = "") -> CaseRecord | None:
        """Pass on."""
        return await self._look(lambda: self.store.case(id=id, desk=desk, ref=ref))

    async def open_cases(self, desk: str) -> list[CaseRecord]:
        """Pass on."""
        return await self._look(lambda: self.store.open_cases(desk))

    async def trace(self, conversation: str, n: int) -> tuple[bytes, list[OutRow]] | None:
        """Pass on."""
        return await self._look(lambda: self.store.trace(conversation, n))

    async def states(self, *, after: str = "", limit: int = 500) -> list[tuple[Conversation, bytes]]:
        """Pass on."""
        return await self._look(lambda: self.store.states(after=after, limit=limit))

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """Pass on."""
        return await self._look(lambda: self.store.dead_letters(limit))

    async def start(self) -> None:
        """Open the real one."""
        await self.store.start()

    async def stop(self) -> None:
        """Close the real one."""
        await self.store.stop()
