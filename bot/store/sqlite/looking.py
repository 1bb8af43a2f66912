"""Statements that only look: transcripts, conversations, cases, traces, what is unsent.

Runs on a read-only connection, on one snapshot. Knows nothing of who asks.
"""

from __future__ import annotations

import sqlite3
from operator import attrgetter

from bot.channel import Entry
from bot.people import Conversation
from bot.store.contract import CaseRecord, DeadLetter, OutRow
from bot.store.rows import (
    CASES,
    CONVERSATION,
    DEAD,
    OUTBOX,
    as_case,
    as_conversation,
    as_dead_letters,
    as_entries,
    as_rows,
)

# Behind a reply that still waits nothing is shown: it would appear later in front of what a client already has.
# The status is asked twice: the first, in the words of the index outbox_unsent, lets SQLite use it.
_CUT = """
SELECT min(seq) FROM outbox
WHERE conversation = ? AND target = 'channel' AND status IN ('pending', 'sending') AND status = 'pending'"""

_SAID = """
SELECT seq, NULL, NULL, payload, at, '' FROM inbox
WHERE conversation = ? AND seq > ? AND seq < ? AND words = 1 ORDER BY seq LIMIT ?"""

_REPLIED = """
SELECT seq, source, author, body, at, edits FROM outbox
WHERE conversation = ? AND seq > ? AND seq < ? AND target = 'channel' AND status IN ('sending', 'sent', 'ambiguous')
ORDER BY seq LIMIT ?"""

_CONVERSATION = f"SELECT {CONVERSATION} WHERE l.conversation = ?"

_STATES = f"""
SELECT s.state, {CONVERSATION} JOIN states s ON s.conversation = l.conversation
WHERE s.conversation > ? AND length(s.state) > 2 ORDER BY s.conversation LIMIT ?"""

_NEXT_DUE = """
SELECT min(at) FROM (SELECT min(at) AS at FROM timers
                     UNION ALL SELECT min(ready_at) FROM lanes WHERE turn_seq > 0)"""

_UNSENT = OUTBOX + "WHERE o.status IN ('pending', 'sending') "

_IN_ORDER = "ORDER BY o.conversation, o.target, o.seq"

_MADE = OUTBOX + "WHERE o.conversation = ? AND o.turn = ? ORDER BY o.seq"

_DEAD = DEAD + "?"


def history(raw: sqlite3.Connection, conversation: str, after: int, limit: int) -> list[Entry]:
    """The transcript behind `after`, without holes."""
    (cut,) = raw.execute(_CUT, (conversation,)).fetchone()
    window = (conversation, after, cut or 1 << 62, limit)
    lines = as_entries(row for statement in (_SAID, _REPLIED) for row in raw.execute(statement, window))
    return sorted(lines, key=attrgetter("seq"))[:limit]


def conversation(raw: sqlite3.Connection, id: str) -> Conversation | None:
    """A conversation with the person who began it."""
    row = raw.execute(_CONVERSATION, (id,)).fetchone()
    return None if row is None else as_conversation(row)


def states(raw: sqlite3.Connection, after: str, limit: int) -> list[tuple[Conversation, bytes]]:
    """Conversations with a state that is not an empty JSON object."""
    return [(as_conversation(row[1:]), row[0]) for row in raw.execute(_STATES, (after, limit))]


def next_due(raw: sqlite3.Connection) -> float | None:
    """When the next timer is due, or a turn may be claimed: put off until then, or its lease ends then."""
    due: float | None = raw.execute(_NEXT_DUE).fetchone()[0]
    return due


def unsent(raw: sqlite3.Connection, conversation: str) -> list[OutRow]:
    """The work left by a stop, in one conversation or (where it is empty) in all."""
    if conversation:
        rows = raw.execute(_UNSENT + "AND o.conversation = ? " + _IN_ORDER, (conversation,))
    else:
        rows = raw.execute(_UNSENT + _IN_ORDER)
    return as_rows(rows)


def recall(raw: sqlite3.Connection, person: str, key: str) -> bytes | None:
    """What was remembered."""
    row = raw.execute("SELECT value FROM facts WHERE person = ? AND key = ?", (person, key)).fetchone()
    return None if row is None else row[0]


def recall_all(raw: sqlite3.Connection, person: str, beginning: str) -> dict[str, bytes]:
    """What was remembered under keys that begin like this."""
    found = raw.execute("SELECT key, value FROM facts WHERE person = ? AND key >= ? ORDER BY key", (person, beginning))
    return {key: value for key, value in found if key.startswith(beginning)}


def case(raw: sqlite3.Connection, id: str, desk: str, ref: str) -> CaseRecord | None:
    """A case, by our id or by the desk's; the newest, should a desk use a name twice."""
    if id:
        row = raw.execute(CASES + "WHERE id = ?", (id,)).fetchone()
    else:
        query = CASES + "WHERE desk = ? AND ref = ? ORDER BY opened_at DESC LIMIT 1"
        row = raw.execute(query, (desk, ref)).fetchone() if ref else None
    return None if row is None else as_case(row)


def open_cases(raw: sqlite3.Connection, desk: str) -> list[CaseRecord]:
    """Cases that are not done with, the oldest first."""
    query = CASES + "WHERE desk = ? AND state NOT IN ('closed', 'failed') ORDER BY opened_at, id"
    return [as_case(row) for row in raw.execute(query, (desk,))]


def trace(raw: sqlite3.Connection, conversation: str, n: int) -> tuple[bytes, list[OutRow]] | None:
    """The trace of a turn and its replies."""
    row = raw.execute("SELECT trace FROM traces WHERE conversation = ? AND n = ?", (conversation, n)).fetchone()
    if row is None:
        return None
    return row[0], as_rows(raw.execute(_MADE, (conversation, n)))


def dead_letters(raw: sqlite3.Connection, limit: int) -> list[DeadLetter]:
    """Turns that were given up, newest first."""
    return as_dead_letters(raw.execute(_DEAD, (limit,)))
