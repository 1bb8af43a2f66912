"""The command line: composes the bot and starts it. The only place that knows every room."""

from __future__ import annotations

import json
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
from bot.scaffold import new_skill
from bot.settings import LogSettings, PluginSettings, ServerSettings, Settings, StoreSettings
from bot.store.contract import Store
from bot.store.opening import choose_store
from bot.tools import room as tools_room
from bot.web import Control, ask_running
from channels.slack import SlackSettings
from channels.terminal import TerminalChannel, profile_names
from handoff.console import ConsoleDesk

CONFIG = ROOT / "config" / "frontdesk.yaml"
PROVIDERS = ROOT / "config" / "providers.yaml"
CHANNELS = ("channels.slack", "channels.sms", "channels.telegram", "channels.web")
ENGINES = ("grammar", "images", "knowledge", "languages", "moods", "profiles", "pronunciation", "summaries")
BUILTINS = (
    "adapters.llm",
    "adapters.orders",
    *(f"adapters.{name}" for name in ENGINES),
    *CHANNELS,
    "handoff.console",
    "skills.orders",
)
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
    settings.suggest("llm", "providers", str(PROVIDERS))
    return App.build(settings, builtins=builtins, optional=optional, folders=folders, serve=serve, store=store)


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
        **app.outreach.commands(app.channels),
        **app.tools.commands(),
    }


async def _say_hello(app: App) -> None:
    print("\nFrontdesk is here.\n")
    if any(route.path == "/" for channel in app.channels for route in channel.routes()):
        print(f"  demo page      {app.url}/")
    for desk in app.desks:
        if isinstance(desk, ConsoleDesk):
            print(f"  agent console  {await desk.sign_in_link(app.url)}   (signs one person in, once)")
    print(f"  health         {app.url}/healthz")
    print(f"  process        {os.getpid()}   (kill -9 {os.getpid()}: nothing is lost)\n")
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
            "outreach.jobs": "false",
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
    # Not by way of the bot that runs: to look at a hundred thousand people would hold up its turns.
    click.echo(serving.run(_look(settings, "broadcast-preview", file.read_text(encoding="utf-8"))))


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


@main.group()
def tools() -> None:
    """Tools for other programs: docs/tools.md."""


@tools.command("token")
@click.argument("name")
@click.pass_obj
def make_token(settings: Settings, name: str) -> None:
    """Make a token with which NAME may call tools over HTTP."""
    click.echo(serving.run(_ask(settings, "tool-token", name)))


@tools.command("tokens")
@click.pass_obj
def list_tokens(settings: Settings) -> None:
    """List who has a token."""
    click.echo(serving.run(_ask(settings, "tool-tokens")))


@tools.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke_token(settings: Settings, name: str) -> None:
    """Take NAME's token back."""
    click.echo(serving.run(_ask(settings, "tool-revoke", name)))


@tools.command("usage")
@click.option("--tool", default="", help="Only calls of this tool.")
@click.option("--hours", default=0.0, help="Only those of so many hours.")
@click.option("--failed", is_flag=True, help="Only those without an answer.")
@click.option("--limit", default=20, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Every field, a JSON object on each line.")
@click.pass_obj
def tool_usage(settings: Settings, tool: str, hours: float, failed: bool, limit: int, as_json: bool) -> None:
    """Show who called which tools, and what became of it."""
    wanted = tools_room.UsageCommand(tool=tool, hours=hours, failed=failed, limit=limit, json=as_json)
    click.echo(serving.run(_ask(settings, "tool-usage", msgspec.json.encode(wanted).decode())))


@main.command("console-link")
@click.argument("name")
@click.pass_obj
def console_link(settings: Settings, name: str) -> None:
    """Make a link that signs the agent NAME in, once."""
    click.echo(serving.run(_ask(settings, "console-link", name)))


@main.command("slack-manifest")
@click.option("--name", default="Frontdesk", help="What the app is called.")
@click.option("--account", default="main", metavar="NAME", help="Whose settings: an account's name.")
@click.option("--socket", is_flag=True, help="Socket Mode, even where PUBLIC_URL is https.")
@click.option("--install", is_flag=True, help="For many workspaces or an organisation, with tokens that expire.")
@click.pass_obj
def slack_manifest(settings: Settings, name: str, account: str, socket: bool, install: bool) -> None:
    """Print what to paste at api.slack.com/apps: the app with all commands of the skills."""
    from channels.slack.manifest import Wanted, manifest  # noqa: PLC0415 - its libraries may be missing

    log.configure(LogSettings(level="error"), settings.secrets)
    slack = settings.own(SlackSettings, "slack")
    url = settings.own(ServerSettings, "server").public_url.rstrip("/")
    public = url.startswith("https://")
    if install and not public:
        raise StartError("Workspaces install the app over https: set PUBLIC_URL to the bot's own https address.")
    at = "/channels/slack" if account == "main" else f"/channels/slack/{account}"
    wanted = Wanted(name, at, url, sockets=socket or not public, installs=install)
    commands = build(settings, serve=False).inbox.commands()
    click.echo(json.dumps(manifest(commands, slack.all().get(account, slack), wanted), indent=2, ensure_ascii=False))


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
    if command in ("tool-token", "tool-revoke"):
        raise StartError(f"No bot runs in {home}. Start it: it is what knows tokens.")
    if command == "say" or (command.startswith("broadcast-") and command not in LOOKS):
        raise StartError(f"No bot runs in {home}. Start it: it is what says things.")
    return await _look(settings, command, argument)


async def _look(settings: Settings, command: str, argument: str) -> str:
    """Look into the store, beside the bot if one runs."""
    log.configure(LogSettings(level="error"), settings.secrets)
    app = build(settings, serve=False, store=_looking(settings))
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
    for name, problem in app.plugins.broken.items():
        click.echo(f"broken  {name}: {problem}")
    if app.plugins.broken:
        raise click.exceptions.Exit(1)


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
