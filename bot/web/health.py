"""Whether the bot lives (/healthz) and whether it can serve (/readyz). Knows nobody's insides: it asks probes."""

from __future__ import annotations

import asyncio
import time
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from bot.operations.watchdog import Watchdog

# Answers "" when all is well, else what is wrong.
Probe = Callable[[], Awaitable[str]]

PROBE_TIMEOUT = 2.0


class Health:
    """Probes by name. `notes` are things that the operator should know although the bot serves (a broken plugin)."""

    def __init__(
        self, *, notes: Callable[[], dict[str, str]] = dict, watchdog: Watchdog | None = None, version: str = ""
    ) -> None:
        self._probes: dict[str, Probe] = {}
        self._asides: dict[str, Probe] = {}
        self._notes = notes
        self._watchdog = watchdog
        self._version = version or version_of_this()
        self._since = time.monotonic()

    def add(self, name: str, probe: Probe) -> None:
        """Ask `probe` too before saying that the bot is ready."""
        self._probes[name] = probe

    def mention(self, name: str, probe: Probe) -> None:
        """Tell what `probe` says; the bot serves without it."""
        self._asides[name] = probe

    def routes(self) -> list[web.RouteDef]:
        """The two routes."""
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _: web.Request) -> web.Response:
        """The process lives and its loop turns."""
        body: dict[str, object] = {
            "status": "ok",
            "version": self._version,
            "uptime_seconds": round(time.monotonic() - self._since, 1),
        }
        if self._watchdog is not None:
            body["loop_lag_ms"] = round(self._watchdog.lag * 1000, 1)
            blocked = self._watchdog.last
            if blocked is not None:
                body["last_blocked"] = {"plugin": blocked.plugin, "function": blocked.function, "ms": blocked.ms}
        return web.json_response(body, headers={"Cache-Control": "no-store"})

    async def ready(self, _: web.Request) -> web.Response:
        """200 when every probe is content, else 503; a broken plugin is listed and does no harm."""
        probes = self._probes | self._asides
        answers = await asyncio.gather(*(_asked(probe) for probe in probes.values()))
        checks = {name: answer or "ok" for name, answer in zip(probes, answers, strict=True)}
        ready = all(checks[name] == "ok" for name in self._probes)
        body = {"ready": ready, "checks": checks, "broken_plugins": sorted(self._notes())}
        return web.json_response(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


async def _asked(probe: Probe) -> str:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            return await probe()
    except TimeoutError:
        return f"no answer within {PROBE_TIMEOUT:g} s"
    except Exception as error:
        # Strangers can read this page: the kind of trouble, not its words.
        return type(error).__name__


def version_of_this() -> str:
    """The version in pyproject.toml: the one place where it stands."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
