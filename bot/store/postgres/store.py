"""The store on PostgreSQL, for any number of processes. Says which statement goes where; knows no SQL itself.

The hot path goes straight to the driver, one round trip each (messages that come at the same time share one); units
of work go through SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import msgspec
from sqlalchemy import Connection

from bot.channel import Accepted, Entry
from bot.messages import Message
from bot.people import Conversation
from bot.store.amending import GATHERING, changes
from bot.store.codec import clean
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
from bot.store.postgres import effects, lanes, looking, outbox
from bot.store.postgres.address import DatabaseAddress
from bot.store.postgres.batches import Batches
from bot.store.postgres.lanes import Taking
from bot.store.postgres.migrate import prepare
from bot.store.postgres.outbox import Sent
from bot.store.postgres.pool import Pool
from bot.store.postgres.texts import plain
from bot.store.postgres.units import Units

T = TypeVar("T")
V = TypeVar("V", bound=msgspec.Struct)


class PostgresStore(Store):
    """A store in the database at `url`, over up to `pool` connections (and three more for units of work).

    With `own_clock` the database's clock counts, whatever `now` a caller gives. `looks_only` opens it beside the
    processes that use it: no migration, and every write is refused.
    """

    def __init__(self, url: str, *, pool: int = 10, own_clock: bool = True, looks_only: bool = False) -> None:
        self._address = DatabaseAddress(url, looks_only=looks_only)
        self._pool = Pool(self._address, pool)
        self._units = Units(self._address)
        self._own_clock = own_clock
        self._take = Batches[Taking, tuple[Accepted, Claim | None]](lambda wanted: lanes.take(self._pool, wanted))
        self._sent = Batches[Sent, None](lambda sent: outbox.mark_sent(self._pool, sent))

    async def start(self) -> None:
        """Look at the database, migrate it and connect; raises StartError, with what to do, where that can't be."""
        await prepare(self._address)
        await self._pool.start()
        self._units.start()

    async def stop(self) -> None:
        """Finish what is under way, then close."""
        await self._take.stop()
        await self._sent.stop()
        await self._units.stop()
        await self._pool.stop()

    def _at(self, now: float) -> float | None:
        return None if self._own_clock else now

    # --- units of work

    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        """Run `fn` in a transaction of its own; return its result once it is durable."""
        return await self._units.write(fn, alone=alone)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a read-only connection."""
        return await self._units.read(fn)

    # --- the inbox and its lanes

    async def put(self, message: Message, now: float) -> Accepted:
        """Store a message durably."""
        accepted, _ = await self._taken(Taking(incoming(message), self._at(now)))
        return accepted

    async def take(self, message: Message, worker: str, lease: float, now: float) -> tuple[Accepted, Claim | None]:
        """Store a message durably, and claim its turn if nothing else of its lane waits or is at work."""
        return await self._taken(Taking(incoming(message), self._at(now), worker, lease))

    async def _taken(self, taking: Taking) -> tuple[Accepted, Claim | None]:
        if taking.item.message.group:  # nobody's yet: its other parts are on their way
            taking = taking._replace(worker="", lease=GATHERING)
        if changes(taking.item.message):
            return await self._pool.transaction(lambda connection: lanes.take_edit(connection, taking))
        return await self._take.call(taking)

    async def claim(self, worker: str, limit: int, lease: float, now: float) -> list[Claim]:
        """Take up to `limit` turns that are ready, tenant by tenant."""
        return await lanes.claim(self._pool, worker, limit, lease, self._at(now))

    async def commit(self, change: Change) -> Committed:
        """Write a turn's result, or raise Fenced."""
        now = self._at(change.now)
        try:
            return await lanes.commit(self._pool, change, now)
        except UnicodeEncodeError:
            return await lanes.commit(self._pool, clean(change), now)

    async def retry(self, claim: Claim, now: float, *, pause: float = 0.0, counts: bool = True) -> bool:
        """Give a turn back, to be claimed again in `pause` seconds."""
        return await lanes.retry(self._pool, claim, self._at(now), pause, counts)

    async def reread(self, claim: Claim) -> Claim | None:
        """The same turn as it stands now, if it is still ours."""
        return await lanes.reread(self._pool, claim)

    async def renew(self, claims: Sequence[Claim], lease: float, now: float) -> list[bool]:
        """Keep turns for `lease` more seconds."""
        return await lanes.renew(self._pool, claims, lease, self._at(now))

    async def apply(self, effect: Effect) -> Applied | None:
        """Write an effect, once."""
        try:
            return await self._apply(effect)
        except UnicodeEncodeError:
            return await self._apply(clean(effect))

    async def _apply(self, effect: Effect) -> Applied | None:
        message = None if effect.message is None else incoming(effect.message)
        now = self._at(effect.now)
        return await self._pool.transaction(lambda connection: effects.apply(connection, effect, message, now))

    async def fire(self, now: float, limit: int = 100) -> int:
        """Move timers that are due into their lanes."""
        return await lanes.fire(self._pool, self._at(now), limit)

    async def next_due(self) -> float | None:
        """When the next timer or turn is due."""
        return await looking.next_due(self._pool)

    async def hold(self, name: str, worker: str, lease: float, now: float) -> bool:
        """Be the one that does `name`."""
        return await lanes.hold(self._pool, name, worker, lease, self._at(now))

    async def let_go(self, name: str, worker: str) -> None:
        """Not any more."""
        await lanes.let_go(self._pool, name, worker)

    # --- the outbox

    async def unsent(self, conversation: str = "") -> list[OutRow]:
        """Rows that are pending or sending: all, or those of one conversation."""
        return await outbox.unsent(self._pool, conversation)

    async def pick_up(self, limit: int, hold: float, now: float) -> list[OutRow]:
        """Take rows that nobody sends."""
        return await outbox.pick_up(self._pool, limit, hold, self._at(now))

    async def mark_sending(self, row: OutRow, wait: float, now: float) -> Begun:
        """Durably say that a send begins now."""
        return await outbox.mark_sending(self._pool, row, wait, self._at(now))

    async def mark_sent(self, row: OutRow, platform_id: str, now: float) -> None:
        """The platform took it."""
        await self._sent.call(Sent(row.conversation, row.seq, plain(platform_id), self._at(now)))

    async def mark_failed(self, row: OutRow, status: Literal["failed", "ambiguous"], error: str) -> bool:
        """It will not be tried again."""
        return await outbox.mark_failed(self._pool, row, status, error)

    async def postpone(self, row: OutRow, pause: float, error: str, now: float) -> bool:
        """It was surely not sent; try again in `pause` seconds."""
        return await outbox.postpone(self._pool, row, pause, error, self._at(now))

    # --- looking

    async def history(self, conversation: str, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript behind `after`, without holes."""
        return await looking.history(self._pool, conversation, after, limit)

    async def conversation(self, conversation: str) -> Conversation | None:
        """A conversation by id."""
        return await looking.conversation(self._pool, conversation)

    async def recall(self, person: str, key: str) -> bytes | None:
        """What was remembered, as JSON."""
        return await looking.recall(self._pool, person, key)

    async def recall_all(self, person: str, beginning: str) -> dict[str, bytes]:
        """All that was remembered under keys that begin like this."""
        return await looking.recall_all(self._pool, person, beginning)

    async def case(self, *, id: str = "", desk: str = "", ref: str = "") -> CaseRecord | None:
        """A case, by our id or by the desk's."""
        return await looking.case(self._pool, id, desk, ref)

    async def open_cases(self, desk: str) -> list[CaseRecord]:
        """Cases that are not closed."""
        return await looking.open_cases(self._pool, desk)

    async def trace(self, conversation: str, n: int) -> tuple[bytes, list[OutRow]] | None:
        """The trace of a turn and the replies it made."""
        return await looking.trace(self._pool, conversation, n)

    async def states(self, *, after: str = "", limit: int = 500) -> list[tuple[Conversation, bytes]]:
        """Conversations with a state, by id behind `after`."""
        return await looking.states(self._pool, after, limit)

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """Turns that were given up, newest first."""
        return await looking.dead_letters(self._pool, limit)
