"""Commands before a start or a deploy: are the settings and plugins right, and which dialogs would not go on?"""

from __future__ import annotations

import click

from bot.app import App
from bot.cli.operator import Operator
from bot.operations import serving
from bot.prompts.cases import cases_of


@click.command()
@click.pass_obj
def check(operator: Operator) -> None:
    """Look at the settings and load all plugins, without starting."""
    app = operator.bot()
    for name in app.plugins.names:
        click.echo(f"ok      {name}")
    for name, cases in cases_of(app.prompts.library).items():
        click.echo(f"ok      {name}@{app.prompts.versions(name).main}, {len(cases)} cases")
    _tell_broken(app)
    if app.plugins.broken:
        raise click.exceptions.Exit(1)


@click.command("dry-replay")
@click.pass_obj
def dry_replay(operator: Operator) -> None:
    """Before a deploy: try this code on all waiting dialogs of the bot that runs, doing nothing."""
    # Not by way of the bot that runs: its code is the old one.
    app = operator.bot(looks_only=True)
    _tell_broken(app)
    if not serving.run(_rehearsed(app)):
        raise click.exceptions.Exit(1)


async def _rehearsed(app: App) -> bool:
    await app.store.start()
    try:
        rehearsed = await app.rehearse()
    finally:
        await app.store.stop()
    click.echo(str(rehearsed))
    return not rehearsed.findings


def _tell_broken(app: App) -> None:
    for name, problem in app.plugins.broken.items():
        click.echo(f"broken  {name}: {problem}")
