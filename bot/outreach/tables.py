"""The tables of broadcasts and jobs, and how those of the store look that they are joined with.

Texts have no bounds: PostgreSQL would keep to them. Times are seconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

# `cursor` is the last conversation that was looked at while the recipients were being fixed; `complete` that all were.
broadcasts = Table(
    "outreach_broadcasts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("spec", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("complete", Boolean, nullable=False, default=False),
    Column("cursor", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

# One row per person, of all who are in the segment; `state` is waiting, handed (to the lane) or dropped, and `why`.
# `rank` and `seen_at` say which of a person's conversations it is; not before `at` they are written to.
recipients = Table(
    "outreach_recipients",
    metadata,
    Column("broadcast", String(40), primary_key=True),
    Column("person", String(40), primary_key=True),
    Column("conversation", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("state", String(10), nullable=False),
    Column("why", Text, nullable=False, default=""),
    Column("at", Float, nullable=False, default=0.0),
    Index("outreach_recipients_next", "broadcast", "state", "at", "conversation"),
)

# `done` is the due time of the last run that ended, `began` of the last one that began, in so many attempts.
jobs = Table(
    "outreach_jobs",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("began", Float, nullable=False, default=0.0),
    Column("done", Float, nullable=False, default=0.0),
    Column("attempts", Integer, nullable=False, default=0),
)
