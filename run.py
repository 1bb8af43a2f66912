"""The command line: composes the bot and starts it. The only place that knows every room."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv" / "bin" / "python"

# `make` installs into .venv: a plain `python run.py` goes on there, so that people need not think of it.
if ENVIRONMENT.exists() and sys.prefix == sys.base_prefix:
    os.execv(ENVIRONMENT, [str(ENVIRONMENT), *sys.argv])  # noqa: S606 - our own interpreter, without a shell

import click
import msgspec

from bot.app import App
from bot.errors import FrontdeskError, StartError
from bot.operations import log, serving
from bot.operations.letters import opt_outs
from bot.outreach.proactive import LOOKS, SayCommand
from bot.ports import Llm
from bot.prompts.cases import cases_of
from bot.prompts.trying import Trial, Tried, told
from bot.scaffold import new_skill
from bot.settings import LogSettings, PluginSettings, ServerSettings, Settings, StoreSettings
from bot.store.contract import Store
from bot.store.opening import choose_store
from bot.web import Control, ask_running
from channels.terminal import TerminalChannel, profile_names
from handoff.console import ConsoleDesk

CONFIG = ROOT / "config" / "frontdesk.yaml"
CHANNELS = ("channels.slack", "channels.sms", "channels.telegram", "channels.web")
BUILTINS = ("adapters.orders", *CHANNELS, "handoff.console", "skills.orders")
WRITES = ("prompts-rollback", "prompts-restore")
OLDEST_PYTHON = (3, 11)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/frontdesk.yaml otherwise.")
@click.option("--set", "options", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting; may be repeated.")
@click.option("--reload", is_flag=True, help="Load skills anew when their files change.")
@click.pass_context
def main(context: click.Context, config: Path | None, options: tuple[str, ...], reload: bool) -> None:
    """Frontdesk: one bot for every channel, with people behind it. Without a command it serves."""
    file = config or (CONFIG if CONFIG.exists() else None)
    given = dict(option.partition("=")[::2] for option in options)
    context.obj = Settings.load(file, os.environ, given)
    if context.invoked_subcommand is None:
        settings: Settings = context.obj
        log.configure(settings.own(LogSettings, "log"), settings.secrets)
        app = build(settings)
        serving.run(serve(app, reload=reload))


def build(
    settings: Settings, *, builtins: tuple[str, ...] = BUILTINS, serve: bool = True, store: Store | None = None
) -> App:
    """The bot with all its plugins; nothing is opened yet."""
    settings.own(LogSettings, "log")
    home = settings.own(ServerSettings, "server").home
    found = [f"skills.{file.parent.name}.skill" for file in sorted(ROOT.glob("skills/*/skill.py"))]
    optional = [name for name in found if name.removesuffix(".skill") not in builtins]
    folders = [ROOT / "plugins", home / "plugins"]
    app = App.build(settings, builtins=builtins, optional=optional, folders=folders, serve=serve, store=store)
    app.prompts.load([ROOT / "config" / "prompts", home / "prompts"])
    return app


async def serve(app: App, *, reload: bool) -> None:
    """Serve until a signal comes."""
    control = Control(app.home, commands(app))

    async def ready() -> None:
        await control.start()
        await _say_hello(app)

    try:
        await serving.serve(app, ready, reload=reload)
    finally:
        await control.stop()


def commands(app: App) -> Mapping[str, Callable[[str], Awaitable[str]]]:
    """What the command line may ask a running bot."""

    async def console_link(name: str) -> str:
        for desk in app.desks:
            if isinstance(desk, ConsoleDesk):
                return await desk.sign_in_link(app.url, name)
        raise FrontdeskError("The console is turned off (console.enabled), so there is nothing to sign in to.")

    return {
        "console-link": console_link,
        "dead-letters": lambda _: app.letters.listed(),
        "dead-letter": app.letters.shown,
        "resubmit": app.letters.resubmitted,
        "opt-outs": lambda _: opt_outs(app.store),
        "explain": app.explain,
        "prompts": lambda _: app.prompts.listed(),
        "prompts-rollback": app.prompts.rollback,
        "prompts-restore": app.prompts.restore,
        **app.outreach.commands(app.channels),
    }


async def _say_hello(app: App) -> None:
    print("\nFrontdesk is here.\n")
    if any(route.path == "/" for channel in app.channels for route in channel.routes()):
        print(f"  demo page      {app.url}/")
    for desk in app.desks:
        if isinstance(desk, ConsoleDesk):
            print(f"  agent console  {await desk.sign_in_link(app.url)}   (signs one person in, once)")
    print(f"  health         {app.url}/healthz\n")
    for name, problem in app.plugins.broken.items():
        print(f"  LEFT OUT: the plugin {name}, because\n    {problem}\n")
    print("Stop it with Ctrl-C. More sign-in links: python run.py console-link NAME", flush=True)


@main.command()
@click.option("--as", "person", default="you", metavar="NAME", help="Who you are; each name has its own conversation.")
@click.option("--channel", default=profile_names()[0], type=click.Choice(profile_names()), help="How it is shown.")
@click.pass_obj
def chat(settings: Settings, person: str, channel: str) -> None:
    """Talk to the bot in this terminal."""
    home = settings.own(ServerSettings, "server").home / "chat"
    disabled = ",".join([*settings.own(PluginSettings, "plugins").disabled, *CHANNELS])
    settings.override(
        {
            "server.home": str(home),
            "plugins.disabled": disabled,
            "terminal.person": person,
            "terminal.channel": channel,
        }
    )
    log.configure(LogSettings(level="error", format="text"), settings.secrets)
    app = build(settings, builtins=(*BUILTINS, "channels.terminal"), serve=False)
    serving.run(_talk(app))


async def _talk(app: App) -> None:
    await app.start()
    try:
        for channel in app.channels:
            if isinstance(channel, TerminalChannel):
                await channel.run(app.inbox)
    finally:
        await app.stop()


@main.command()
@click.argument("turn")
@click.pass_obj
def explain(settings: Settings, turn: str) -> None:
    """Tell why a turn (its id is in the log) went the way it did."""
    click.echo(serving.run(_ask(settings, "explain", turn)))


@main.group("dead-letters", invoke_without_command=True)
@click.pass_context
def dead_letters(context: click.Context) -> None:
    """List the turns that were given up, and what no channel could read."""
    if context.invoked_subcommand is None:
        click.echo(serving.run(_ask(context.obj, "dead-letters")))


@dead_letters.command("show")
@click.argument("id")
@click.pass_obj
def show_letter(settings: Settings, id: str) -> None:
    """Print the message of a turn, or the payload that could not be read."""
    click.echo(serving.run(_ask(settings, "dead-letter", id)))


@dead_letters.command("resubmit")
@click.argument("id")
@click.pass_obj
def resubmit_letter(settings: Settings, id: str) -> None:
    """Give it to the running bot once more; what works is struck from the list."""
    click.echo(serving.run(_ask(settings, "resubmit", id)))


@main.command("opt-outs")
@click.pass_obj
def list_opt_outs(settings: Settings) -> None:
    """List the conversations to which nothing is sent: who opted out, or blocked the bot."""
    click.echo(serving.run(_ask(settings, "opt-outs")))


@main.command()
@click.argument("conversation")
@click.argument("text")
@click.option("--urgent", is_flag=True, help="Don't wait for the end of the recipient's quiet hours.")
@click.pass_obj
def say(settings: Settings, conversation: str, text: str, urgent: bool) -> None:
    """Say TEXT (CommonMark) in CONVERSATION, or to a person by their id."""
    wanted = msgspec.json.encode(SayCommand(to=conversation, text=text, urgent=urgent)).decode()
    click.echo(serving.run(_ask(settings, "say", wanted)))


@main.group()
def broadcast() -> None:
    """Say something to many people: docs/outreach.md."""


@broadcast.command("preview")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def preview_broadcast(settings: Settings, file: Path) -> None:
    """Tell how many people FILE would reach and who is left out, and show it as they would see it."""
    click.echo(serving.run(_ask(settings, "broadcast-preview", file.read_text(encoding="utf-8"))))


@broadcast.command("send")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def send_broadcast(settings: Settings, file: Path) -> None:
    """Begin to send FILE; a name can be used once."""
    click.echo(serving.run(_ask(settings, "broadcast-send", file.read_text(encoding="utf-8"))))


@broadcast.command("list")
@click.pass_obj
def list_broadcasts(settings: Settings) -> None:
    """List the newest broadcasts."""
    click.echo(serving.run(_ask(settings, "broadcast-list")))


def _on_one(name: str, about: str) -> None:
    """Add a command that takes the id of a broadcast."""

    @broadcast.command(name, help=about)
    @click.argument("id")
    @click.pass_obj
    def on_one(settings: Settings, id: str) -> None:
        click.echo(serving.run(_ask(settings, f"broadcast-{name}", id)))


_on_one("show", "Tell how far a broadcast has come.")
_on_one("pause", "Send nothing more of it until it is resumed, within a second.")
_on_one("resume", "Go on with a broadcast that was paused.")
_on_one("cancel", "Send nothing more of it, ever.")


@main.command("console-link")
@click.argument("name")
@click.pass_obj
def console_link(settings: Settings, name: str) -> None:
    """Make a link that signs the agent NAME in, once."""
    click.echo(serving.run(_ask(settings, "console-link", name)))


@main.command("dry-replay")
@click.pass_obj
def dry_replay(settings: Settings) -> None:
    """Before a deploy: try this code on all waiting dialogs of the bot that runs, doing nothing."""
    if not serving.run(_dry_replay(settings)):
        raise click.exceptions.Exit(1)


async def _dry_replay(settings: Settings) -> bool:
    # Not by way of the bot that runs: its code is the old one.
    log.configure(LogSettings(level="error"), settings.secrets)
    app = build(settings, serve=False, store=_looking(settings))
    for name, problem in app.plugins.broken.items():
        click.echo(f"broken  {name}: {problem}")
    await app.store.start()
    try:
        rehearsed = await app.rehearse()
    finally:
        await app.store.stop()
    click.echo(str(rehearsed))
    return not rehearsed.findings


async def _ask(settings: Settings, command: str, argument: str = "") -> str:
    """Ask the bot that runs, or look into the store of one that does not."""
    log.configure(LogSettings(level="error"), settings.secrets)
    home = settings.own(ServerSettings, "server").home
    answer = await ask_running(home, command, argument)
    if answer is not None:
        return answer
    if command == "console-link":
        raise StartError(f"No bot runs in {home}. Start it: it prints a link by itself.")
    if command == "resubmit":
        raise StartError(f"No bot runs in {home}. Start it: it must be there to read the letter, and to answer.")
    if command == "say" or (command.startswith("broadcast-") and command not in LOOKS):
        raise StartError(f"No bot runs in {home}. Start it: it is what says things.")
    # Nobody runs here, so a prompt may be rolled back in the store itself; on PostgreSQL other machines see it.
    app = build(settings, serve=False, store=None if command in WRITES else _looking(settings))
    await app.store.start()
    try:
        return await commands(app)[command](argument)
    finally:
        await app.store.stop()


def _looking(settings: Settings) -> Store:
    """The store of the bot, to look into beside it."""
    home = settings.own(ServerSettings, "server").home
    return choose_store(settings.own(StoreSettings, "store"), home, looks_only=True)


@main.command()
@click.pass_obj
def check(settings: Settings) -> None:
    """Look at the settings and load all plugins, without starting."""
    log.configure(LogSettings(level="error"), settings.secrets)
    app = build(settings)
    for name in app.plugins.names:
        click.echo(f"ok      {name}")
    for name, cases in cases_of(app.prompts.library).items():
        click.echo(f"ok      {name}@{app.prompts.versions(name).main}, {len(cases)} cases")
    for name, problem in app.plugins.broken.items():
        click.echo(f"broken  {name}: {problem}")
    if app.plugins.broken:
        raise click.exceptions.Exit(1)


@main.group(invoke_without_command=True)
@click.pass_context
def prompts(context: click.Context) -> None:
    """List the prompts: who gets which version, and what became of them (docs/prompts.md)."""
    if context.invoked_subcommand is None:
        click.echo(serving.run(_ask(context.obj, "prompts")))


@prompts.command("rollback")
@click.argument("name")
@click.pass_obj
def roll_back(settings: Settings, name: str) -> None:
    """Give the newest version of NAME (answer/general) to nobody, at once and in all processes."""
    click.echo(serving.run(_ask(settings, "prompts-rollback", name)))


@prompts.command("restore")
@click.argument("version")
@click.pass_obj
def restore(settings: Settings, version: str) -> None:
    """Take the rollback of VERSION (answer/general@3) back."""
    click.echo(serving.run(_ask(settings, "prompts-restore", version)))


@main.command("test-prompts")
@click.argument("names", nargs=-1)
@click.option("--live", is_flag=True, help="Ask the configured models, and record their answers.")
@click.option("--answers", is_flag=True, help="Show the answers to what went well, too.")
@click.pass_obj
def try_prompts(settings: Settings, names: tuple[str, ...], live: bool, answers: bool) -> None:
    """Run the cases of all prompts, or of NAMES: against recorded answers, without a network, unless --live."""
    log.configure(LogSettings(level="error"), settings.secrets)
    app = build(settings, serve=False)
    tried = serving.run(_try_prompts(app, names) if live else Trial(app.prompts).run(names))
    click.echo(told(tried, answers=answers))
    if any(one.failed for one in tried):
        raise click.exceptions.Exit(1)


async def _try_prompts(app: App, names: tuple[str, ...]) -> list[Tried]:
    """With the models that are configured; what they cost goes into the books of the bot's store."""
    llm = app.services.get(Llm)
    if not llm.there:
        raise StartError(
            "No model is configured, so there is nobody to ask; leave --live out to replay what is recorded."
        )
    await app.store.start()
    living = app.services.living()
    try:
        for adapter in living:
            await adapter.start()
        return await Trial(app.prompts, model=llm).run(names)
    finally:
        for adapter in living:
            await adapter.stop()
        await app.store.stop()


@main.group()
def new() -> None:
    """Write something new."""


@new.command("skill")
@click.argument("name")
def write_skill(name: str) -> None:
    """Write a skill called NAME, and its passing test."""
    for file in new_skill(name, ROOT):
        click.echo(f"wrote {file.relative_to(ROOT)}")
    click.echo(f"\nTry it: python run.py chat, then /{name}. Its test runs with: make test")


@main.command("lint-skill")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def lint_skill(path: Path) -> None:
    """Look for what can't be replayed in a skill: clocks, randomness, I/O outside steps."""
    from bot.dialog.lint import lint  # noqa: PLC0415

    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    findings = [finding for file in files for finding in lint(file)]
    for finding in findings:
        click.echo(str(finding))
    if findings:
        raise click.exceptions.Exit(1)
    click.echo("Nothing to complain about.")


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("Frontdesk needs Python 3.11 or newer.")
    try:
        main()
    except FrontdeskError as problem:
        sys.exit(f"\n{problem}")
