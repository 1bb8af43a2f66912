"""What models were used for and what they cost, as an operator reads it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.errors import FrontdeskError
from bot.llm.spending.books import Ledger, Total
from bot.llm.spending.tables import GROUPS
from bot.messages import Value


class CostsCommand(Value, frozen=True):
    """What the command line wants to see: by which columns, from which day to which ("2026-11-29")."""

    by: tuple[str, ...] = ("day", "model")
    first: str = ""
    last: str = "9999"


async def costs(ledger: Ledger, wanted: str) -> str:
    """The report that a CostsCommand (as JSON) asks for. Raises FrontdeskError for a column that there isn't."""
    command = msgspec.json.decode(wanted, type=CostsCommand)
    strange = [name for name in command.by if name not in GROUPS]
    if strange or not command.by:
        raise FrontdeskError(f"Costs can be told by {', '.join(GROUPS)}; not by {', '.join(strange) or 'nothing'}.")
    totals = await ledger.totals(command.by, first=command.first, last=command.last)
    return table(command.by, totals)


def table(by: Sequence[str], totals: Sequence[Total]) -> str:
    """A line for each group, the dearest first, and one for all. Money is in the currency of the prices."""
    if not totals:
        return "No model was asked."
    whole = Total(
        names=("all", *("" for _ in by[1:])),
        calls=sum(total.calls for total in totals),
        failed=sum(total.failed for total in totals),
        prompt_tokens=sum(total.prompt_tokens for total in totals),
        cached_tokens=sum(total.cached_tokens for total in totals),
        completion_tokens=sum(total.completion_tokens for total in totals),
        cost=sum(total.cost for total in totals),
    )
    heads = (*by, "calls", "failed", "tokens in", "cached", "tokens out", "cost")
    rows = [heads, *(_row(total) for total in (*totals, whole))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(heads))]
    return "\n".join(_line(row, widths, len(by)) for row in rows)


def _row(total: Total) -> tuple[str, ...]:
    tokens = (total.prompt_tokens, total.cached_tokens, total.completion_tokens)
    figures = (total.calls, total.failed, *tokens)
    return (*(name or "-" for name in total.names), *(f"{figure:,}" for figure in figures), f"{total.cost / 1e6:,.6f}")


def _line(row: Sequence[str], widths: Sequence[int], names: int) -> str:
    cells = [
        cell.ljust(width) if at < names else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
