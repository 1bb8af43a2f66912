"""Statements for changes from outside a turn: an agent's words, a desk's answer.

Runs on the writer's own connection, inside its transaction.
"""

from __future__ import annotations

import sqlite3

from bot.errors import StoreError
from bot.store.contract import Applied, Effect, OutRow
from bot.store.incoming import Incoming
from bot.store.rows import as_address
from bot.store.sqlite import inbox, lanes, outbox, records

_LANE = "SELECT owner_version, channel, account, chat, thread FROM lanes WHERE conversation = ?"

_ONCE = "INSERT INTO effects (conversation, event_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

_NUMBERS = "UPDATE lanes SET seq = seq + ? WHERE conversation = ? RETURNING seq"


def apply(raw: sqlite3.Connection, effect: Effect, message: Incoming | None) -> Applied | None:
    """Write an effect; `message` is the effect's own, made ready. None when it came before or comes too late."""
    lane = raw.execute(_LANE, (effect.conversation,)).fetchone()
    if lane is None and (effect.owner is not None or effect.outgoing):
        raise StoreError(f"there is no conversation {effect.conversation}")
    # Asked before anything is written: an event that comes too late must not count as seen.
    if effect.owner is not None and lane[0] != effect.owner.expected:
        return None
    if not outbox.still_pending(raw, effect.withdraws):
        return None
    if effect.event_id and raw.execute(_ONCE, (effect.conversation, effect.event_id, effect.now)).rowcount == 0:
        return None
    if effect.owner is not None:
        lanes.change_owner(raw, effect.conversation, effect.owner)
    if effect.case is not None:
        records.write_case(raw, effect.case)
    if effect.silence is not None:
        records.change_silence(raw, effect.conversation, effect.silence, effect.now)
    outbox.withdraw(raw, effect.withdraws)
    records.set_timers(raw, effect.conversation, effect.timers)
    rows: tuple[OutRow, ...] = ()
    if effect.outgoing:
        (last,) = raw.execute(_NUMBERS, (len(effect.outgoing), effect.conversation)).fetchone()
        numbered = enumerate(effect.outgoing, last - len(effect.outgoing) + 1)
        times = outbox.Times(effect.now, effect.now + effect.hold)
        rows = outbox.add(raw, effect.conversation, as_address(lane[1:]), 0, numbered, times)
    accepted = inbox.put(raw, message, effect.now) if message is not None else None
    return Applied(rows=rows, message=accepted)
