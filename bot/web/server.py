"""The HTTP server on aiohttp. Knows no route of its own but health; channels and desks bring theirs."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.clock import Entropy
from bot.errors import PluginError, StartError
from bot.settings import ServerSettings
from bot.web.errors import catching
from bot.web.health import Health
from bot.web.library import LibraryLog

# How long a connection may wait for a whole request head. aiohttp counts from its first byte on, so this is also what
# ends clients that send one byte at a time; longer than the 60 s for which proxies keep idle connections.
IDLE_SECONDS = 75.0
CLOSE_SECONDS = 5.0

log = structlog.get_logger()


class WebServer:
    """Listens once everything else is ready."""

    def __init__(
        self, settings: ServerSettings, *, health: Health, entropy: Entropy, routes: Sequence[web.RouteDef] = ()
    ) -> None:
        self._settings = settings
        self._routes = [*health.routes(), *routes]
        self._entropy = entropy
        self._runner: web.AppRunner | None = None
        self.url = settings.url

    async def start(self) -> None:
        """Listen. Raises StartError when the port is taken, PluginError when two routes are the same."""
        middlewares = [catching(self._entropy), _as_it_is]
        app = web.Application(client_max_size=self._settings.max_body, middlewares=middlewares)
        _add_routes(app, self._routes)
        app.on_response_prepare.append(_headers)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=LibraryLog(),
            keepalive_timeout=IDLE_SECONDS,
            shutdown_timeout=CLOSE_SECONDS,
            handle_signals=False,
            auto_decompress=False,
        )
        await self._runner.setup()
        host, port = self._settings.host, self._settings.port
        try:
            await web.TCPSite(self._runner, host, port, backlog=1024).start()
        except OSError as error:
            await self._runner.cleanup()
            raise StartError(_why(error, host, port)) from error
        if not self._settings.public_url and port == 0:
            bound = self._runner.addresses[0][1]
            self.url = self._settings.model_copy(update={"port": bound}).url

    async def stop(self) -> None:
        """Stop listening, let requests finish for a moment, then close."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _add_routes(app: web.Application, routes: Sequence[web.RouteDef]) -> None:
    for route in routes:
        try:
            app.router.add_routes([route])
        except (RuntimeError, ValueError) as error:
            raise PluginError(f"the route {route.method} {route.path} can't be added: {error}") from error


@web.middleware
async def _as_it_is(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No packed bodies: a small one can be gigabytes unpacked, and no platform sends any."""
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise web.HTTPUnsupportedMediaType(text="Send the body as it is, without a Content-Encoding.")
    return await handler(request)


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer carries; a page sets stricter ones (a CSP) itself."""
    response.headers["Server"] = "frontdesk"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")


def _why(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} is taken by another program. Stop it, or choose another: PORT={port + 1} make run"
        case errno.EACCES:
            return f"This user may not listen on port {port}. Choose one above 1023: PORT=8080 make run"
        case errno.EADDRNOTAVAIL:
            return f"This machine has no address {host}. Set server.host to 127.0.0.1 (this machine) or 0.0.0.0 (all)."
        case _:
            return f"Can't listen on {host}:{port}: {error.strerror or error}. See server.host and server.port."
