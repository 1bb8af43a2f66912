"""Commands about prompts: who gets which version, rolling one back, and their tests (docs/prompts.md)."""

from __future__ import annotations

import click

from bot.app import App
from bot.cli.operator import Operator
from bot.errors import StartError
from bot.operations import serving
from bot.ports import Llm
from bot.prompts.trying import Trial, Tried, told


@click.group(invoke_without_command=True)
@click.pass_context
def prompts(context: click.Context) -> None:
    """List the prompts: who gets which version, and what became of them (docs/prompts.md)."""
    if context.invoked_subcommand is None:
        context.obj.tell("prompts")


@prompts.command("rollback")
@click.argument("name")
@click.pass_obj
def roll_back(operator: Operator, name: str) -> None:
    """Give the newest version of NAME (answer/general) to nobody, at once and in all processes."""
    operator.tell("prompts-rollback", name)


@prompts.command("restore")
@click.argument("version")
@click.pass_obj
def restore(operator: Operator, version: str) -> None:
    """Take the rollback of VERSION (answer/general@3) back."""
    operator.tell("prompts-restore", version)


@click.command("test-prompts")
@click.argument("names", nargs=-1)
@click.option("--live", is_flag=True, help="Ask the configured models, and record their answers.")
@click.option("--answers", is_flag=True, help="Show the answers to what went well, too.")
@click.pass_obj
def try_prompts(operator: Operator, names: tuple[str, ...], live: bool, answers: bool) -> None:
    """Run the cases of all prompts, or of NAMES: against recorded answers, without a network, unless --live."""
    app = operator.bot()
    tried = serving.run(_asked(app, names) if live else Trial(app.prompts).run(names))
    click.echo(told(tried, answers=answers))
    if any(one.failed for one in tried):
        raise click.exceptions.Exit(1)


async def _asked(app: App, names: tuple[str, ...]) -> list[Tried]:
    """With the models that are configured; what they cost goes into the books of the bot's store."""
    llm = app.services.get(Llm)
    if not llm.there:
        raise StartError("No model is configured, so there is nobody to ask; leave --live out to replay the records.")
    await app.store.start()
    try:
        return await Trial(app.prompts, model=llm).run(names)
    finally:
        await app.llm.close()
        await app.store.stop()
