"""Commands about turns: why one went the way it did, which were given up, and to whom nothing is sent."""

from __future__ import annotations

import click

from bot.cli.operator import Operator


@click.command()
@click.argument("turn")
@click.pass_obj
def explain(operator: Operator, turn: str) -> None:
    """Tell why a turn (its id is in the log) went the way it did."""
    operator.tell("explain", turn)


@click.group("dead-letters", invoke_without_command=True)
@click.pass_context
def dead_letters(context: click.Context) -> None:
    """List the turns that were given up, and what no channel could read."""
    if context.invoked_subcommand is None:
        context.obj.tell("dead-letters")


@dead_letters.command("show")
@click.argument("id")
@click.pass_obj
def show_letter(operator: Operator, id: str) -> None:
    """Print the message of a turn, or the payload that could not be read."""
    operator.tell("dead-letter", id)


@dead_letters.command("resubmit")
@click.argument("id")
@click.pass_obj
def resubmit_letter(operator: Operator, id: str) -> None:
    """Give it to the running bot once more; what works is struck from the list."""
    operator.tell("resubmit", id)


@click.command("opt-outs")
@click.pass_obj
def list_opt_outs(operator: Operator) -> None:
    """List the conversations to which nothing is sent: who opted out, or blocked the bot."""
    operator.tell("opt-outs")
