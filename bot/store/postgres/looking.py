"""Statements that only look: transcripts, conversations, cases, traces. One statement each, so on one snapshot."""

from __future__ import annotations

from bot.channel import Entry
from bot.people import Conversation
from bot.store.contract import CaseRecord, DeadLetter, OutRow
from bot.store.postgres.pool import Pool
from bot.store.postgres.texts import plain
from bot.store.rows import (
    CASES,
    CONVERSATION,
    DEAD,
    OUTBOX,
    Row,
    as_case,
    as_conversation,
    as_dead_letters,
    as_entries,
    as_rows,
)

# Behind a reply that still waits nothing is shown: it would appear later in front of what a client already has.
# The status is asked twice: the first, in the words of the index outbox_unsent, lets it be used.
_HISTORY = """
WITH cut AS MATERIALIZED (
  SELECT coalesce(min(seq), 9223372036854775807) AS seq FROM outbox
  WHERE conversation = $1 AND target = 'channel' AND status IN ('pending', 'sending') AND status = 'pending')
(SELECT seq, NULL AS source, NULL AS author, payload, at, '' AS edits FROM inbox
 WHERE conversation = $1 AND seq > $2 AND seq < (SELECT seq FROM cut) AND words = 1 ORDER BY seq LIMIT $3)
UNION ALL
(SELECT seq, source, author, body, at, edits FROM outbox
 WHERE conversation = $1 AND seq > $2 AND seq < (SELECT seq FROM cut) AND target = 'channel'
   AND status IN ('sending', 'sent', 'ambiguous') ORDER BY seq LIMIT $3)
ORDER BY seq LIMIT $3"""

_CONVERSATION = f"SELECT {CONVERSATION} WHERE l.conversation = $1"

_STATES = f"""
SELECT s.state, {CONVERSATION} JOIN states s ON s.conversation = l.conversation
WHERE s.conversation > $1 AND length(s.state) > 2 ORDER BY s.conversation LIMIT $2"""

_NEXT_DUE = """
SELECT min(at) FROM (SELECT min(at) AS at FROM timers
                     UNION ALL SELECT min(ready_at) FROM lanes WHERE turn_seq > 0) due"""

_RECALL = "SELECT value FROM facts WHERE person = $1 AND key = $2"
_RECALL_ALL = 'SELECT key, value FROM facts WHERE person = $1 AND starts_with(key, $2) ORDER BY key COLLATE "C"'

_TRACE = "SELECT trace FROM traces WHERE conversation = $1 AND n = $2"

_MADE = OUTBOX + "WHERE o.conversation = $1 AND o.turn = $2 ORDER BY o.seq"

_CASE = CASES + "WHERE id = $1"

# The newest, should a desk use a name twice.
_CASE_OF_DESK = CASES + "WHERE desk = $1 AND ref = $2 ORDER BY opened_at DESC LIMIT 1"

_OPEN_CASES = CASES + "WHERE desk = $1 AND state NOT IN ('closed', 'failed') ORDER BY opened_at, id"

_DEAD = DEAD + "$1"


async def history(pool: Pool, conversation: str, after: int, limit: int) -> list[Entry]:
    """The transcript behind `after`, without holes."""
    return as_entries(await pool.rows(_HISTORY, plain(conversation), after, limit))


async def conversation(pool: Pool, id: str) -> Conversation | None:
    """A conversation with the person who began it."""
    row = await pool.row(_CONVERSATION, plain(id))
    return None if row is None else as_conversation(row)


async def states(pool: Pool, after: str, limit: int) -> list[tuple[Conversation, bytes]]:
    """Conversations with a state that is not an empty JSON object."""
    return [(as_conversation(row[1:]), row[0]) for row in await pool.rows(_STATES, plain(after), limit)]


async def next_due(pool: Pool) -> float | None:
    """When the next timer is due, or a turn may be claimed: put off until then, or its lease ends then."""
    due: float | None = await pool.value(_NEXT_DUE)
    return due


async def recall(pool: Pool, person: str, key: str) -> bytes | None:
    """What was remembered."""
    value: bytes | None = await pool.value(_RECALL, plain(person), plain(key))
    return value


async def recall_all(pool: Pool, person: str, beginning: str) -> dict[str, bytes]:
    """What was remembered under keys that begin like this."""
    return {row[0]: row[1] for row in await pool.rows(_RECALL_ALL, plain(person), plain(beginning))}


async def case(pool: Pool, id: str, desk: str, ref: str) -> CaseRecord | None:
    """A case, by our id or by the desk's."""
    row: Row | None = None
    if id:
        row = await pool.row(_CASE, plain(id))
    elif ref:
        row = await pool.row(_CASE_OF_DESK, plain(desk), plain(ref))
    return None if row is None else as_case(row)


async def open_cases(pool: Pool, desk: str) -> list[CaseRecord]:
    """Cases that are not done with, the oldest first."""
    return [as_case(row) for row in await pool.rows(_OPEN_CASES, plain(desk))]


async def trace(pool: Pool, conversation: str, n: int) -> tuple[bytes, list[OutRow]] | None:
    """The trace of a turn and its replies."""
    found: bytes | None = await pool.value(_TRACE, plain(conversation), n)
    if found is None:
        return None
    return found, as_rows(await pool.rows(_MADE, plain(conversation), n))


async def dead_letters(pool: Pool, limit: int) -> list[DeadLetter]:
    """Turns that were given up, newest first."""
    return as_dead_letters(await pool.rows(_DEAD, limit))
