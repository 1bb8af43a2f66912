"""The tables of tools. Texts have no bounds: PostgreSQL would keep to them. Times are seconds since 1970."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

# Only the digest of a token is stored: who reads the database can call nothing.
tokens = Table(
    "tools_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
)

# One row for each call of a tool; `parameters` and `reasoning_trace` are JSON, without anybody's words.
usage = Table(
    "tools_usage",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("timestamp", Float, nullable=False, index=True),
    Column("tool_name", String(80), nullable=False),
    Column("parameters", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("confidence_score", Float),
    Column("latency_ms", Float, nullable=False),
    Column("error_message", Text, nullable=False),
    Column("reasoning_trace", Text, nullable=False),
    Column("engine", String(10), nullable=False),
    Column("caller", Text, nullable=False),
)

# Nobody else takes a job before `held_until`; `attempts` is also the fence: a result of an older attempt is not kept.
# `hook` is what became of its webhook: "" (there is none), waiting, delivered, refused; it is due at `hook_at`.
jobs = Table(
    "tools_jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("caller", Text, nullable=False),
    Column("tool_name", String(80), nullable=False),
    Column("request", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("held_until", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("done_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("code", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("webhook_url", Text, nullable=False),
    Column("hook", String(10), nullable=False),
    Column("hook_attempts", Integer, nullable=False),
    Column("hook_at", Float, nullable=False),
    Index("tools_jobs_due", "status", "held_until"),
    Index("tools_jobs_hooks", "hook", "hook_at"),
)

# Answers to calls with an idempotency key. `code` is 0 while the first of them is at work.
requests = Table(
    "tools_requests",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("code", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("held_until", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)
