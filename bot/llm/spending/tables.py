"""The tables of usage and money. Times are seconds since 1970, days are UTC ("2026-11-29"), money is in millionths."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

GROUPS = ("day", "tenant", "person", "skill", "task", "prompt", "provider", "model")
"""What usage can be added up by."""

# What was used, added up by day and by everything that somebody may ask for.
usage = Table(
    "llm_usage",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("tenant", String(100), primary_key=True),
    Column("person", String(100), primary_key=True),
    Column("skill", String(100), primary_key=True),
    Column("task", String(100), primary_key=True),
    Column("prompt", String(200), primary_key=True),
    Column("provider", String(100), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("milliseconds", BigInteger, nullable=False),
)

# What of a budget is gone (`spent`) and what calls that are being made may still need (`held`).
accounts = Table(
    "llm_accounts",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("scope", String(10), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("spent", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
)

# One row for each call that is being made. One whose process died counts as spent after `until`: the provider may
# well have been paid.
holds = Table(
    "llm_holds",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("accounts", Text, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("until", Float, nullable=False),
    Index("llm_holds_until", "until"),
)
