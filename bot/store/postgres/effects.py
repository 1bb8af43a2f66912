"""Statements for changes from outside a turn: an agent's words, a desk's answer.

One transaction each, which locks the lanes first.
"""

from __future__ import annotations

from typing import Any

from bot.errors import StoreError
from bot.store.codec import encode
from bot.store.contract import Applied, Effect, OutRow
from bot.store.incoming import Incoming
from bot.store.postgres.functions import call
from bot.store.postgres.lanes import CLOCK, TAKE, add_values, as_accepted, case_values, put_values
from bot.store.postgres.texts import plain, plain_id
from bot.store.rows import Row, as_address, fresh

# In one order, so that two effects that touch the same two lanes don't wait for each other in a ring.
_LOCK = f"""
SELECT conversation, owner_version, channel, account, chat, thread, {CLOCK.format("$2")}
FROM lanes WHERE conversation = ANY ($1) ORDER BY conversation FOR UPDATE"""  # noqa: S608  # our own constant

_NOW = f"SELECT {CLOCK.format('$1')}"

_ONCE = """
INSERT INTO effects (conversation, event_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true"""

_OWNER = "UPDATE lanes SET owner = $2, owner_version = owner_version + 1, case_id = $3 WHERE conversation = $1"

_SILENCE = "UPDATE lanes SET silence = $2 WHERE conversation = $1"

_NUMBERS = "UPDATE lanes SET seq = seq + $2 WHERE conversation = $1 RETURNING seq - $2 + 1, owner"

_TIMER = """
INSERT INTO timers (conversation, key, at, due) VALUES ($1, $2, $3, $4)
ON CONFLICT (conversation, key) DO UPDATE SET at = excluded.at, due = excluded.due"""

# Locked, so that no send of one of them begins meanwhile.
_PENDING = """
SELECT o.seq FROM outbox o JOIN unnest($2::bigint[], $3::bigint[]) w (seq, attempts)
  ON w.seq = o.seq AND w.attempts = o.attempts
WHERE o.conversation = $1 AND o.status = 'pending' ORDER BY o.seq FOR UPDATE OF o"""

_WITHDRAW = """
UPDATE outbox SET status = 'suppressed', key = key || '~' || seq WHERE conversation = $1 AND seq = ANY ($2::bigint[])"""

_ADD = call("add", 15)
_CONSENT = call("consent", 4)
_CASE = call("case", 3)


async def apply(connection: Any, effect: Effect, message: Incoming | None, now: float | None) -> Applied | None:
    """Write an effect; `message` is the effect's own, made ready. None when it came before or comes too late."""
    names = {effect.conversation} | ({message.conversation} if message is not None else set())
    lanes = {row[0]: row for row in await connection.fetch(_LOCK, sorted(names), now)}
    lane = lanes.get(effect.conversation)
    if lane is None and (effect.owner is not None or effect.outgoing):
        raise StoreError(f"there is no conversation {effect.conversation}")
    # Asked before anything is written: an event that comes too late must not count as seen.
    if effect.owner is not None and lane is not None and lane[1] != effect.owner.expected:
        return None
    if effect.withdraws and not await _still_pending(connection, effect):
        return None
    at = lane[6] if lane is not None else await connection.fetchval(_NOW, now)
    if effect.event_id and not await connection.fetchval(_ONCE, effect.conversation, plain_id(effect.event_id), at):
        return None
    await _write(connection, effect, at)
    rows = await _add(connection, effect, lane[2:6], at) if lane is not None and effect.outgoing else ()
    accepted = None
    if message is not None:
        accepted = as_accepted(await connection.fetchrow(TAKE, *put_values(message, at)))
    return Applied(rows=rows, message=accepted)


async def _still_pending(connection: Any, effect: Effect) -> bool:
    """Whether no send of any row has begun that is to be withdrawn; none can begin from here on."""
    seqs, attempts = [row.seq for row in effect.withdraws], [row.attempts for row in effect.withdraws]
    return len(await connection.fetch(_PENDING, effect.conversation, seqs, attempts)) == len(seqs)


async def _write(connection: Any, effect: Effect, at: float) -> None:
    if effect.owner is not None:
        await connection.execute(_OWNER, effect.conversation, effect.owner.owner, plain(effect.owner.case))
    if effect.case is not None:
        await connection.execute(_CASE, *case_values(effect.case))
    if effect.silence is not None:
        await connection.execute(_SILENCE, effect.conversation, effect.silence.silence)
        await connection.execute(_CONSENT, effect.conversation, at, effect.silence.silence, plain(effect.silence.word))
    if effect.withdraws:
        await connection.execute(_WITHDRAW, effect.conversation, [row.seq for row in effect.withdraws])
    for timer in effect.timers:
        await connection.execute(_TIMER, effect.conversation, plain(timer.key), timer.at, encode(timer.due))


async def _add(connection: Any, effect: Effect, place: Row, at: float) -> tuple[OutRow, ...]:
    items = effect.outgoing
    first, owner = await connection.fetchrow(_NUMBERS, effect.conversation, len(items))
    values = (effect.conversation, 0, first, owner == "human", *add_values(items), at, effect.hold, 0.0)
    seqs, _ = await connection.fetchrow(_ADD, *values)
    address = as_address(place)
    return tuple(fresh(effect.conversation, 0, address, seq, items[seq - first]) for seq in seqs)
