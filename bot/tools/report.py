"""The usage log as an operator reads it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from bot.tools.usage import UsageLine


def table(lines: Sequence[UsageLine]) -> str:
    """A line for each call, newest first, and one for each tool with its counts."""
    if not lines:
        return "No tool was called."
    calls = [
        f"{_when(line.timestamp)}  {line.tool_name or '(unknown)':22} {line.status:13} {line.engine or '-':8}"
        f"{_sure(line)}  {line.latency_ms:9.1f} ms  {line.caller or '-'}  {line.error_message}".rstrip()
        for line in lines
    ]
    return "\n".join([*calls, "", *_sums(lines)])


def as_json(lines: Sequence[UsageLine]) -> str:
    """A JSON object on each line, with every field."""
    return "\n".join(
        msgspec.json.encode({name: getattr(line, name) for name in line.__struct_fields__}).decode() for line in lines
    )


def _sums(lines: Sequence[UsageLine]) -> list[str]:
    found = []
    for name in sorted({line.tool_name for line in lines}):
        mine = [line for line in lines if line.tool_name == name]
        times = sorted(line.latency_ms for line in mine)
        failed = sum(line.status != "ok" for line in mine)
        found.append(
            f"{name or '(unknown)'}: {len(mine)} calls, {failed} without an answer, "
            f"median {times[len(times) // 2]:.1f} ms, slowest {times[-1]:.1f} ms"
        )
    return found


def _sure(line: UsageLine) -> str:
    return "   -" if line.confidence_score is None else f"{line.confidence_score:4.2f}"


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
