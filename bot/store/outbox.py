"""Statements for replies and desk calls that wait to be sent.

Runs on the writer's own connection, inside its transaction. Knows nothing of channels and desks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from bot.errors import StoreError
from bot.messages import Address
from bot.store.codec import decode_call, decode_reply, encode
from bot.store.contract import Outgoing, OutRow, OutStatus

COLUMNS = """o.conversation, o.seq, o.turn, o.target, o.key, o.body, o.source, o.author, o.status, o.attempts,
       o.not_before, o.first_attempt_at, o.last_attempt_at, o.platform_id, o.error,
       l.channel, l.account, l.chat, l.thread"""

_INSERT = """
INSERT INTO outbox (conversation, seq, turn, target, key, body, source, author, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, key) DO NOTHING"""

_SENDING = """
UPDATE outbox SET status = 'sending', attempts = attempts + 1, last_attempt_at = ?1,
  first_attempt_at = CASE first_attempt_at WHEN 0 THEN ?1 ELSE first_attempt_at END
WHERE conversation = ?2 AND seq = ?3 AND status IN ('pending', 'sending')
  AND NOT (source = 'bot' AND target = 'channel'
           AND EXISTS (SELECT 1 FROM lanes WHERE conversation = ?2 AND owner = 'human'))"""

# Two voices never speak: what the statement above left out is the bot's own, and a human has taken over.
_SUPPRESS = """
UPDATE outbox SET status = 'suppressed' WHERE conversation = ? AND seq = ? AND status IN ('pending', 'sending')"""

_STATUS = "SELECT status FROM outbox WHERE conversation = ? AND seq = ?"

_SENT = """
UPDATE outbox SET status = 'sent', platform_id = ?, sent_at = ?, error = '' WHERE conversation = ? AND seq = ?"""

_FAILED = "UPDATE outbox SET status = ?, error = ? WHERE conversation = ? AND seq = ?"

_POSTPONED = """
UPDATE outbox SET status = 'pending', not_before = ?, error = ? WHERE conversation = ? AND seq = ?"""


def add(
    raw: sqlite3.Connection,
    conversation: str,
    place: Sequence[str],
    turn: int,
    numbered: Iterable[tuple[int, Outgoing]],
    now: float,
) -> tuple[OutRow, ...]:
    """Insert rows, each with its seq; the answer has those whose key was new."""
    channel, account, chat, thread = place
    address = Address(channel=channel, account=account, chat=chat, thread=thread)
    rows = []
    for seq, item in numbered:
        target: Literal["channel", "desk"] = "channel" if item.call is None else "desk"
        body = encode(item.body if item.call is None else item.call)
        values = (conversation, seq, turn, target, item.key, body, item.source, item.author, now)
        if raw.execute(_INSERT, values).rowcount == 1:
            rows.append(
                OutRow(
                    id=f"{conversation}.{seq}",
                    conversation=conversation,
                    seq=seq,
                    turn=turn,
                    target=target,
                    address=address,
                    outgoing=item,
                )
            )
    return tuple(rows)


def mark_sending(raw: sqlite3.Connection, conversation: str, seq: int, now: float) -> OutStatus:
    """Say that a send begins now, and count it; a row that is finished stays as it is."""
    if raw.execute(_SENDING, (now, conversation, seq)).rowcount == 1:
        return "sending"
    raw.execute(_SUPPRESS, (conversation, seq))
    row = raw.execute(_STATUS, (conversation, seq)).fetchone()
    if row is None:
        raise StoreError(f"there is no outbox row {conversation}.{seq}")
    status: OutStatus = row[0]
    return status


def mark_sent(raw: sqlite3.Connection, conversation: str, seq: int, platform_id: str, now: float) -> None:
    """The platform took it."""
    raw.execute(_SENT, (platform_id, now, conversation, seq))


def mark_failed(raw: sqlite3.Connection, conversation: str, seq: int, status: str, error: str) -> None:
    """It will not be tried again."""
    raw.execute(_FAILED, (status, error, conversation, seq))


def postpone(raw: sqlite3.Connection, conversation: str, seq: int, at: float, error: str) -> None:
    """It waits again, until `at`."""
    raw.execute(_POSTPONED, (at, error, conversation, seq))


def as_row(row: tuple[Any, ...]) -> OutRow:
    """A row of COLUMNS as a value."""
    conversation, seq, turn, target, key, body, source, author, status, attempts = row[:10]
    not_before, first_attempt_at, last_attempt_at, platform_id, error, channel, account, chat, thread = row[10:]
    outgoing = Outgoing(
        key=key,
        body=decode_reply(body) if target == "channel" else None,
        call=decode_call(body) if target == "desk" else None,
        source=source,
        author=author,
    )
    return OutRow(
        id=f"{conversation}.{seq}",
        conversation=conversation,
        seq=seq,
        turn=turn,
        target=target,
        address=Address(channel=channel, account=account, chat=chat, thread=thread),
        outgoing=outgoing,
        status=status,
        attempts=attempts,
        not_before=not_before,
        first_attempt_at=first_attempt_at,
        last_attempt_at=last_attempt_at,
        platform_id=platform_id,
        error=error,
    )
