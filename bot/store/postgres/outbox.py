"""Statements for replies and desk calls that wait to be sent. Knows nothing of channels and desks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.channel import Unreadable
from bot.errors import StoreError
from bot.store.contract import Begun, OutRow
from bot.store.parking import KEEP, as_letter, given_up, row_or_letter
from bot.store.postgres.functions import call, call_many
from bot.store.postgres.lanes import CLOCK
from bot.store.postgres.pool import Pool
from bot.store.postgres.texts import plain
from bot.store.rows import OUTBOX, Row, as_rows

_PICK_UP = call("pick_up", 3)
_MARK_SENDING = call("mark_sending", 5)
_MARK_SENT = call("mark_sent", 4)
_MARK_MANY_SENT = call_many("mark_sent", ["text", "bigint", "text", "float8"])

_FAILED = """
UPDATE outbox SET status = $4, error = $5
WHERE conversation = $1 AND seq = $2 AND attempts = $3 AND status IN ('pending', 'sending') RETURNING true"""

_POSTPONED = f"""
UPDATE outbox SET status = 'pending', not_before = {CLOCK.format("$4")} + $5, held_until = {CLOCK.format("$4")} + $6,
  error = $7
WHERE conversation = $1 AND seq = $2 AND attempts = $3 AND status IN ('pending', 'sending') RETURNING true"""  # noqa: S608  # our own constant

_KEEP = KEEP.format(*(f"${number}" for number in range(1, 8)))

_GIVE_UP = "UPDATE outbox SET status = $4, error = $5 WHERE conversation = $1 AND seq = $2 AND attempts = $3"

_UNSENT = OUTBOX + "WHERE o.status IN ('pending', 'sending') "

_IN_ORDER = "ORDER BY o.conversation, o.target, o.seq"

HEAD_START = 5.0
"""Seconds that whoever put a row off has for trying it again, before anybody else does."""


async def unsent(pool: Pool, conversation: str) -> list[OutRow]:
    """The rows that wait or are being sent, in one conversation or (where it is empty) in all."""
    if conversation:
        rows = await pool.rows(_UNSENT + "AND o.conversation = $1 " + _IN_ORDER, plain(conversation))
    else:
        rows = await pool.rows(_UNSENT + _IN_ORDER)
    return as_rows(rows)


async def pick_up(pool: Pool, limit: int, hold: float, now: float | None) -> list[OutRow]:
    """Hold the first rows of lines that nobody holds; what can't be decoded is kept, and its line goes on."""
    rows = []
    for found in await pool.rows(_PICK_UP, limit, hold, now):
        row = row_or_letter(found, time.time() if now is None else now)
        if isinstance(row, OutRow):
            rows.append(row)
        else:
            await _give_up(pool, found, row)
    return rows


async def _give_up(pool: Pool, row: Row, letter: Unreadable) -> None:
    key, status = (row[0], row[1], row[9]), given_up(row)

    async def write(connection: Any) -> None:
        await connection.execute(_GIVE_UP, *key, status, plain(letter.problem))
        await connection.execute(_KEEP, *as_letter(letter))

    await pool.transaction(write)


async def mark_sending(pool: Pool, row: OutRow, wait: float, now: float | None) -> Begun:
    """Say that a send begins now, and count it; a row that is finished, or not ours, stays as it is."""
    begun: Begun | None = await pool.value(_MARK_SENDING, row.conversation, row.seq, row.attempts, wait, now)
    if begun is None:
        raise StoreError(f"there is no outbox row {row.id}")
    return begun


class Sent(NamedTuple):
    """A row that the platform took, and its name for it."""

    conversation: str
    seq: int
    platform_id: str
    now: float | None


async def mark_sent(pool: Pool, sent: Sequence[Sent]) -> list[None]:
    """The platform took them."""
    if len(sent) == 1:
        await pool.value(_MARK_SENT, *sent[0])
    else:
        # Sorted, so that two batches with the same rows don't wait for each other in a ring.
        await pool.rows(_MARK_MANY_SENT, *map(list, zip(*sorted(sent), strict=True)))
    return [None] * len(sent)


async def mark_failed(pool: Pool, row: OutRow, status: str, error: str) -> bool:
    """It will not be tried again."""
    return bool(await pool.value(_FAILED, row.conversation, row.seq, row.attempts, status, plain(error)))


async def postpone(pool: Pool, row: OutRow, pause: float, error: str, now: float | None) -> bool:
    """It waits again, for so long."""
    key = (row.conversation, row.seq, row.attempts)
    return bool(await pool.value(_POSTPONED, *key, now, pause, pause + HEAD_START, plain(error)))
