"""The store on one SQLite file, for one process. Says which statement goes where; knows no SQL itself.

Everything that writes goes through the one writer, in order; everything that looks goes to the read-only pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from sqlalchemy import Connection

from bot.channel import Accepted, Entry
from bot.errors import StoreUnavailable
from bot.messages import Message
from bot.people import Conversation
from bot.store.codec import clean, clean_text
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
from bot.store.sqlite.lock import FileLock
from bot.store.sqlite.migrate import migrate
from bot.store.sqlite.readers import Readers
from bot.store.sqlite.writer import Writer

T = TypeVar("T")
V = TypeVar("V", bound=msgspec.Struct)


class SqliteStore(Store):
    """A store in the file at `path`; `max_bytes` limits its size (0 for no limit but the disk's).

    WAL with synchronous=FULL: what was acknowledged survives a kill and a power cut. `looks_only` opens it beside the
    process that has it: no lock, no migration, and every write is refused.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        max_bytes: int = 0,
        readers: int = 2,
        longest_read: float = 10.0,
        looks_only: bool = False,
    ) -> None:
        self._path = Path(path)
        self._looks_only = looks_only
        self._max_bytes = max_bytes
        self._reader_count = readers
        self._longest_read = longest_read
        self._lock = FileLock(self._path)
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._last_tenant = ""

    async def start(self) -> None:
        """Lock, migrate and open."""
        if not self._looks_only:
            await asyncio.to_thread(self._prepare)
        try:
            if not self._looks_only:
                self._writer = Writer(self._path, max_bytes=self._max_bytes)
            self._readers = Readers(self._path, threads=self._reader_count, longest=self._longest_read)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Finish what is waiting, then close."""
        readers, self._readers = self._readers, None
        writer, self._writer = self._writer, None
        if readers is not None:
            await asyncio.to_thread(readers.stop)
        if writer is not None:
            await writer.stop()  # the last to close: it empties the log into the file
        self._lock.release()

    def _prepare(self) -> None:
        self._lock.take()
        try:
            migrate(self._path)
            with contextlib.closing(sqlite3.connect(self._path)) as raw, raw:
                lanes.release(raw)
        except BaseException:
            self._lock.release()
            raise

    @property
    def _write(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable("the store is not open")
        return self._writer

    @property
    def _read(self) -> Readers:
        if self._readers is None:
            raise StoreUnavailable("the store is not open")
        return self._readers

    # --- units of work

    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        """Run `fn` in a transaction of its own; return its result once it is durable. It is always alone here."""
        return await self._write.unit(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a read-only connection."""
        return await self._read.unit(fn)

    # --- the inbox and its lanes

    async def put(self, message: Message, now: float) -> Accepted:
        """Store a message durably."""
        return await self._write.run(inbox.put, incoming(message), now)

    async def take(self, message: Message, worker: str, lease: float, now: float) -> tuple[Accepted, Claim | None]:
        """Store a message durably, and claim its turn if nothing else of its lane waits or is at work."""
        return await self._write.run(lanes.take, incoming(message), worker, now + lease, now)

    async def claim(self, worker: str, limit: int, lease: float, now: float) -> list[Claim]:
        """Take up to `limit` turns that are ready, tenant by tenant."""
        claims, self._last_tenant = await self._write.run(
            lanes.claim, self._last_tenant, worker, limit, now + lease, now
        )
        return claims

    async def commit(self, change: Change) -> Committed:
        """Write a turn's result, or raise Fenced."""
        return await self._cleanly(lambda value: self._write.run(lanes.commit, value), change)

    async def retry(self, claim: Claim, now: float, *, pause: float = 0.0, counts: bool = True) -> bool:
        """Give a turn back, to be claimed again in `pause` seconds."""
        return await self._write.run(lanes.retry, claim, now + pause, counts)

    async def reread(self, claim: Claim) -> Claim | None:
        """The same turn as it stands now, if it is still ours."""
        return await self._read.run(lanes.reread, claim)

    async def renew(self, claims: Sequence[Claim], lease: float, now: float) -> list[bool]:
        """Keep turns for `lease` more seconds."""
        return await self._write.run(lanes.renew, claims, now + lease)

    async def apply(self, effect: Effect) -> Applied | None:
        """Write an effect, once."""
        message = None if effect.message is None else incoming(effect.message)
        return await self._cleanly(lambda value: self._write.run(effects.apply, value, message), effect)

    async def fire(self, now: float, limit: int = 100) -> int:
        """Move timers that are due into their lanes."""
        return await self._write.run(inbox.fire, now, limit)

    async def next_due(self) -> float | None:
        """When the next timer or turn is due."""
        return await self._read.run(looking.next_due)

    async def hold(self, name: str, worker: str, lease: float, now: float) -> bool:
        """Be the one that does `name`."""
        return await self._write.run(lanes.hold, name, worker, now + lease, now)

    async def let_go(self, name: str, worker: str) -> None:
        """Not any more."""
        await self._write.run(lanes.let_go, name, worker)

    # --- the outbox

    async def unsent(self, conversation: str = "") -> list[OutRow]:
        """Rows that are pending or sending: all, or those of one conversation."""
        return await self._read.run(looking.unsent, conversation)

    async def pick_up(self, limit: int, hold: float, now: float) -> list[OutRow]:
        """Take rows that nobody sends."""
        return await self._write.run(outbox.pick_up, limit, now + hold, now)

    async def mark_sending(self, row: OutRow, wait: float, now: float) -> Begun:
        """Durably say that a send begins now."""
        return await self._write.run(outbox.mark_sending, row, wait, now)

    async def mark_sent(self, row: OutRow, platform_id: str, now: float) -> None:
        """The platform took it."""
        await self._write.run(outbox.mark_sent, row.conversation, row.seq, clean_text(platform_id), now)

    async def mark_failed(self, row: OutRow, status: Literal["failed", "ambiguous"], error: str) -> bool:
        """It will not be tried again."""
        return await self._write.run(outbox.mark_failed, row, status, clean_text(error))

    async def postpone(self, row: OutRow, pause: float, error: str, now: float) -> bool:
        """It was surely not sent; try again in `pause` seconds."""
        return await self._write.run(outbox.postpone, row, now + pause, clean_text(error))

    # --- looking

    async def history(self, conversation: str, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript behind `after`, without holes."""
        return await self._read.run(looking.history, conversation, after, limit)

    async def conversation(self, conversation: str) -> Conversation | None:
        """A conversation by id."""
        return await self._read.run(looking.conversation, conversation)

    async def recall(self, person: str, key: str) -> bytes | None:
        """What was remembered, as JSON."""
        return await self._read.run(looking.recall, person, key)

    async def recall_all(self, person: str, beginning: str) -> dict[str, bytes]:
        """All that was remembered under keys that begin like this."""
        return await self._read.run(looking.recall_all, person, beginning)

    async def case(self, *, id: str = "", desk: str = "", ref: str = "") -> CaseRecord | None:
        """A case, by our id or by the desk's."""
        return await self._read.run(looking.case, id, desk, ref)

    async def open_cases(self, desk: str) -> list[CaseRecord]:
        """Cases that are not closed."""
        return await self._read.run(looking.open_cases, desk)

    async def trace(self, conversation: str, n: int) -> tuple[bytes, list[OutRow]] | None:
        """The trace of a turn and the replies it made."""
        return await self._read.run(looking.trace, conversation, n)

    async def states(self, *, after: str = "", limit: int = 500) -> list[tuple[Conversation, bytes]]:
        """Conversations with a state, by id behind `after`."""
        return await self._read.run(looking.states, after, limit)

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """Turns that were given up, newest first."""
        return await self._read.run(looking.dead_letters, limit)

    async def _cleanly(self, submit: Callable[[V], asyncio.Future[T]], value: V) -> T:
        """Write a value; should it hold text that UTF-8 can't, write it again without."""
        try:
            return await submit(value)
        except UnicodeEncodeError:
            return await submit(clean(value))
