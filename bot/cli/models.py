"""Commands about language models: what they were used for, and what it cost (docs/models.md)."""

from __future__ import annotations

import click
import msgspec

from bot.cli.operator import Operator
from bot.llm.spending.report import CostsCommand
from bot.llm.spending.tables import GROUPS


@click.command()
@click.option("--by", default="day,model", help=f"Columns to add up by: {', '.join(GROUPS)}.")
@click.option("--since", default="", metavar="DAY", help="From this day on (UTC), as 2026-11-29.")
@click.option("--until", default="9999", metavar="DAY", help="Up to this day.")
@click.pass_obj
def costs(operator: Operator, by: str, since: str, until: str) -> None:
    """Show what language models were used for, and what it cost."""
    columns = tuple(part.strip() for part in by.split(",") if part.strip())
    wanted = CostsCommand(by=columns, first=since, last=until)
    operator.tell("costs", msgspec.json.encode(wanted).decode())
