"""Who types a command: their settings, the bot that runs, or the store of one that does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

import click

from bot.app import App
from bot.errors import StartError
from bot.operations import log, serving
from bot.outreach.proactive import LOOKS
from bot.settings import LogSettings, ServerSettings, Settings, StoreSettings
from bot.store.contract import Store
from bot.store.opening import choose_store
from bot.web import ask_running

Commands = Callable[[App], Mapping[str, Callable[[str], Awaitable[str]]]]
"""What may be asked of a bot, by name."""

_FIXES = {
    "console-link": "it prints a link by itself.",
    "resubmit": "it must be there to read the letter, and to answer.",
    "tool-token": "it is what knows tokens.",
    "tool-revoke": "it is what knows tokens.",
    "say": "it is what says things.",
}


_WRITES = ("prompts-restore", "prompts-rollback")
"""Nobody need run for these: they are written into the store, and the processes that have it too see them there."""


class Compose(Protocol):
    """Makes the bot with all its plugins, opening nothing."""

    def __call__(self, settings: Settings, *, serve: bool = True, store: Store | None = None) -> App:
        """The bot; `store` takes the place of the one that the settings name."""


class Operator:
    """What every command gets; `root` is the folder of the checkout."""

    def __init__(self, settings: Settings, root: Path, compose: Compose, commands: Commands) -> None:
        self.settings, self.root = settings, root
        self._compose, self._commands = compose, commands

    def bot(self, *, looks_only: bool = False) -> App:
        """The bot, not opened; with `looks_only` on its store as somebody who only reads it. Logs errors alone."""
        log.configure(LogSettings(level="error"), self.settings.secrets)
        return self._compose(self.settings, serve=False, store=self._looking() if looks_only else None)

    def tell(self, command: str, argument: str = "") -> None:
        """Print what the bot that runs answers, or what its store says."""
        click.echo(serving.run(self.ask(command, argument)))

    async def ask(self, command: str, argument: str = "") -> str:
        """Ask the bot that runs, or look into the store of one that does not. Raises StartError where that won't do."""
        log.configure(LogSettings(level="error"), self.settings.secrets)
        home = self.settings.own(ServerSettings, "server").home
        answer = await ask_running(home, command, argument)
        if answer is not None:
            return answer
        says = command.startswith("broadcast-") and command not in LOOKS
        fix = _FIXES.get("say" if says else command)
        if fix is not None:
            raise StartError(f"No bot runs in {home}. Start it: {fix}")
        return await self.look(command, argument)

    async def look(self, command: str, argument: str = "") -> str:
        """Look into the store, beside the bot if one runs."""
        app = self.bot(looks_only=command not in _WRITES)
        await app.store.start()
        try:
            return await self._commands(app)[command](argument)
        finally:
            await app.store.stop()

    def _looking(self) -> Store:
        home = self.settings.own(ServerSettings, "server").home
        return choose_store(self.settings.own(StoreSettings, "store"), home, looks_only=True)
