"""What every store must do. The truth is in here: inbox, lanes, outbox, state, memory, timers, cases, traces.

A *lane* is the ordered queue of one conversation. Three rules make it correct (each is tested against every store):

* A message's number is given under the lane's lock, and its event id is unique per tenant and channel account.
* A commit carries (conversation, epoch, n, rev, owner_version); a commit that no longer fits writes nothing and
  raises Fenced. The epoch rises with each claim, so a worker that wakes up late changes nothing.
* Attempts are counted when a turn is claimed, because a turn that kills its worker never reports.

An outbox row is fenced too: by its count of attempts, which rises with each send that begins. The *line* of a row is
the rows of its conversation for the same target; it is sent in order.

Times are seconds since 1970. `now` is the caller's clock; a store that several processes share goes by its database's
clock instead, and that is why whatever shall happen later is told as a duration. Methods raise StoreUnavailable when
the database is full, locked or gone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

import msgspec

from bot.channel import Accepted, Entry, Source
from bot.messages import Address, Due, Message, Value
from bot.people import Conversation, Owner, Silence
from bot.replies import NOTHING, Reply
from bot.store.database import Database

OutStatus = Literal["pending", "sending", "sent", "failed", "ambiguous", "suppressed"]

Begun = Literal["sending", "waits", "taken", "sent", "failed", "ambiguous", "suppressed"]
"""What became of the wish to send a row. Only "sending" says to go on.

"waits": an earlier row of its line is not done with; ask again. "taken": somebody else has it. The others: it is done.
"suppressed" is the bot's own word once a human speaks, and any word to somebody who wants none.
"""


class Claim(Value, frozen=True):
    """A turn that this worker may process now: message `n` of a lane, and the lane's state before it.

    `attempts` counts claims of this very turn, this one included. `rev` counts commits of the lane.
    """

    conversation: Conversation
    epoch: int
    n: int
    rev: int
    attempts: int
    seq: int
    message: Message
    state: bytes


class DeskCall(Value, frozen=True):
    """Something to do at a desk, in order with the rest of the conversation. `entry` is what was said."""

    kind: Literal["open", "append", "note", "close"]
    case: str
    text: str = ""
    entry: Entry | None = None
    facts: tuple[tuple[str, str], ...] = ()


class Outgoing(Value, frozen=True):
    """A row for the outbox. `key` is unique within the conversation: a second row of the same key is dropped.

    `always` sends it even to somebody who wants to hear nothing. `edits` is the id of an older row of the conversation:
    this one takes its place where the platform can do that; a reply with nothing in it takes it away (`takes_back`).
    """

    key: str
    body: Reply | None = None
    call: DeskCall | None = None
    source: Source = "bot"
    author: str = ""
    always: bool = False
    edits: str = ""

    @property
    def takes_back(self) -> bool:
        """Whether it says nothing, and only takes away the row that it `edits`."""
        return bool(self.edits) and self.body == NOTHING


class OutRow(Value, frozen=True):
    """A row of the outbox as it stands. `target` is "channel" or "desk": each has its own order.

    `not_before` is the earliest moment of the next attempt; while it is `sending`, of a look at its outcome.
    """

    id: str
    conversation: str
    seq: int
    turn: int
    target: Literal["channel", "desk"]
    address: Address
    outgoing: Outgoing
    status: OutStatus = "pending"
    attempts: int = 0
    not_before: float = 0.0
    first_attempt_at: float = 0.0
    last_attempt_at: float = 0.0
    platform_id: str = ""
    error: str = ""


class Timer(Value, frozen=True):
    """At `at`, `due` goes into the lane as a message. One per key and conversation: a new one replaces it."""

    key: str
    at: float
    due: Due


class Fact(Value, frozen=True):
    """One thing remembered about a person; `value` is JSON, None forgets it."""

    person: str
    key: str
    value: bytes | None


class OwnerChange(Value, frozen=True):
    """Who speaks from now on. It happens only if the owner's version is still `expected`."""

    expected: int
    owner: Owner
    case: str = ""


class SilenceChange(Value, frozen=True):
    """Whether anything is sent from now on; `word` is what the person said for it. Kept in the ledger of consents."""

    silence: Silence
    word: str = ""


class CaseRecord(Value, frozen=True):
    """A handed-over conversation. `ref` is the desk's id, empty until the ticket exists."""

    id: str
    conversation: str
    desk: str
    queue: str
    reason: str
    opened_at: float
    ref: str = ""
    agent: str = ""
    state: Literal["opening", "open", "closed", "failed"] = "opening"
    cursor: str = ""
    closed_at: float = 0.0

    def opened(self, ref: str) -> CaseRecord:
        """The same, with its ticket; a case that was closed meanwhile stays closed."""
        return msgspec.structs.replace(self, ref=ref, state="open" if self.state == "opening" else self.state)

    def taken(self, agent: str) -> CaseRecord:
        """The same, in an agent's hands."""
        return msgspec.structs.replace(self, agent=agent)

    def closed(self, now: float, *, failed: bool = False) -> CaseRecord:
        """The same, done with."""
        return msgspec.structs.replace(self, closed_at=now, state="failed" if failed else "closed")


class Change(Value, frozen=True):
    """What one commit of a turn writes, all or nothing.

    `done` moves the lane's head past the turn; without it this is a flush in the middle. `parked` says why the turn
    was given up: it is kept with its message in the dead letters. `keep` asks for the lane's next turn at once.
    `state` None leaves the state as it was. `lease` is for how many seconds the lane (and what it says) stays ours.
    `sends`, if not 0, marks the first reply as `sending` in the same commit where nothing stands before it, as
    `mark_sending` would with that many seconds.
    """

    conversation: str
    epoch: int
    n: int
    rev: int
    owner_version: int
    now: float
    done: bool = True
    keep: bool = True
    lease: float = 30.0
    sends: float = 0.0
    state: bytes | None = None
    outgoing: tuple[Outgoing, ...] = ()
    timers: tuple[Timer, ...] = ()
    cleared: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    owner: OwnerChange | None = None
    case: CaseRecord | None = None
    silence: SilenceChange | None = None
    trace: bytes | None = None
    parked: str = ""


class Committed(Value, frozen=True):
    """What a commit did: the rows that are now in the outbox, and the next turn of the lane if it was kept.

    `rows` has only rows that were new (a repeated key adds none).
    """

    rows: tuple[OutRow, ...]
    rev: int
    next: Claim | None = None


class Effect(Value, frozen=True):
    """A change from outside a turn (an agent's words, a desk's answer), all or nothing.

    `event_id` makes it happen once. With `owner`, nothing happens if the owner's version has moved on.
    `message` goes into the lane, as if it had come in. What it says stays the caller's to send for `hold` seconds.
    `withdraws` are rows that are not sent after all, and give their keys free; nothing happens at all if one of them is
    not as pending any more as it is here.
    """

    conversation: str
    now: float
    event_id: str = ""
    owner: OwnerChange | None = None
    case: CaseRecord | None = None
    outgoing: tuple[Outgoing, ...] = ()
    timers: tuple[Timer, ...] = ()
    silence: SilenceChange | None = None
    message: Message | None = None
    withdraws: tuple[OutRow, ...] = ()
    hold: float = 10.0


class Applied(Value, frozen=True):
    """What an effect did."""

    rows: tuple[OutRow, ...]
    message: Accepted | None = None


class DeadLetter(Value, frozen=True):
    """A turn that was given up after its attempts."""

    conversation: str
    n: int
    at: float
    error: str
    message: Message


class Store(Database):
    """The whole contract."""

    @abstractmethod
    async def start(self) -> None:
        """Lock, migrate and open. Raises StartError when another process has the same file."""

    @abstractmethod
    async def stop(self) -> None:
        """Finish what is waiting, then close."""

    # --- the inbox and its lanes

    @abstractmethod
    async def put(self, message: Message, now: float) -> Accepted:
        """Store a message durably; the same event id again answers the same with `duplicate` set.

        An Edited or Deleted whose target waits, and was not claimed yet, changes it in the same transaction, and a
        further part of a group goes into the first; that one is ready GATHERING seconds later (see amending.py).
        """

    @abstractmethod
    async def take(self, message: Message, worker: str, lease: float, now: float) -> tuple[Accepted, Claim | None]:
        """`put`, and `claim` of its turn in the same transaction if nothing else of its lane waits or is at work."""

    @abstractmethod
    async def claim(self, worker: str, limit: int, lease: float, now: float) -> list[Claim]:
        """Take up to `limit` turns that are ready, at most one per lane; none twice within a lease.

        Tenants take turns; within a tenant the oldest comes first.
        """

    @abstractmethod
    async def commit(self, change: Change) -> Committed:
        """Write a turn's result. Raises Fenced, having written nothing, when it no longer fits."""

    @abstractmethod
    async def retry(self, claim: Claim, now: float, *, pause: float = 0.0, counts: bool = True) -> bool:
        """Give a turn back, to be claimed again in `pause` seconds; `counts=False` takes its attempt back too."""

    @abstractmethod
    async def reread(self, claim: Claim) -> Claim | None:
        """The same turn with the lane's state and rev as they are now; None when it is no longer ours."""

    @abstractmethod
    async def renew(self, claims: Sequence[Claim], lease: float, now: float) -> list[bool]:
        """Keep turns for `lease` more seconds; False for each that is no longer ours."""

    @abstractmethod
    async def apply(self, effect: Effect) -> Applied | None:
        """Write an effect; None when its event was seen before or the owner's version has moved on."""

    @abstractmethod
    async def fire(self, now: float, limit: int = 100) -> int:
        """Move timers that are due into their lanes; how many."""

    @abstractmethod
    async def next_due(self) -> float | None:
        """When the next timer, or the next turn that was put off, is due."""

    @abstractmethod
    async def hold(self, name: str, worker: str, lease: float, now: float) -> bool:
        """Be the one worker that does `name` for the next `lease` seconds; False while another one is."""

    @abstractmethod
    async def let_go(self, name: str, worker: str) -> None:
        """Let another worker do `name` now, if it was this one."""

    # --- the outbox

    @abstractmethod
    async def unsent(self, conversation: str = "") -> list[OutRow]:
        """Rows that are pending or sending, by conversation, target and seq: all, or those of one conversation."""

    @abstractmethod
    async def pick_up(self, limit: int, hold: float, now: float) -> list[OutRow]:
        """Take up to `limit` rows that nobody sends: the first of each line, if nobody holds it and its time has come.

        Nobody else gets them within `hold` seconds.
        """

    @abstractmethod
    async def mark_sending(self, row: OutRow, wait: float, now: float) -> Begun:
        """Durably say that a send begins now; `wait` is after how many seconds its outcome may be looked up.

        It begins ("sending") only if `row.attempts` is still what it was, and nothing of its line stands before it.
        To a conversation with a `silence` nothing is sent but what is marked `always`.
        """

    @abstractmethod
    async def mark_sent(self, row: OutRow, platform_id: str, now: float) -> None:
        """The platform took it, in whichever attempt."""

    @abstractmethod
    async def mark_failed(self, row: OutRow, status: Literal["failed", "ambiguous"], error: str) -> bool:
        """It will not be tried again; `error` says why. False, with nothing written, when another attempt began."""

    @abstractmethod
    async def postpone(self, row: OutRow, pause: float, error: str, now: float) -> bool:
        """It was surely not sent; try again in `pause` seconds. False when another attempt began."""

    # --- looking

    @abstractmethod
    async def history(self, conversation: str, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript behind `after`, oldest first, up to the first reply that is not yet being sent.

        Without what has no words (reactions, due timers), was suppressed or failed. With what was taken back: a line
        behind it says so.
        """

    @abstractmethod
    async def conversation(self, conversation: str) -> Conversation | None:
        """A conversation by id."""

    @abstractmethod
    async def recall(self, person: str, key: str) -> bytes | None:
        """What was remembered, as JSON."""

    @abstractmethod
    async def recall_all(self, person: str, beginning: str) -> dict[str, bytes]:
        """All that was remembered under keys that begin like this, as JSON by key, in the keys' order."""

    @abstractmethod
    async def case(self, *, id: str = "", desk: str = "", ref: str = "") -> CaseRecord | None:
        """A case, by our id or by the desk's."""

    @abstractmethod
    async def open_cases(self, desk: str) -> list[CaseRecord]:
        """Cases that are not closed."""

    @abstractmethod
    async def trace(self, conversation: str, n: int) -> tuple[bytes, list[OutRow]] | None:
        """The trace of a turn and the replies it made, with their receipts."""

    @abstractmethod
    async def states(self, *, after: str = "", limit: int = 500) -> list[tuple[Conversation, bytes]]:
        """Conversations with a state, by id behind `after`: those in which a dialog may wait."""

    @abstractmethod
    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """Turns that were given up, newest first."""
