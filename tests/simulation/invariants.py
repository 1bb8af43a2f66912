"""What must be true after every write, at every call to a platform, and at the end. Looks at the tables only.

I1 what was acknowledged is in the inbox. I2 numbers have no gaps. I3 a head rises by one, by a commit that fits.
I4 a reply belongs to the turn that was committed. I5 replies go out in order, each on its own mark. I6 every row ends,
and stays ended. I7 an event happens once. I8 from the moment when an opt-out is stored until an opt-in is, no send
begins but one that is for everybody. (I9 and I10, about edits, are looked at in the end: see changing.py.)
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import NamedTuple

from bot.channel import Accepted, Capabilities, Delivery
from bot.delivery.sending import STALE
from bot.errors import Fenced
from bot.messages import Deleted, Edited, Message
from bot.store.contract import Change
from tests.simulation.database import Database

OPEN = ("pending", "sending")


class Violation(AssertionError):
    """Something happened that must never happen."""


class _Lane(NamedTuple):
    tail: int
    head: int
    epoch: int
    rev: int
    seq: int
    owner_version: int
    owner: str
    silence: str
    turn_seq: int
    attempts: int
    worker: str


class _Row(NamedTuple):
    turn: int
    target: str
    status: str
    attempts: int
    source: str
    always: int


_LANES = """
SELECT conversation, tail, head, epoch, rev, seq, owner_version, owner, silence, turn_seq, attempts, worker
FROM lanes"""

_ROWS = """
SELECT conversation, seq, turn, target, status, attempts, source, always FROM outbox ORDER BY conversation, seq"""

_NOWHERE = _Lane(0, 0, 0, 0, 0, 0, "bot", "", 0, 0, "")

_SILENT_SINCE = "SELECT max(at) FROM consents WHERE conversation = ? AND silence <> ''"

_MARKED_AT = "SELECT last_attempt_at FROM outbox WHERE conversation = ? AND seq = ?"

_NUMBERS = "SELECT count(*), min(n), max(n), count(DISTINCT n) FROM inbox WHERE conversation = ?"

_EVENTS = """
SELECT count(*) FROM (SELECT 1 FROM inbox GROUP BY tenant, channel, account, event_id HAVING count(*) > 1)"""


class Checker:
    """Compares the tables after a write with what they were before it."""

    def __init__(self, database: Database) -> None:
        self._database, self._raw = database, database.raw
        self._lanes: dict[str, _Lane] = {}
        self._rows: dict[tuple[str, int], _Row] = {}
        self._changes = -1
        self._acknowledged: dict[tuple[str, str], tuple[str, int]] = {}
        self._newest: dict[str, int] = {}
        self.landings: Counter[str] = Counter()
        self.copies: Counter[str] = Counter()
        self.fenced = self.late_copies = self.under_way = 0
        self.in_time: dict[str, str | None] = {}
        """What a message says whose edit was stored before its turn began, by its event; None if it was taken back."""

    # --- after a write

    def wrote(self, name: str, value: object, outcome: object) -> None:
        """Check everything that this write may have broken."""
        self.fenced += isinstance(outcome, Fenced)
        if self._raw.total_changes == self._changes:
            return
        self._changes = self._raw.total_changes
        lanes = {row[0]: _Lane(*row[1:]) for row in self._raw.execute(_LANES)}
        for conversation, lane in lanes.items():
            before = self._lanes.get(conversation, _NOWHERE)
            if lane != before:
                self._check_lane(conversation, before, lane, name, value)
        if len(lanes) < len(self._lanes):
            raise Violation("I1: a lane is gone")
        # The owner as it was: a commit begins its own first reply before it changes hands.
        self._check_rows(name, value, lanes)
        if isinstance(value, Message) and name in ("put", "take"):
            self._note_change(value)
        self._lanes = lanes

    def _check_lane(self, conversation: str, before: _Lane, lane: _Lane, name: str, value: object) -> None:
        if lane.epoch < before.epoch or lane.rev < before.rev or lane.seq < before.seq:
            raise Violation(f"I3: {conversation} went back: {before} -> {lane} by {name}")
        if lane.tail != before.tail:
            self._check_numbers(conversation, lane.tail)
        if (lane.head, lane.rev) == (before.head, before.rev):
            return
        if name != "commit" or not isinstance(value, Change):
            raise Violation(f"I3: {name} moved the head of {conversation}")
        if lane.head not in (before.head, before.head + 1) or lane.head > lane.tail:
            raise Violation(f"I3: the head of {conversation} went from {before.head} to {lane.head} of {lane.tail}")
        fits = (before.epoch, before.head + 1, before.rev, before.owner_version)
        if (value.epoch, value.n, value.rev, value.owner_version) != fits:
            raise Violation(f"I3: a commit that does not fit was written: turn {value.n}, epoch {value.epoch}")

    def _check_numbers(self, conversation: str, tail: int) -> None:
        count, first, last, different = self._raw.execute(_NUMBERS, (conversation,)).fetchone()
        if (count, first, last, different) != (tail, 1, tail, tail):
            raise Violation(f"I2: {conversation} has {count} messages, numbers {first} to {last}, and a tail of {tail}")
        if self._raw.execute(_EVENTS).fetchone()[0]:
            raise Violation("I7: an event is in the inbox twice")

    def _note_change(self, message: Message) -> None:
        """An edit came in: was it in time? By what the lane was before it."""
        if not isinstance(message.content, Edited | Deleted):
            return
        query = "SELECT conversation, seq FROM inbox WHERE event_id = ?"
        conversation, number = self._raw.execute(query, (message.content.target,)).fetchone()
        lane = self._lanes[conversation]
        if 0 < lane.turn_seq < number or (lane.turn_seq == number and not lane.worker and not lane.attempts):
            self.in_time[message.content.target] = getattr(message.content, "text", None)

    def _check_rows(self, name: str, value: object, lanes: dict[str, _Lane]) -> None:
        rows = {(row[0], row[1]): _Row(*row[2:]) for row in self._raw.execute(_ROWS)}
        if rows == self._rows:
            return
        for place, row in rows.items():
            before = self._rows.get(place)
            if before is None:
                self._check_new(place, row, name, value)
            elif row != before:
                self._check_changed(place, before, row)
            if row.status == "sending" and row != before:
                self._check_voice(place, row)
                if (before is None or row.attempts != before.attempts) and lanes[place[0]].silence and not row.always:
                    self._check_silence(place, row)
        if len(rows) < len(self._rows):
            raise Violation("I6: a row of the outbox is gone")
        self._check_order(rows)
        self._rows = rows

    def _check_new(self, place: tuple[str, int], row: _Row, name: str, value: object) -> None:
        fits = isinstance(value, Change) and (value.conversation, value.n) == (place[0], row.turn)
        if not fits and not (name == "apply" and row.turn == 0):
            raise Violation(f"I4: {name} made the row {place} of turn {row.turn}")

    def _check_voice(self, place: tuple[str, int], row: _Row) -> None:
        lane = self._lanes.get(place[0])
        if lane is not None and lane.owner == "human" and (row.source, row.target) == ("bot", "channel"):
            raise Violation(f"two voices: {place} of the bot is sent while a human speaks")

    def _check_silence(self, place: tuple[str, int], row: _Row) -> None:
        if row.target == "channel":
            raise Violation(f"I8: {place} is sent to somebody who opted out")

    def _check_changed(self, place: tuple[str, int], before: _Row, row: _Row) -> None:
        if before.status not in OPEN:
            raise Violation(f"I6: the row {place} was {before.status} and is {row.status}")
        if row.attempts - before.attempts not in (0, 1):
            raise Violation(f"I5: attempts of {place} went from {before.attempts} to {row.attempts}")

    def _check_order(self, rows: dict[tuple[str, int], _Row]) -> None:
        waits: dict[tuple[str, str], int] = {}
        for (conversation, seq), row in rows.items():
            line = conversation, row.target
            was = self._rows.get((conversation, seq))
            if line in waits and row.status != "pending" and (was is None or was.status != row.status):
                raise Violation(f"I5: {conversation}.{seq} is {row.status} before {waits[line]} is done with")
            if row.status in OPEN:
                waits.setdefault(line, seq)

    # --- at the edges

    def acknowledged(self, message: Message, accepted: Accepted) -> None:
        """A platform was told that its message is safe."""
        place = accepted.conversation, accepted.seq
        known = self._acknowledged.setdefault((message.address.channel, message.event_id), place)
        if known != place:
            raise Violation(f"I7: {message.event_id} is {known}, and now {place}")
        found = self._raw.execute("SELECT event_id FROM inbox WHERE conversation = ? AND seq = ?", place).fetchone()
        if found is None or found[0] != message.event_id:
            raise Violation(f"I1: {message.event_id} was acknowledged and is not in the inbox")

    def requested(self, delivery: Delivery, capabilities: Capabilities) -> None:
        """A node calls a platform: only on a mark of its own."""
        row = self.row(delivery)
        if row.attempts != delivery.attempt:
            raise Violation(f"I5: {delivery.id} is sent as attempt {delivery.attempt}, the mark says {row.attempts}")
        # Without read-back, a slow "sent" of an earlier attempt may come between the mark and the call.
        if row.status != "sending" and (capabilities.read_back or row.status != "sent"):
            raise Violation(f"I5: {delivery.id} is sent while it is {row.status}")
        self._check_promptness(delivery, row)

    def _check_promptness(self, delivery: Delivery, row: _Row) -> None:
        """A call follows its mark at once; so what an opt-out may find under way is no older than that."""
        place = delivery.conversation, delivery.seq
        (marked,) = self._raw.execute(_MARKED_AT, place).fetchone()
        if self._database.now - marked > STALE and row.status == "sending":
            raise Violation(f"I5: {delivery.id} is sent {self._database.now - marked:.1f} s after its mark")
        if self._lanes[delivery.conversation].silence and not row.always:
            (since,) = self._raw.execute(_SILENT_SINCE, place[:1]).fetchone()
            if marked > since:
                raise Violation(f"I8: {delivery.id} was begun after the opt-out was stored")
            self.under_way += 1

    def arrived(self, delivery: Delivery, capabilities: Capabilities) -> None:
        """A message has reached the person."""
        newest = self._newest.get(delivery.conversation, 0)
        self.landings[delivery.id] += 1
        if self.landings[delivery.id] > 1:
            if capabilities.read_back or delivery.reply.once:
                raise Violation(f"{delivery.id} was said twice")
            # Where nobody can look, a copy of what had arrived may even come behind its successors: the first attempt
            # is told to have arrived only while the second is under way.
            self.copies[delivery.id] += 1
            self.late_copies += delivery.seq < newest
        elif delivery.seq < newest:
            raise Violation(f"I5: {delivery.id} comes after {newest}: {self.row(delivery)}")
        self._newest[delivery.conversation] = max(newest, delivery.seq)

    def row(self, delivery: Delivery) -> _Row:
        """The row of the outbox that a delivery is made of."""
        query = "SELECT turn, target, status, attempts, source, always FROM outbox WHERE conversation = ? AND seq = ?"
        found = self._raw.execute(query, (delivery.conversation, delivery.seq)).fetchone()
        if found is None:
            raise Violation(f"I4: {delivery.id} is sent and was never committed")
        return _Row(*found)


def open_rows(raw: sqlite3.Connection) -> int:
    """Rows of the outbox that are not done with."""
    count: int = raw.execute("SELECT count(*) FROM outbox WHERE status IN ('pending', 'sending')").fetchone()[0]
    return count


def open_turns(raw: sqlite3.Connection) -> int:
    """Lanes with a message that is not answered."""
    count: int = raw.execute("SELECT count(*) FROM lanes WHERE head < tail").fetchone()[0]
    return count
