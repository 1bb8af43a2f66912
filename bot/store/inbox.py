"""Statements that bring messages into the inbox: from channels, and from timers that are due.

Runs on the writer's own connection, inside its transaction. Knows no turns: see lanes.py.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import msgspec

from bot.channel import Accepted
from bot.messages import Address, Due, Message, Sender
from bot.people import conversation_id, person_id
from bot.store.codec import clean, clean_id, decode_due, encode

# No RETURNING in the hot statements: SQLite keeps its rows in a table of their own, 5 microseconds a time. With one
# writer, looking first is as good, and the number is still given in the transaction that updates the lane.
_LANE = "SELECT tail, seq, person FROM lanes WHERE conversation = ?"

_INSERT = """
INSERT INTO inbox (conversation, seq, n, tenant, channel, account, event_id, person, words, payload, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id, account, channel, tenant) DO NOTHING"""

_FIND = "SELECT conversation, seq FROM inbox WHERE tenant = ? AND channel = ? AND account = ? AND event_id = ?"

_NEW_LANE = """
INSERT INTO lanes (conversation, tenant, channel, account, chat, thread, person, tail, seq, turn_seq, ready_at,
                   created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8, ?9, ?9)"""

_NEXT_IN_LANE = """
UPDATE lanes SET tail = ?2, seq = ?3,
  ready_at = CASE turn_seq WHEN 0 THEN ?4 ELSE ready_at END,
  turn_seq = CASE turn_seq WHEN 0 THEN ?3 ELSE turn_seq END
WHERE conversation = ?1"""

# Nothing is written when nothing changed. Phone and e-mail that a platform vouched for are never replaced by ones
# that nobody vouches for, and do not mix with them.
_PERSON = """
INSERT INTO people (id, tenant, name, language, phone, email, verified) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (id) DO UPDATE SET
  name = CASE ?3 WHEN '' THEN name ELSE ?3 END,
  language = CASE ?4 WHEN '' THEN language ELSE ?4 END,
  phone = CASE WHEN verified > ?7 OR (?5 = '' AND verified = ?7) THEN phone ELSE ?5 END,
  email = CASE WHEN verified > ?7 OR (?6 = '' AND verified = ?7) THEN email ELSE ?6 END,
  verified = max(verified, ?7)
WHERE (?3 <> '' AND name <> ?3) OR (?4 <> '' AND language <> ?4)
   OR (verified <= ?7 AND ((?5 <> '' AND phone <> ?5) OR (?6 <> '' AND email <> ?6) OR verified < ?7))"""

_DUE = """
SELECT t.conversation, t.key, t.at, t.due, l.tenant, l.channel, l.account, l.chat, l.thread
FROM timers t JOIN lanes l USING (conversation) WHERE t.at <= ? ORDER BY t.at LIMIT ?"""

_FIRED = "DELETE FROM timers WHERE conversation = ? AND key = ?"


class Incoming(NamedTuple):
    """A message ready for the inbox: encoded, with its ids worked out, before it reaches the writer."""

    conversation: str
    person: str
    payload: bytes
    message: Message


def incoming(message: Message) -> Incoming:
    """Make a message ready; here is the edge where lone surrogates are replaced, so that nothing later can fail."""
    address = message.address
    conversation = conversation_id(message.tenant, address)
    # What the engine put in itself (a due timer) speaks for whoever the lane belongs to.
    internal = isinstance(message.content, Due)
    person = "" if internal else person_id(message.tenant, address.channel, address.account, message.sender.id)
    try:
        return Incoming(conversation, person, encode(message), message)
    except UnicodeEncodeError:
        message = msgspec.structs.replace(clean(message), event_id=clean_id(message.event_id))
        return Incoming(conversation, person, encode(message), message)


def put(raw: sqlite3.Connection, item: Incoming, now: float) -> Accepted:
    """Give a message its number and store it; a known event id answers with the message that had it first."""
    conversation, person, payload, message = item
    address, sender = message.address, message.sender
    # Under an empty channel no stranger's event id can meet one of the engine's own.
    channel = address.channel if person else ""
    event = (message.tenant, channel, address.account, message.event_id)
    words = 1 if message.text or message.media else 0
    tail, seq, owner = raw.execute(_LANE, (conversation,)).fetchone() or (0, 0, "")
    n, seq = tail + 1, seq + 1
    row = (conversation, seq, n, *event, person or owner, words, payload, now)
    if raw.execute(_INSERT, row).rowcount == 0:
        conversation, seq = raw.execute(_FIND, event).fetchone()
        return Accepted(conversation=conversation, seq=seq, duplicate=True)
    if n > 1:
        raw.execute(_NEXT_IN_LANE, (conversation, n, seq, now))
    else:
        place = (address.channel, address.account, address.chat, address.thread)
        raw.execute(_NEW_LANE, (conversation, message.tenant, *place, person, seq, now))
    if person:
        _meet(raw, person, message.tenant, sender)
    return Accepted(conversation=conversation, seq=seq)


def fire(raw: sqlite3.Connection, now: float, limit: int) -> int:
    """Turn timers that are due into messages of their lanes."""
    due = raw.execute(_DUE, (now, limit)).fetchall()
    for conversation, key, at, content, tenant, channel, account, chat, thread in due:
        message = Message(
            event_id=f"timer:{conversation}:{key}:{at}",
            address=Address(channel=channel, account=account, chat=chat, thread=thread),
            sender=Sender(id="frontdesk"),
            content=decode_due(content),
            at=now,
            tenant=tenant,
        )
        put(raw, Incoming(conversation, "", encode(message), message), now)
        raw.execute(_FIRED, (conversation, key))
    return len(due)


def _meet(raw: sqlite3.Connection, person: str, tenant: str, sender: Sender) -> None:
    vouched = 1 if sender.verified and (sender.phone or sender.email) else 0
    known = (sender.name, sender.language, sender.phone, sender.email, vouched)
    raw.execute(_PERSON, (person, tenant, *known))
