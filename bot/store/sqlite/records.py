"""Statements for what a turn keeps beside its replies: timers, facts, cases, traces, dead letters.

Runs on the writer's own connection, inside its transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from bot.store.codec import encode
from bot.store.contract import CaseRecord, Change, Fact, SilenceChange, Timer

_CASE = """
INSERT INTO cases (id, conversation, desk, queue, reason, opened_at, ref, agent, state, cursor, closed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET conversation = excluded.conversation, desk = excluded.desk, queue = excluded.queue,
  reason = excluded.reason, opened_at = excluded.opened_at, ref = excluded.ref, agent = excluded.agent,
  state = excluded.state, cursor = excluded.cursor, closed_at = excluded.closed_at"""

_TIMER = """
INSERT INTO timers (conversation, key, at, due) VALUES (?, ?, ?, ?)
ON CONFLICT (conversation, key) DO UPDATE SET at = excluded.at, due = excluded.due"""

_CLEAR = "DELETE FROM timers WHERE conversation = ? AND key = ?"

_FACT = """
INSERT INTO facts (person, key, value) VALUES (?, ?, ?)
ON CONFLICT (person, key) DO UPDATE SET value = excluded.value"""

_FORGET = "DELETE FROM facts WHERE person = ? AND key = ?"

_SILENCE = "UPDATE lanes SET silence = ? WHERE conversation = ?"

_CONSENT = """
INSERT INTO consents (conversation, n, at, silence, word)
SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4 FROM consents WHERE conversation = ?1"""

_TRACE = """
INSERT INTO traces (conversation, n, trace) VALUES (?, ?, ?)
ON CONFLICT (conversation, n) DO UPDATE SET trace = excluded.trace"""

_PARK = """
INSERT INTO dead_letters (conversation, n, seq, at, error)
SELECT ?1, ?2, seq, ?3, ?4 FROM inbox WHERE conversation = ?1 AND seq >= ?2 AND n = ?2"""


def write(raw: sqlite3.Connection, change: Change) -> None:
    """Write whatever of this a change brings; most bring none."""
    conversation = change.conversation
    # Cleared before set: a change may replace a question's deadline by the next one's.
    for key in change.cleared:
        raw.execute(_CLEAR, (conversation, key))
    set_timers(raw, conversation, change.timers)
    _write_facts(raw, change.facts)
    if change.case is not None:
        write_case(raw, change.case)
    if change.silence is not None:
        change_silence(raw, conversation, change.silence, change.now)
    if change.trace is not None:
        raw.execute(_TRACE, (conversation, change.n, change.trace))
    if change.parked:
        raw.execute(_PARK, (conversation, change.n, change.now, change.parked))


def set_timers(raw: sqlite3.Connection, conversation: str, timers: Iterable[Timer]) -> None:
    """Set timers; one of the same key is replaced."""
    for timer in timers:
        raw.execute(_TIMER, (conversation, timer.key, timer.at, encode(timer.due)))


def write_case(raw: sqlite3.Connection, case: CaseRecord) -> None:
    """Insert a case, or bring it to what it is now."""
    head = (case.id, case.conversation, case.desk, case.queue, case.reason, case.opened_at)
    raw.execute(_CASE, (*head, case.ref, case.agent, case.state, case.cursor, case.closed_at))


def change_silence(raw: sqlite3.Connection, conversation: str, change: SilenceChange, now: float) -> None:
    """Say whether anything is sent from now on, and keep it in the ledger."""
    raw.execute(_SILENCE, (change.silence, conversation))
    raw.execute(_CONSENT, (conversation, now, change.silence, change.word))


def _write_facts(raw: sqlite3.Connection, facts: Iterable[Fact]) -> None:
    for fact in facts:
        if fact.value is None:
            raw.execute(_FORGET, (fact.person, fact.key))
        else:
            raw.execute(_FACT, (fact.person, fact.key, fact.value))
