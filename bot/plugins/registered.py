"""What one plugin has registered, and the checks on it. Knows no files and no other plugins' order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from bot.channel import Channel
from bot.desk import Desk
from bot.errors import PluginError
from bot.plugins.discovery import Source
from bot.services import Services, describe
from bot.skill import Skill
from bot.turns.middleware import Middleware

P = TypeVar("P")


@dataclass(slots=True)
class Loaded:
    """A plugin that runs. Its registrations are these lists, so taking it out of the list of plugins undoes them."""

    source: Source
    module: ModuleType | object
    place: Path | None = None
    skills: list[Skill] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)
    middleware: list[Middleware] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.source.name

    @property
    def needs_restart(self) -> bool:
        """Whether it holds connections, which are opened at start only."""
        return bool(self.channels or self.desks or self.undo)


# The hooks that register, in the order in which they are called, and what takes the registrations.
REGISTER = {
    "register_adapters": "adapter",
    "register_channels": "channel",
    "register_desks": "desk",
    "register_middleware": "middleware",
    "register_skills": "skill",
}


class Registrar:
    """The `register` functions that one plugin's hooks get; refuses what can't be right."""

    def __init__(self, plugin: Loaded, others: Iterable[Loaded], services: Services) -> None:
        self._plugin = plugin
        self._others = [other for other in others if other.name != plugin.name]
        self._services = services

    def adapter(self, port: type[P], adapter: P) -> None:
        """Put an adapter behind a port."""
        self._plugin.undo.append(self._services.add(port, adapter, source=self._plugin.name))

    def channel(self, channel: Channel) -> None:
        """Add a channel; its name and account must be new."""
        self._must_be(channel, Channel)
        for other, theirs in self._all("channels"):
            if (theirs.name, theirs.account) == (channel.name, channel.account):
                raise self._twice(f"the channel {channel.name} (account {channel.account})", other)
        self._plugin.channels.append(channel)

    def desk(self, desk: Desk) -> None:
        """Add a desk; its name must be new."""
        self._must_be(desk, Desk)
        for other, theirs in self._all("desks"):
            if theirs.name == desk.name:
                raise self._twice(f"the desk {desk.name}", other)
        self._plugin.desks.append(desk)

    def middleware(self, middleware: Middleware) -> None:
        """Add a middleware at the end of the chain."""
        self._must_be(middleware, Middleware)
        self._plugin.middleware.append(middleware)

    def skill(self, skill: Skill) -> None:
        """Add a skill; its name must be new, and it must have a handler, a job or a published tool."""
        self._must_be(skill, Skill)
        if skill in self._plugin.skills:
            return
        for other, theirs in self._all("skills"):
            if theirs.name == skill.name:
                raise self._twice(f"the skill {skill.name}", other)
        if not skill.handlers and not skill.jobs and not any(tool.published for tool in skill.tools.values()):
            raise PluginError(
                f"{self._plugin.name}: the skill {skill.name} has no handler; "
                f'add one: @skill.intent("an example") async def answer(turn: Turn) -> None'
            )
        self._refuse_taken_commands(skill)
        self._plugin.skills.append(skill)

    def _refuse_taken_commands(self, skill: Skill) -> None:
        """A command belongs to one handler: of two, nobody could say which one answers."""
        own = {command: intent.id for intent in skill.intents for command in intent.commands}
        for other, theirs in self._all("skills"):
            for intent in theirs.intents:
                for command in intent.commands:
                    if command in own:
                        raise PluginError(
                            f"{self._plugin.name}: {own[command]} wants the command /{command}, which {intent.id} of "
                            f"{other.name} has already; rename one of them"
                        )

    def _all(self, kind: str) -> Iterable[tuple[Loaded, Any]]:
        return [(other, item) for other in (*self._others, self._plugin) for item in getattr(other, kind)]

    def _must_be(self, value: object, contract: type) -> None:
        if not isinstance(value, contract):
            what = "a class; register an instance of it" if isinstance(value, type) else f"a {type(value).__name__}"
            raise PluginError(f"{self._plugin.name}: wants to register a {contract.__name__} but gives {what}")

    def _twice(self, what: str, other: Loaded) -> PluginError:
        return PluginError(f"{self._plugin.name}: {other.name} registers {what} already; rename or remove one of them")


def refuse_async(plugin: str, function: Callable[..., Any]) -> None:
    """A hook that is `async def` would never run: pluggy does not wait."""
    if inspect.iscoroutinefunction(function):
        raise PluginError(f"{plugin}: {describe(function)} must be a plain `def`: hooks register, they do no I/O")
