"""The built-in desk: a web page for agents, at /console. Always on, so that the bot hands off on a fresh machine."""

from __future__ import annotations

from collections.abc import Callable

from bot import Desk, PluginContext, hookimpl
from handoff.console.desk import ConsoleDesk
from handoff.console.settings import ConsoleSettings

__all__ = ["ConsoleDesk", "ConsoleSettings", "register_desks"]


@hookimpl
def register_desks(register: Callable[[Desk], None], context: PluginContext) -> None:
    """Register the console, unless it is turned off."""
    settings = context.settings(ConsoleSettings, "console")
    if settings.enabled:
        reached = settings.model_copy(update={"public_url": settings.public_url or context.public_url})
        register(ConsoleDesk(reached, context.database, context.clock, context.entropy))
