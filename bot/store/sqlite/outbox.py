"""Statements for replies and desk calls that wait to be sent.

Runs on the writer's own connection, inside its transaction. Knows nothing of channels and desks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from bot.errors import StoreError
from bot.messages import Address
from bot.store.contract import Begun, Outgoing, OutRow
from bot.store.parking import KEEP, as_letter, given_up, row_or_letter
from bot.store.rows import OUTBOX, begun, body, fresh, once

_INSERT = """
INSERT INTO outbox (conversation, seq, turn, target, key, body, source, author, always, edits, at, held_until,
                    status, attempts, not_before, first_attempt_at, last_attempt_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, key) DO NOTHING"""

STANDS_BEFORE = """
EXISTS (SELECT 1 FROM outbox WHERE conversation = ? AND target = 'channel' AND status IN ('pending', 'sending'))"""
"""Whether a reply of a conversation is still to be sent."""

_FIRST = """
NOT EXISTS (SELECT 1 FROM outbox earlier WHERE earlier.conversation = {0}.conversation
            AND earlier.target = {0}.target AND earlier.seq < {0}.seq AND earlier.status IN ('pending', 'sending'))"""

# Two voices never speak: a row of the bot's own is not begun once a human has taken over. And nobody speaks to somebody
# who wants to hear nothing.
_SENDING = f"""
UPDATE outbox SET status = 'sending', attempts = attempts + 1, last_attempt_at = ?1, not_before = ?2, held_until = 0,
  first_attempt_at = CASE first_attempt_at WHEN 0 THEN ?1 ELSE first_attempt_at END
WHERE conversation = ?3 AND seq = ?4 AND attempts = ?5 AND status IN ('pending', 'sending')
  AND {_FIRST.format("outbox")}
  AND NOT (source = 'bot' AND target = 'channel'
           AND EXISTS (SELECT 1 FROM lanes WHERE conversation = ?3 AND owner = 'human'))
  AND NOT (target = 'channel' AND always = 0
           AND EXISTS (SELECT 1 FROM lanes WHERE conversation = ?3 AND silence <> ''))"""  # noqa: S608  # our own constants

_LOOK = f"SELECT status, attempts, {_FIRST.format('outbox')} FROM outbox WHERE conversation = ? AND seq = ?"  # noqa: S608

_SUPPRESS = "UPDATE outbox SET status = 'suppressed' WHERE conversation = ? AND seq = ?"

_READY = f"""{OUTBOX}
WHERE o.status IN ('pending', 'sending') AND o.not_before <= ?1 AND o.held_until <= ?1 AND {_FIRST.format("o")}
ORDER BY o.not_before LIMIT ?2"""

_HOLD = "UPDATE outbox SET held_until = ? WHERE conversation = ? AND seq = ?"

_KEEP = KEEP.format(*"???????")

_GIVE_UP = "UPDATE outbox SET status = ?, error = ? WHERE conversation = ? AND seq = ?"

# Whoever held them is dead. A message of theirs may still be on its way, so the time of a look at its outcome stays;
# desks look before they write, so a call to one need not wait.
_RELEASE = """
UPDATE outbox SET held_until = 0,
  not_before = CASE WHEN status = 'sending' AND target = 'desk' THEN 0 ELSE not_before END
WHERE status IN ('pending', 'sending')"""

_SENT = """
UPDATE outbox SET status = 'sent', platform_id = ?, sent_at = ?, error = ''
WHERE conversation = ? AND seq = ? AND status IN ('pending', 'sending')"""

_FAILED = """
UPDATE outbox SET status = ?, error = ?
WHERE conversation = ? AND seq = ? AND attempts = ? AND status IN ('pending', 'sending')"""

_POSTPONED = """
UPDATE outbox SET status = 'pending', not_before = ?, held_until = ?, error = ?
WHERE conversation = ? AND seq = ? AND attempts = ? AND status IN ('pending', 'sending')"""

_PENDING = "SELECT 1 FROM outbox WHERE conversation = ? AND seq = ? AND attempts = ? AND status = 'pending'"

_WITHDRAW = "UPDATE outbox SET status = 'suppressed', key = key || '~' || seq WHERE conversation = ? AND seq = ?"

HEAD_START = 5.0
"""Seconds that whoever put a row off has for trying it again, before anybody else does."""


def release(raw: sqlite3.Connection) -> None:
    """Let go of what the process before held."""
    raw.execute(_RELEASE)


class Times(NamedTuple):
    """When rows are made, until when they are held, and (if not 0) that the first reply is sent at once.

    `sends` is after how many seconds the outcome of that may be looked up; 0 also where an earlier reply is to be sent.
    """

    now: float
    held_until: float
    sends: float = 0.0


def add(
    raw: sqlite3.Connection,
    conversation: str,
    address: Address,
    turn: int,
    numbered: Iterable[tuple[int, Outgoing]],
    times: Times,
) -> tuple[OutRow, ...]:
    """Insert rows, each with its seq; the answer has those whose key was new."""
    rows: list[OutRow] = []
    begins = bool(times.sends)
    for seq, item in numbered:
        row = fresh(conversation, turn, address, seq, item)
        # Not one that must not be sent twice: should we die before the call, nobody could say that it was not made.
        if begins and item.body is not None and not once(item):
            row = begun(row, times.now, times.sends)
        if _insert(raw, row, times):
            rows.append(row)
            begins = begins and item.body is None
    return tuple(rows)


def _insert(raw: sqlite3.Connection, row: OutRow, times: Times) -> bool:
    item = row.outgoing
    values = (
        row.conversation,
        row.seq,
        row.turn,
        row.target,
        item.key,
        body(item),
        item.source,
        item.author,
        1 if item.always else 0,
        item.edits,
        times.now,
        0.0 if row.attempts else times.held_until,
        row.status,
        row.attempts,
        row.not_before,
        row.first_attempt_at,
        row.last_attempt_at,
    )
    return raw.execute(_INSERT, values).rowcount == 1


def pick_up(raw: sqlite3.Connection, limit: int, until: float, now: float) -> list[OutRow]:
    """Hold the first rows of lines that nobody holds; what can't be decoded is kept, and its line goes on."""
    rows = []
    for found in raw.execute(_READY, (now, limit)).fetchall():
        row = row_or_letter(found, now)
        if isinstance(row, OutRow):
            raw.execute(_HOLD, (until, row.conversation, row.seq))
            rows.append(row)
        else:
            raw.execute(_KEEP, as_letter(row))
            raw.execute(_GIVE_UP, (given_up(found), row.problem, *found[:2]))
    return rows


def mark_sending(raw: sqlite3.Connection, row: OutRow, wait: float, now: float) -> Begun:
    """Say that a send begins now, and count it; a row that is finished, or not ours, stays as it is."""
    if raw.execute(_SENDING, (now, now + wait, row.conversation, row.seq, row.attempts)).rowcount == 1:
        return "sending"
    found = raw.execute(_LOOK, (row.conversation, row.seq)).fetchone()
    if found is None:
        raise StoreError(f"there is no outbox row {row.id}")
    status, attempts, first = found
    if status not in ("pending", "sending"):
        done: Begun = status
        return done
    if not first:
        return "waits"
    if attempts != row.attempts:
        return "taken"
    raw.execute(_SUPPRESS, (row.conversation, row.seq))
    return "suppressed"


def mark_sent(raw: sqlite3.Connection, conversation: str, seq: int, platform_id: str, now: float) -> None:
    """The platform took it."""
    raw.execute(_SENT, (platform_id, now, conversation, seq))


def mark_failed(raw: sqlite3.Connection, row: OutRow, status: str, error: str) -> bool:
    """It will not be tried again."""
    return raw.execute(_FAILED, (status, error, row.conversation, row.seq, row.attempts)).rowcount == 1


def still_pending(raw: sqlite3.Connection, rows: Iterable[OutRow]) -> bool:
    """Whether no send of any of them has begun."""
    return all(raw.execute(_PENDING, (row.conversation, row.seq, row.attempts)).fetchone() for row in rows)


def withdraw(raw: sqlite3.Connection, rows: Iterable[OutRow]) -> None:
    """They are not sent after all, and their keys are free."""
    raw.executemany(_WITHDRAW, [(row.conversation, row.seq) for row in rows])


def postpone(raw: sqlite3.Connection, row: OutRow, at: float, error: str) -> bool:
    """It waits again, until `at`."""
    values = (at, at + HEAD_START, error, row.conversation, row.seq, row.attempts)
    return raw.execute(_POSTPONED, values).rowcount == 1
