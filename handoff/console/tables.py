"""The console's own tables. The transcript is not here: the core keeps it, and the console reads it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

agents = Table(
    "console_agents",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(80), nullable=False),
    # Two spellings of a name ("Ana", "ana ") are one agent, who finds her conversations again.
    Column("folded", String(80), nullable=False, unique=True),
    Column("created", Float, nullable=False),
)

tickets = Table(
    "console_tickets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("conversation", String(60), nullable=False, index=True),
    # Text where nobody bounds the length: PostgreSQL keeps to it, SQLite never did.
    Column("channel", Text, nullable=False),
    Column("person", JSON, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("state", String(10), nullable=False),
    Column("agent", String(40), ForeignKey("console_agents.id"), nullable=True),
    Column("takes", Integer, nullable=False, default=0),
    Column("taken_at", Float, nullable=False, default=0.0),
    Column("closed_at", Float, nullable=False, default=0.0),
    Column("outcome", String(200), nullable=False, default=""),
    # The last line, so that the queue needs no transcript. `waiting_since` is 0 once an agent has answered.
    Column("preview", String(200), nullable=False, default=""),
    Column("preview_source", String(10), nullable=False, default=""),
    Column("last_at", Float, nullable=False, default=0.0),
    Column("last_seq", Integer, nullable=False, default=0),
    Column("waiting_since", Float, nullable=False, default=0.0),
    Index("console_tickets_by_state", "state", "opened_at"),
)

appended = Table(
    "console_appended",
    metadata,
    Column("ticket", Integer, ForeignKey("console_tickets.id"), primary_key=True),
    Column("key", Text, primary_key=True),
)

notes = Table(
    "console_notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ticket", Integer, ForeignKey("console_tickets.id"), nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("author", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index("console_notes_once", "ticket", "key", unique=True),
)

# What agents did, written before the core hears of it: a crash in between loses nothing.
events = Table(
    "console_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String(120), nullable=False, unique=True),
    Column("ticket", Integer, ForeignKey("console_tickets.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("delivered", Boolean, nullable=False, default=False, index=True),
    # For answers only: the last line that the agent had seen, and the line of the transcript that the answer became.
    Column("seen", Integer, nullable=False, default=0),
    Column("entry_seq", Integer, nullable=False, default=0),
    Index("console_events_by_ticket", "ticket", "id"),
)

links = Table(
    "console_links",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("expires", Float, nullable=False),
)

sessions = Table(
    "console_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("agent", String(40), ForeignKey("console_agents.id"), nullable=False),
    Column("expires", Float, nullable=False),
)
