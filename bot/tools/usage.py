"""The usage log of tools: one line for each call, whoever made it, without anybody's words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import structlog
from sqlalchemy import Connection, Row, delete, insert, select

from bot.errors import StoreError
from bot.messages import Value
from bot.store.own_tables import OwnTables
from bot.tools.redaction import Redacted
from bot.tools.tables import usage

Status = Literal[
    "ok",
    "unknown_tool",
    "bad_arguments",
    "unreadable",
    "refused",
    "missing",
    "busy",
    "failed",
    "cancelled",
    "too_many",
    "repeated",
    "declined",
]
"""What became of a call. The last three were wishes of a model that were not granted."""

MOST = 1_000
LONGEST_NAME = 80

PATIENCE = 0.25
"""Seconds for which an answer waits for its line; then the line is written by itself."""

log = structlog.get_logger()


class UsageLine(Value, frozen=True):
    """One call. Without an answer there is no `confidence_score`; `engine` says who answered."""

    timestamp: float
    tool_name: str
    parameters: Redacted
    status: Status
    latency_ms: float
    confidence_score: float | None = None
    error_message: str = ""
    reasoning_trace: tuple[str, ...] = ()
    engine: Literal["", "offline", "model"] = ""
    caller: str = ""


class UsageQuery(Value, frozen=True):
    """Which lines are wanted, newest first."""

    tool: str = ""
    since: float = 0.0
    failed: bool = False
    limit: int = 20


class UsageLog:
    """Writes the log and reads it."""

    def __init__(self, tables: OwnTables) -> None:
        self._tables = tables
        self._writing: set[asyncio.Task[None]] = set()

    async def note(self, line: UsageLine) -> None:
        """Write a line, also when whoever waits is cancelled; nobody waits longer than PATIENCE for it."""
        writing = asyncio.create_task(self.write(line), name="tool usage")
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.wait({writing}, timeout=PATIENCE)

    async def settle(self) -> None:
        """Wait for the lines that are being written."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def write(self, line: UsageLine) -> None:
        """Write a line. A store that can't take it costs the line, and not the answer that was found."""
        values = {
            **msgspec.structs.asdict(line),
            "tool_name": line.tool_name[:LONGEST_NAME],
            "parameters": msgspec.json.encode(line.parameters).decode(),
            "reasoning_trace": msgspec.json.encode(line.reasoning_trace).decode(),
        }
        try:
            database = await self._tables.make()
            await database.write(lambda c: _insert(c, values))
        except StoreError as problem:
            log.error("tool_usage_lost", tool=line.tool_name, status=line.status, why=type(problem).__name__)

    async def read(self, query: UsageQuery) -> Sequence[UsageLine]:
        """The lines that are wanted; none where no tool was ever called."""
        if not await self._tables.there():
            return []
        return await self._tables.database.read(lambda c: _select(c, query))

    async def forget(self, before: float) -> None:
        """Delete what is older."""
        if await self._tables.there():
            await self._tables.database.write(lambda c: _delete(c, before))


def _insert(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(insert(usage).values(values))


def _delete(connection: Connection, before: float) -> None:
    connection.execute(delete(usage).where(usage.c.timestamp < before))


def _select(connection: Connection, query: UsageQuery) -> list[UsageLine]:
    wanted = select(usage).where(usage.c.timestamp >= query.since)
    if query.tool:
        wanted = wanted.where(usage.c.tool_name == query.tool)
    if query.failed:
        wanted = wanted.where(usage.c.status != "ok")
    rows = connection.execute(wanted.order_by(usage.c.id.desc()).limit(min(max(query.limit, 1), MOST))).all()
    return [_line(row) for row in rows]


def _line(row: Row[Any]) -> UsageLine:
    return UsageLine(
        timestamp=row.timestamp,
        tool_name=row.tool_name,
        parameters=msgspec.json.decode(row.parameters),
        status=row.status,
        latency_ms=row.latency_ms,
        confidence_score=row.confidence_score,
        error_message=row.error_message,
        reasoning_trace=tuple(msgspec.json.decode(row.reasoning_trace)),
        engine=row.engine,
        caller=row.caller,
    )
