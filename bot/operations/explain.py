"""Why a turn went the way it did, as text for the operator. Reads the store; decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from bot.errors import FrontdeskError
from bot.store.contract import OutRow, Store
from bot.turns.trace import ModelTrace, Trace


async def explain(store: Store, turn: str) -> str:
    """The story of a turn such as "c0123456789abcdef0123.4". Raises FrontdeskError when there is none."""
    conversation, _, number = turn.strip().rpartition(".")
    if not conversation or not number.isdigit():
        raise FrontdeskError(f"{turn!r} is no turn; a turn looks like c0123456789abcdef0123.4, as in the log")
    found = await store.trace(conversation, int(number))
    if found is None:
        raise FrontdeskError(f"there is no turn {turn} (yet)")
    data, rows = found
    return "\n".join(_lines(msgspec.json.decode(data, type=Trace), rows))


def _lines(trace: Trace, rows: list[OutRow]) -> list[str]:
    lines = [
        f"turn      {trace.turn}",
        f"at        {_time(trace.at)}, {trace.milliseconds:g} ms, attempt {trace.attempts}",
        f"decided   {trace.decided or '-'}",
        f"handler   {trace.handler or '-'}",
    ]
    lines += [f"considered  {c.score:.3f}  {c.intent}  ({c.why})" for c in trace.candidates]
    lines += [
        f"step      {step.name}  {step.milliseconds:g} ms" + (f"  FAILED: {step.problem}" if step.problem else "")
        for step in trace.steps
    ]
    lines += [line for asked in trace.models for line in _asked(asked)]
    lines += [f"note      {note}" for note in trace.notes]
    if trace.error:
        lines.append(f"GAVE UP   {trace.error}")
    for row in rows:
        body, call = row.outgoing.body, row.outgoing.call
        what = call.kind if call else f"{len(body.text) if body else 0} characters"
        if row.outgoing.takes_back:
            what = f"takes {row.outgoing.edits} back"
        lines.append(f"{row.target:<9} {row.id}  {what}  {row.status}, {row.attempts} attempts{_receipt(row)}")
    return lines


def _asked(asked: ModelTrace) -> list[str]:
    """A question to a model: who answered at what price, and what was tried before."""
    head = f"model     {asked.task}  "
    if asked.problem:
        head += f"NO ANSWER: {asked.problem}"
    else:
        tokens = f"{asked.prompt_tokens} + {asked.completion_tokens} tokens"
        head += f"{asked.rung} {asked.provider}/{asked.model}  {tokens}  {asked.cost / 1e6:.6f}"
    tried = [
        f"  tried   {one.provider}/{one.model}  {one.milliseconds:g} ms" + (f"  {one.problem}" if one.problem else "")
        for one in asked.attempts
    ]
    return [head, *tried]


def _receipt(row: OutRow) -> str:
    parts = [f"receipt {row.platform_id}" if row.platform_id else "", row.error]
    return "".join(f", {part}" for part in parts if part)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
