"""Statements for turns: claim one, write its result, give it back, keep it.

Runs on the writer's own connection, inside its transaction. The WHERE clause of a commit is the fence: epoch, head,
rev and the owner's version must still be what the worker saw, or nothing is written.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence

from bot.channel import Accepted
from bot.errors import Fenced
from bot.store.contract import Change, Claim, Committed, OutRow, OwnerChange
from bot.store.incoming import Incoming
from bot.store.parking import KEEP, as_letter, claim_or_letter, claim_or_none
from bot.store.rows import TURN, as_address, as_claim
from bot.store.sqlite import inbox, outbox, records

# Tenants with a turn that waits, found by jumping from one to the next in the index lanes_ready.
_TENANTS = """
WITH RECURSIVE found(tenant) AS (
  SELECT min(tenant) FROM lanes WHERE turn_seq > 0
  UNION ALL
  SELECT (SELECT min(tenant) FROM lanes WHERE turn_seq > 0 AND tenant > found.tenant) FROM found
  WHERE found.tenant IS NOT NULL)
SELECT tenant FROM found WHERE tenant IS NOT NULL"""

_READY = TURN + "WHERE l.tenant = ? AND l.turn_seq > 0 AND l.ready_at <= ? ORDER BY l.ready_at LIMIT ?"

_ONE = TURN + "WHERE l.conversation = ? AND l.turn_seq > 0"

_CLAIM = """
UPDATE lanes SET epoch = epoch + 1, attempts = attempts + 1, worker = ?, ready_at = ? WHERE conversation = ?"""

_KEEP = KEEP.format(*"???????")

_SKIP = """
UPDATE lanes SET head = head + 1, epoch = epoch + 1, attempts = 0, worker = '', ready_at = ?1,
  turn_seq = coalesce((SELECT min(seq) FROM inbox WHERE conversation = ?2 AND seq > lanes.turn_seq), 0)
WHERE conversation = ?2"""

_DONE = """
UPDATE lanes SET rev = rev + 1, seq = seq + ?1, head = ?2,
  turn_seq = CASE WHEN tail > ?2 THEN
    (SELECT min(seq) FROM inbox WHERE conversation = ?3 AND seq > lanes.turn_seq) ELSE 0 END,
  ready_at = CASE WHEN ?4 AND tail > ?2 THEN ?5 ELSE ?6 END,
  attempts = CASE WHEN ?4 AND tail > ?2 THEN 1 ELSE 0 END,
  worker = CASE WHEN ?4 AND tail > ?2 THEN worker ELSE '' END
WHERE conversation = ?3 AND epoch = ?7 AND head = ?2 - 1 AND rev = ?8 AND owner_version = ?9"""

_FLUSH = """
UPDATE lanes SET rev = rev + 1, seq = seq + ?1, ready_at = ?2
WHERE conversation = ?3 AND epoch = ?4 AND head = ?5 - 1 AND rev = ?6 AND owner_version = ?7"""

_AFTER = f"""
SELECT tail, seq, owner, silence, {outbox.STANDS_BEFORE}, channel, account, chat, thread
FROM lanes WHERE conversation = ?"""  # noqa: S608  # our own constants

_STATE = """
INSERT INTO states (conversation, state) VALUES (?, ?)
ON CONFLICT (conversation) DO UPDATE SET state = excluded.state"""

_OWNER = "UPDATE lanes SET owner = ?, owner_version = owner_version + 1, case_id = ? WHERE conversation = ?"

# Whoever gives a turn back has lost it: with the epoch raised, a late commit of theirs no longer fits.
_RETRY = """
UPDATE lanes SET ready_at = ?, worker = '', epoch = epoch + 1, attempts = attempts - ?
WHERE conversation = ? AND epoch = ? AND head = ? - 1"""

# Only one process has the file, so whoever held a lease is dead.
_RELEASE = "UPDATE lanes SET ready_at = 0, worker = '' WHERE worker <> ''"

_RELEASE_ALL = "DELETE FROM leases"

_RENEW = "UPDATE lanes SET ready_at = ? WHERE conversation = ? AND epoch = ? AND head = ? - 1"

_HOLD = """
INSERT INTO leases (name, worker, until) VALUES (?1, ?2, ?3)
ON CONFLICT (name) DO UPDATE SET worker = ?2, until = ?3 WHERE worker = ?2 OR until <= ?4"""

_LET_GO = "DELETE FROM leases WHERE name = ? AND worker = ?"


def release(raw: sqlite3.Connection) -> None:
    """End the leases of the process that had the file before."""
    raw.execute(_RELEASE)
    raw.execute(_RELEASE_ALL)
    outbox.release(raw)


def claim(
    raw: sqlite3.Connection, last: str, worker: str, limit: int, until: float, now: float
) -> tuple[list[Claim], str]:
    """Take turns that are ready, one tenant after the other, beginning behind `last`; and who was the last one.

    Each counts as an attempt from now on.
    """
    tenants = [tenant for (tenant,) in raw.execute(_TENANTS)]
    tenants.sort(key=lambda tenant: (tenant <= last, tenant))
    waiting = [raw.execute(_READY, (tenant, now, limit)).fetchall() for tenant in tenants]
    rows = [row for turn in itertools.zip_longest(*waiting) for row in turn if row is not None][:limit]
    claims = []
    for row in rows:
        claimed = claim_or_letter(row, now, 1)
        if isinstance(claimed, Claim):
            claims.append(claimed)
            raw.execute(_CLAIM, (worker, until, row[0]))
        else:
            # Kept, and passed over: it must hold up neither its own lane nor everybody else's.
            raw.execute(_KEEP, as_letter(claimed))
            raw.execute(_SKIP, (now, row[0]))
    return claims, rows[-1][1] if rows else last


def take(
    raw: sqlite3.Connection, item: Incoming, worker: str, until: float, now: float
) -> tuple[Accepted, Claim | None]:
    """Store a message, and claim its turn in the same breath if nothing else of its lane waits or is at work."""
    accepted, begun, claimed = inbox.take(raw, item, worker, until, now)
    if begun and claimed is None:
        claimed = claim_or_none(raw.execute(_ONE, (accepted.conversation,)).fetchone())
    return accepted, claimed


def commit(raw: sqlite3.Connection, change: Change) -> Committed:
    """Write the result of a turn, or of a part of it."""
    if change.owner is not None and change.owner.expected != change.owner_version:
        raise Fenced(f"{change.conversation}: the change of owner expects another version than the turn")
    if not _advance(raw, change):
        raise Fenced(f"{change.conversation}: turn {change.n} of epoch {change.epoch} is no longer ours")
    after = raw.execute(_AFTER, (change.conversation, change.conversation)).fetchone()
    tail, seq, owner, silence, waits, *place = after
    rows: tuple[OutRow, ...] = ()
    if change.outgoing:
        numbered = enumerate(change.outgoing, seq - len(change.outgoing) + 1)
        silence = change.silence.silence if change.silence is not None else silence
        sends = 0.0 if waits or owner == "human" or silence else change.sends
        times = outbox.Times(change.now, change.now + change.lease, sends)
        rows = outbox.add(raw, change.conversation, as_address(place), change.n, numbered, times)
    if change.state is not None:
        raw.execute(_STATE, (change.conversation, change.state))
    if change.owner is not None:
        change_owner(raw, change.conversation, change.owner)
    records.write(raw, change)
    following = None
    if change.done and change.keep and tail > change.n:
        following = claim_or_none(raw.execute(_ONE, (change.conversation,)).fetchone())
    return Committed(rows=rows, rev=change.rev + 1, next=following)


def change_owner(raw: sqlite3.Connection, conversation: str, change: OwnerChange) -> None:
    """Say who speaks from now on; whether the change still fits was checked before."""
    raw.execute(_OWNER, (change.owner, change.case, conversation))


def retry(raw: sqlite3.Connection, item: Claim, at: float, counts: bool) -> bool:
    """Give a turn back, to be claimed from `at` on."""
    values = (at, 0 if counts else 1, item.conversation.id, item.epoch, item.n)
    return raw.execute(_RETRY, values).rowcount == 1


def reread(raw: sqlite3.Connection, item: Claim) -> Claim | None:
    """The same turn as it stands now, if it is still this worker's."""
    row = raw.execute(
        _ONE + " AND l.epoch = ? AND l.head = ?", (item.conversation.id, item.epoch, item.n - 1)
    ).fetchone()
    return None if row is None else as_claim(row)


def renew(raw: sqlite3.Connection, items: Sequence[Claim], until: float) -> list[bool]:
    """Keep turns until then."""
    return [raw.execute(_RENEW, (until, item.conversation.id, item.epoch, item.n)).rowcount == 1 for item in items]


def hold(raw: sqlite3.Connection, name: str, worker: str, until: float, now: float) -> bool:
    """Be the one that does `name` until then, unless another one is."""
    return raw.execute(_HOLD, (name, worker, until, now)).rowcount == 1


def let_go(raw: sqlite3.Connection, name: str, worker: str) -> None:
    """Not any more."""
    raw.execute(_LET_GO, (name, worker))


def _advance(raw: sqlite3.Connection, change: Change) -> bool:
    """Move the lane on, if the change still fits."""
    # A repeated key uses up a number without a row: `seq` may have gaps, and it saves asking first.
    count, until = len(change.outgoing), change.now + change.lease
    if change.done:
        fence = (change.epoch, change.rev, change.owner_version)
        values = (count, change.n, change.conversation, change.keep, until, change.now, *fence)
        return raw.execute(_DONE, values).rowcount == 1
    flush = (count, until, change.conversation, change.epoch, change.n, change.rev, change.owner_version)
    return raw.execute(_FLUSH, flush).rowcount == 1
