"""Commands that say something to people: to one, or to many (docs/outreach.md)."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from bot.cli.operator import Operator
from bot.operations import serving
from bot.outreach.proactive import SayCommand


@click.command()
@click.argument("conversation")
@click.argument("text")
@click.option("--urgent", is_flag=True, help="Don't wait for the end of the recipient's quiet hours.")
@click.pass_obj
def say(operator: Operator, conversation: str, text: str, urgent: bool) -> None:
    """Say TEXT (CommonMark) in CONVERSATION, or to a person by their id."""
    wanted = msgspec.json.encode(SayCommand(to=conversation, text=text, urgent=urgent)).decode()
    operator.tell("say", wanted)


@click.group()
def broadcast() -> None:
    """Say something to many people: docs/outreach.md."""


@broadcast.command("preview")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def preview_broadcast(operator: Operator, file: Path) -> None:
    """Tell how many people FILE would reach and who is left out, and show it as they would see it."""
    # Not by way of the bot that runs: to look at a hundred thousand people would hold up its turns.
    click.echo(serving.run(operator.look("broadcast-preview", file.read_text(encoding="utf-8"))))


@broadcast.command("send")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def send_broadcast(operator: Operator, file: Path) -> None:
    """Begin to send FILE; a name can be used once."""
    operator.tell("broadcast-send", file.read_text(encoding="utf-8"))


@broadcast.command("list")
@click.pass_obj
def list_broadcasts(operator: Operator) -> None:
    """List the newest broadcasts."""
    operator.tell("broadcast-list")


def _on_one(name: str, about: str) -> None:
    """Add a command that takes the id of a broadcast."""

    @broadcast.command(name, help=about)
    @click.argument("id")
    @click.pass_obj
    def on_one(operator: Operator, id: str) -> None:
        operator.tell(f"broadcast-{name}", id)


_on_one("show", "Tell how far a broadcast has come.")
_on_one("pause", "Send nothing more of it until it is resumed, within a second.")
_on_one("resume", "Go on with a broadcast that was paused.")
_on_one("cancel", "Send nothing more of it, ever.")
