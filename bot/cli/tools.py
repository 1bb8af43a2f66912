"""Commands about tools for other programs: who may call them, and who did (docs/tools.md)."""

from __future__ import annotations

import click
import msgspec

from bot.cli.operator import Operator
from bot.tools.room import UsageCommand


@click.group()
def tools() -> None:
    """Tools for other programs: docs/tools.md."""


@tools.command("token")
@click.argument("name")
@click.pass_obj
def make_token(operator: Operator, name: str) -> None:
    """Make a token with which NAME may call tools over HTTP."""
    operator.tell("tool-token", name)


@tools.command("tokens")
@click.pass_obj
def list_tokens(operator: Operator) -> None:
    """List who has a token."""
    operator.tell("tool-tokens")


@tools.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke_token(operator: Operator, name: str) -> None:
    """Take NAME's token back."""
    operator.tell("tool-revoke", name)


@tools.command("usage")
@click.option("--tool", default="", help="Only calls of this tool.")
@click.option("--hours", default=0.0, help="Only those of so many hours.")
@click.option("--failed", is_flag=True, help="Only those without an answer.")
@click.option("--limit", default=20, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Every field, a JSON object on each line.")
@click.pass_obj
def tool_usage(operator: Operator, tool: str, hours: float, failed: bool, limit: int, as_json: bool) -> None:
    """Show who called which tools, and what became of it."""
    wanted = UsageCommand(tool=tool, hours=hours, failed=failed, limit=limit, json=as_json)
    operator.tell("tool-usage", msgspec.json.encode(wanted).decode())
