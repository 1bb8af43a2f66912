"""Looks at the plugins' files and reloads what changed. Only runs under --reload; production restarts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from bot.plugins.registry import Plugins, Reloaded

log = structlog.get_logger()


async def watch(plugins: Plugins, stop: asyncio.Event) -> None:
    """Reload plugins as their files change, until `stop` is set. Each outcome is logged."""
    places = plugins.watched()
    if not places:
        return
    from watchfiles import awatch  # noqa: PLC0415 - only those who develop need it

    async for changes in awatch(*places, stop_event=stop, debounce=200, step=50):
        paths = sorted({Path(path) for _, path in changes if path.endswith(".py")})
        for outcome in apply(plugins, paths):
            tell = log.info if outcome.ok else log.error
            tell(
                "plugin_reloaded" if outcome.ok else "plugin_not_reloaded", plugin=outcome.plugin, say=outcome.sentence
            )


def apply(plugins: Plugins, paths: list[Path]) -> list[Reloaded]:
    """Reload what some changed files belong to, each plugin once."""
    outcomes: dict[str, Reloaded] = {}
    for path in paths:
        if plugins.owner(str(path)) in outcomes:
            continue
        outcome = plugins.reload(path)
        if outcome is not None:
            outcomes[outcome.plugin] = outcome
    return list(outcomes.values())
