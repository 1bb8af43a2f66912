"""Every hook that a plugin can implement. pluggy registers and observes; it never carries an answer.

A plugin is a module. It marks its functions with `hookimpl`, and takes only the arguments it needs:

    from bot import hookimpl

    @hookimpl
    def register_channels(register, context):
        register(Carrier(context.settings(CarrierSettings, "carrier")))

The `register_*` hooks are called once, at start, in the order below; each may call `register` as often as it likes.
They must not do I/O: a channel or desk connects in its own `start`. A file that is dropped into the plugin folder may
do without hooks if it has a `skill = Skill(...)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.channel import Channel
    from bot.desk import Desk
    from bot.plugins.context import PluginContext
    from bot.skill import Skill
    from bot.turns.middleware import Middleware
    from bot.turns.trace import Trace

PROJECT = "frontdesk"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

P = TypeVar("P")


class RegisterAdapter(Protocol):
    """Takes a port and the adapter behind it."""

    def __call__(self, port: type[P], adapter: P) -> None:
        """Register `adapter` as what skills get when they ask for `port`."""


@hookspec
def register_adapters(register: RegisterAdapter, context: PluginContext) -> None:
    """Called first, at start. Call `register(Orders, adapter)` for each port that this plugin provides."""


@hookspec
def register_channels(register: Callable[[Channel], None], context: PluginContext) -> None:
    """Called at start. Call `register(channel)` for each account on a platform whose credentials are set."""


@hookspec
def register_desks(register: Callable[[Desk], None], context: PluginContext) -> None:
    """Called at start. Call `register(desk)` for each helpdesk where people answer."""


@hookspec
def register_middleware(register: Callable[[Middleware], None], context: PluginContext) -> None:
    """Called at start. Call `register(middleware)` to see every message before the router; outermost first."""


@hookspec
def register_skills(register: Callable[[Skill], None], context: PluginContext) -> None:
    """Called last, at start and again when the file changes under --reload. Call `register(skill)` for each skill."""


@hookspec
def turn_finished(trace: Trace) -> None:
    """Called after each turn is committed. It only looks: it must be quick, and what it raises is logged."""


@hookspec
def plugin_failed(plugin: str, problem: str) -> None:
    """Called when another plugin could not be loaded or reloaded; `problem` is a sentence for the operator."""
