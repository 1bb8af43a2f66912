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

from bot.app import App
from bot.cli import authors, deploying, letters, models, outreach, prompts, tools
from bot.cli.operator import Operator
from bot.errors import FrontdeskError, StartError
from bot.llm.spending.report import costs
from bot.operations import log, serving
from bot.operations.letters import opt_outs
from bot.settings import LogSettings, PluginSettings, ServerSettings, Settings
from bot.store.contract import Store
from bot.web import Control
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
    settings = Settings.load(file, os.environ, given)
    context.obj = Operator(settings, ROOT, build, commands)
    if context.invoked_subcommand is None:
        log.configure(settings.own(LogSettings, "log"), settings.secrets)
        app = build(settings)
        serving.run(serve(app, reload=reload))


def build(
    settings: Settings, *, serve: bool = True, store: Store | None = None, builtins: tuple[str, ...] = BUILTINS
) -> App:
    """The bot with all its plugins; nothing is opened yet."""
    settings.own(LogSettings, "log")
    home = settings.own(ServerSettings, "server").home
    found = [f"skills.{file.parent.name}.skill" for file in sorted(ROOT.glob("skills/*/skill.py"))]
    optional = [name for name in found if name.removesuffix(".skill") not in builtins]
    folders = [ROOT / "plugins", home / "plugins"]
    settings.suggest("llm", "providers", str(PROVIDERS))
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
        "costs": lambda wanted: costs(app.books, wanted),
        "explain": app.explain,
        "prompts": lambda _: app.prompts.listed(),
        "prompts-rollback": app.prompts.rollback,
        "prompts-restore": app.prompts.restore,
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
def chat(operator: Operator, person: str, channel: str) -> None:
    """Talk to the bot in this terminal."""
    settings = operator.settings
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


@main.command("console-link")
@click.argument("name")
@click.pass_obj
def console_link(operator: Operator, name: str) -> None:
    """Make a link that signs the agent NAME in, once."""
    operator.tell("console-link", name)


@main.command("slack-manifest")
@click.option("--name", default="Frontdesk", help="What the app is called.")
@click.option("--account", default="main", metavar="NAME", help="Whose settings: an account's name.")
@click.option("--socket", is_flag=True, help="Socket Mode, even where PUBLIC_URL is https.")
@click.option("--install", is_flag=True, help="For many workspaces or an organisation, with tokens that expire.")
@click.pass_obj
def slack_manifest(operator: Operator, name: str, account: str, socket: bool, install: bool) -> None:
    """Print what to paste at api.slack.com/apps: the app with all commands of the skills."""
    from channels.slack.manifest import Wanted, manifest  # noqa: PLC0415 - its libraries may be missing

    settings = operator.settings
    slack = settings.own(SlackSettings, "slack")
    url = settings.own(ServerSettings, "server").public_url.rstrip("/")
    public = url.startswith("https://")
    if install and not public:
        raise StartError("Workspaces install the app over https: set PUBLIC_URL to the bot's own https address.")
    at = "/channels/slack" if account == "main" else f"/channels/slack/{account}"
    wanted = Wanted(name, at, url, sockets=socket or not public, installs=install)
    known = operator.bot().inbox.commands()
    click.echo(json.dumps(manifest(known, slack.all().get(account, slack), wanted), indent=2, ensure_ascii=False))


for command in (
    authors.lint_skill,
    authors.new,
    deploying.check,
    deploying.dry_replay,
    letters.dead_letters,
    letters.explain,
    letters.list_opt_outs,
    models.costs,
    outreach.broadcast,
    outreach.say,
    prompts.prompts,
    prompts.try_prompts,
    tools.tools,
):
    main.add_command(command)


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("Frontdesk needs Python 3.11 or newer.")
    try:
        main()
    except FrontdeskError as problem:
        sys.exit(f"\n{problem}")
