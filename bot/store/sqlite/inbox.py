"""Statements that bring messages into the inbox: from channels, and from timers that are due.

Runs on the writer's own connection, inside its transaction. Knows no turns: see lanes.py.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from bot.channel import Accepted, Unreadable
from bot.messages import Address, Message, Sender
from bot.store.amending import GATHERING, WAITING, amend, changes
from bot.store.codec import encode
from bot.store.contract import Claim
from bot.store.incoming import Incoming
from bot.store.parking import KEEP, as_letter, due_or_letter
from bot.store.rows import LANE, claim_of

# No RETURNING in the hot statements: SQLite keeps its rows in a table of their own, 5 microseconds a time. With one
# writer, looking first is as good, and the number is still given in the transaction that updates the lane.
_LANE = f"""
SELECT l.tail, l.seq, l.person, l.turn_seq, p.name, p.language, p.phone, p.email, p.verified, p.timezone, s.state,
       {LANE}
FROM lanes l LEFT JOIN people p ON p.id = ?2 LEFT JOIN states s ON s.conversation = l.conversation
WHERE l.conversation = ?1"""  # noqa: S608  # our own constants

_INSERT = """
INSERT INTO inbox (conversation, seq, n, tenant, channel, account, event_id, person, words, payload, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id, account, channel, tenant) DO NOTHING"""

_FIND = "SELECT conversation, seq FROM inbox WHERE tenant = ? AND channel = ? AND account = ? AND event_id = ?"

_NEW_LANE = """
INSERT INTO lanes (conversation, tenant, channel, account, chat, thread, person, created_at, tail, seq, turn_seq,
                   ready_at, worker, epoch, attempts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)"""

_WAITS = "UPDATE lanes SET tail = ?, seq = ? WHERE conversation = ?"

_IS_NEXT = """
UPDATE lanes SET tail = ?, seq = ?, turn_seq = ?, ready_at = ?, worker = ?, epoch = epoch + ?, attempts = attempts + ?
WHERE conversation = ?"""

# Phone and e-mail that a platform vouched for are never replaced by ones
# that nobody vouches for, and do not mix with them.
_PERSON = """
INSERT INTO people (id, tenant, name, language, phone, email, verified, timezone)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (id) DO UPDATE SET
  name = CASE ?3 WHEN '' THEN name ELSE ?3 END,
  language = CASE ?4 WHEN '' THEN language ELSE ?4 END,
  timezone = CASE ?8 WHEN '' THEN timezone ELSE ?8 END,
  phone = CASE WHEN verified > ?7 OR (?5 = '' AND verified = ?7) THEN phone ELSE ?5 END,
  email = CASE WHEN verified > ?7 OR (?6 = '' AND verified = ?7) THEN email ELSE ?6 END,
  verified = max(verified, ?7)"""

_WAITING = WAITING.format("?", "?")

_AMEND = "UPDATE inbox SET payload = ?, words = ? WHERE conversation = ? AND seq = ?"

_DUE = """
SELECT t.conversation, t.key, t.at, t.due, l.tenant, l.channel, l.account, l.chat, l.thread
FROM timers t JOIN lanes l USING (conversation) WHERE t.at <= ? ORDER BY t.at LIMIT ?"""

_KEEP = KEEP.format(*"???????")

_FIRED = "DELETE FROM timers WHERE conversation = ? AND key = ?"


class Taken(NamedTuple):
    """A message that was stored; whether it is at work from now on, and what on, where that need not be looked up."""

    accepted: Accepted
    begun: bool = False
    claim: Claim | None = None


def put(raw: sqlite3.Connection, item: Incoming, now: float) -> Accepted:
    """Give a message its number and store it; a known event id answers with the message that had it first."""
    return take(raw, item, "", now, now).accepted


def take(raw: sqlite3.Connection, item: Incoming, worker: str, until: float, now: float) -> Taken:
    """`put`; and if the message is the next of its lane, it is `worker`'s until then."""
    conversation, person, payload, message = item
    event = item.event
    if message.group:  # nobody's yet: its other parts are on their way
        worker, until = "", now + GATHERING
    found = raw.execute(_LANE, (conversation, person)).fetchone()
    tail, seq, owner, busy, *known = found[:10] if found else (0, 0, "", 0, None)
    n, seq = tail + 1, seq + 1
    row = (conversation, seq, n, *event, person or owner, item.words, payload, now)
    if raw.execute(_INSERT, row).rowcount == 0:
        conversation, seq = raw.execute(_FIND, event).fetchone()
        return Taken(Accepted(conversation=conversation, seq=seq, duplicate=True))
    taken = 1 if worker and not busy else 0
    if found is None:
        address = message.address
        place = (address.channel, address.account, address.chat, address.thread)
        raw.execute(
            _NEW_LANE, (conversation, message.tenant, *place, person, now, seq, seq, until, worker, taken, taken)
        )
    elif busy:
        raw.execute(_WAITS, (n, seq, conversation))
    else:
        raw.execute(_IS_NEXT, (n, seq, seq, until, worker, taken, taken, conversation))
    if busy and changes(message):
        _amend(raw, conversation, seq, message)
    accepted = Accepted(conversation=conversation, seq=seq)
    if person and _is_news(item.sender, known):
        raw.execute(_PERSON, (person, message.tenant, *item.sender))
    elif person and taken and found is not None:
        return Taken(accepted, True, claim_of(found[11:], (person, *known), found[10], seq, message, 1))
    return Taken(accepted, bool(taken))


def _amend(raw: sqlite3.Connection, conversation: str, seq: int, edit: Message) -> None:
    """Let an edit change a message that still waits for its turn."""
    waiting = raw.execute(_WAITING, (conversation, seq)).fetchall()
    for number, payload, words in amend(edit, seq, waiting):
        raw.execute(_AMEND, (payload, words, conversation, number))


def fire(raw: sqlite3.Connection, now: float, limit: int) -> int:
    """Turn timers that are due into messages of their lanes; what can't be decoded is kept."""
    due = raw.execute(_DUE, (now, limit)).fetchall()
    for conversation, key, at, kept, tenant, channel, account, chat, thread in due:
        raw.execute(_FIRED, (conversation, key))
        content = due_or_letter(conversation, key, account, kept, now)
        if isinstance(content, Unreadable):
            raw.execute(_KEEP, as_letter(content))
            continue
        message = Message(
            event_id=f"timer:{conversation}:{key}:{at}",
            address=Address(channel=channel, account=account, chat=chat, thread=thread),
            sender=Sender(id="frontdesk"),
            content=content,
            at=now,
            tenant=tenant,
        )
        put(raw, Incoming(conversation, "", encode(message), message), now)
    return len(due)


def _is_news(told: tuple[str, str, str, str, int, str], known: list[Any]) -> bool:
    """Whether a message tells something about its sender that is not written down."""
    if known[0] is None:
        return True
    if told[4] > known[4]:
        return True
    pairs = zip(told, known, strict=True)
    return any(isinstance(new, str) and new and new != old for new, old in pairs)
