"""The tables of the store, as SQLAlchemy sees them. Knows no statements: the hot ones are beside their nouns.

The shape is made by the migrations; a test holds that both say the same. Times are seconds since 1970; payloads are
JSON. Small rows with a natural key have no rowid: they lie in the key's own tree, one page less per write. Tables that
only grow (inbox, outbox, traces) do have one: new rows lie side by side at the end, so a group of them, and the marks
that soon follow, touch few pages.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint, text


def _text(name: str, *, key: bool = False) -> Column[str]:
    """A text, empty unless given."""
    if key:
        return Column(name, Text, primary_key=True, nullable=False)
    return Column(name, Text, nullable=False, server_default=text("''"))


def _count(name: str, *, key: bool = False) -> Column[int]:
    """A whole number, 0 unless given."""
    if key:
        return Column(name, Integer, primary_key=True, nullable=False, autoincrement=False)
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _time(name: str) -> Column[float]:
    """A moment, 0 unless given."""
    return Column(name, Float, nullable=False, server_default=text("0"))


def _blob(name: str) -> Column[bytes]:
    """JSON, or whatever its owner says it is."""
    return Column(name, LargeBinary, nullable=False)


metadata = MetaData()

# One row per conversation. `tail` counts its messages, `head` those that are done, `seq` numbers messages and replies
# together. `turn_seq` is the seq of message head+1, 0 when nothing waits. `ready_at` is when that turn may be claimed:
# while somebody works on it, the end of the lease.
lanes = Table(
    "lanes",
    metadata,
    _text("conversation", key=True),
    _text("tenant"),
    _text("channel"),
    _text("account"),
    _text("chat"),
    _text("thread"),
    _text("person"),
    _count("tail"),
    _count("head"),
    _count("seq"),
    _count("turn_seq"),
    _count("epoch"),
    _count("rev"),
    _count("attempts"),
    _text("worker"),
    _time("ready_at"),
    Column("owner", Text, nullable=False, server_default=text("'bot'")),
    _count("owner_version"),
    _text("case_id"),
    _time("created_at"),
    _text("silence"),
    Index("lanes_ready", "tenant", "ready_at", sqlite_where=text("turn_seq > 0")),
    sqlite_with_rowid=False,
)

# Apart from the lane, so that numbering a message does not rewrite a long journal.
states = Table("states", metadata, _text("conversation", key=True), _blob("state"), sqlite_with_rowid=False)

# `words` is 1 for what belongs into a transcript. `channel` is empty for what the engine itself put in.
inbox = Table(
    "inbox",
    metadata,
    _text("conversation", key=True),
    _count("seq", key=True),
    _count("n"),
    _text("tenant"),
    _text("channel"),
    _text("account"),
    _text("event_id"),
    _text("person"),
    _count("words"),
    _blob("payload"),
    _time("at"),
    # The id first: it decides at the first comparison, the others hardly ever differ.
    UniqueConstraint("event_id", "account", "channel", "tenant", name="inbox_event"),
)

# `held_until`: until then the process that made or took the row sees to it, and no other looks at it.
outbox = Table(
    "outbox",
    metadata,
    _text("conversation", key=True),
    _count("seq", key=True),
    _count("turn"),
    _text("target"),
    _text("key"),
    _blob("body"),
    _text("source"),
    _text("author"),
    Column("status", Text, nullable=False, server_default=text("'pending'")),
    _count("attempts"),
    _time("not_before"),
    _time("first_attempt_at"),
    _time("last_attempt_at"),
    _text("platform_id"),
    _text("error"),
    _time("at"),
    _time("sent_at"),
    _time("held_until"),
    _count("always"),
    _text("edits"),
    UniqueConstraint("conversation", "key", name="outbox_key"),
    Index("outbox_unsent", "conversation", "target", "seq", sqlite_where=text("status IN ('pending', 'sending')")),
)

# What one process at a time does: a name, and whose it is until when.
leases = Table("leases", metadata, _text("name", key=True), _text("worker"), _time("until"), sqlite_with_rowid=False)

people = Table(
    "people",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    _text("name"),
    _text("language"),
    _text("phone"),
    _text("email"),
    _count("verified"),
    _text("timezone"),
    sqlite_with_rowid=False,
)

timers = Table(
    "timers",
    metadata,
    _text("conversation", key=True),
    _text("key", key=True),
    _time("at"),
    _blob("due"),
    Index("timers_at", "at"),
    sqlite_with_rowid=False,
)

facts = Table(
    "facts", metadata, _text("person", key=True), _text("key", key=True), _blob("value"), sqlite_with_rowid=False
)

cases = Table(
    "cases",
    metadata,
    _text("id", key=True),
    _text("conversation"),
    _text("desk"),
    _text("queue"),
    _text("reason"),
    _time("opened_at"),
    _text("ref"),
    _text("agent"),
    _text("state"),
    _text("cursor"),
    _time("closed_at"),
    Index("cases_ref", "desk", "ref"),
    sqlite_with_rowid=False,
)

# Events from outside a turn that have taken effect.
effects = Table(
    "effects",
    metadata,
    _text("conversation", key=True),
    _text("event_id", key=True),
    _time("at"),
    Index("effects_at", "at"),
    sqlite_with_rowid=False,
)

traces = Table(
    "traces",
    metadata,
    _text("conversation", key=True),
    _count("n", key=True),
    _blob("trace"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    _text("conversation", key=True),
    _count("n", key=True),
    _count("seq"),
    _time("at"),
    _text("error"),
    Index("dead_letters_at", "at"),
    sqlite_with_rowid=False,
)

# What no channel could read, as it came; `id` is derived from channel, account and event id.
unreadable = Table(
    "unreadable",
    metadata,
    _text("id", key=True),
    _text("channel"),
    _text("account"),
    _text("event_id"),
    _text("payload"),
    _text("problem"),
    _time("at"),
    Index("unreadable_at", "at"),
)

# What channels (and the core) write down for themselves; `until` is when it may be struck out, 0 for never.
notes = Table(
    "notes",
    metadata,
    _text("key", key=True),
    _text("value"),
    _time("until"),
    Index("notes_until", "until", sqlite_where=text("until > 0")),
    sqlite_with_rowid=False,
)

# The ledger of who wanted to hear nothing, or to hear from us again ("" in `silence`), when, and by which word.
consents = Table(
    "consents",
    metadata,
    _text("conversation", key=True),
    _count("n", key=True),
    _time("at"),
    _text("silence"),
    _text("word"),
    sqlite_with_rowid=False,
)
