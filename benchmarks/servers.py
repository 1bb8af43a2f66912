"""The servers that are measured, each a process of its own: `python -m benchmarks.servers NAME --port N --sink URL`.

`frontdesk` is the whole durable path; `bare` is an aiohttp handler that answers and forgets, with no signature, no
store and no order; `bolt` is slack-bolt's echo as its documentation shows it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web

from benchmarks.plugin import PATH, SECRET


def frontdesk(port: int, sink: str, home: Path, options: dict[str, str]) -> None:
    """The bot with its SQLite store, its log at the usual level going to stderr."""
    from bot.app import App  # noqa: PLC0415
    from bot.operations import log, serving  # noqa: PLC0415 - the other servers must not carry it
    from bot.settings import LogSettings, Settings  # noqa: PLC0415

    given = {"server.port": str(port), "server.home": str(home), "bench.sink": sink, **options}
    settings = Settings.load(options=given)
    log.configure(settings.own(LogSettings, "log"), settings.secrets)
    app = App.build(settings, builtins=["benchmarks.plugin"], entry_points=False)

    async def ready() -> None:
        print("ready", flush=True)

    serving.run(serving.serve(app, ready))


def bare(port: int, sink: str) -> None:
    """HTTP in, HTTP out, nothing between."""

    async def receive(request: web.Request) -> web.Response:
        event = json.loads(await request.read())["event"]
        reply = {"channel": event["channel"], "text": "echo: " + event["text"]}
        async with request.app[session].post(f"{sink}/api/chat.postMessage", json=reply) as response:
            await response.json()
        return web.Response()

    async def make() -> web.Application:
        app = web.Application()
        app[session] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256))
        app.router.add_post(PATH, receive)
        return app

    session = web.AppKey("session", aiohttp.ClientSession)
    web.run_app(make(), host="127.0.0.1", port=port, access_log=None, loop=uvloop.new_event_loop(), print=_ready)


def bolt(port: int, sink: str) -> None:
    """slack-bolt, asynchronous, on its own server."""
    from slack_bolt.async_app import AsyncApp, AsyncSay  # noqa: PLC0415 - an extra
    from slack_sdk.web.async_client import AsyncWebClient  # noqa: PLC0415

    client = AsyncWebClient(token="xoxb-invented", base_url=f"{sink}/api/")  # noqa: S106 - invented
    app = AsyncApp(signing_secret=SECRET, client=client)

    @app.message("say")
    async def answer(message: dict[str, str], say: AsyncSay) -> None:
        await say("echo: " + message["text"])

    web.run_app(
        app.server(port=port, path=PATH, host="127.0.0.1").web_app,
        host="127.0.0.1",
        port=port,
        access_log=None,
        print=_ready,
    )


def _ready(_: object) -> None:
    print("ready", flush=True)


def _leave_with_parent() -> None:
    """End when whoever started us has ended, however: their end of our standard input closes then."""

    def wait() -> None:
        os.read(0, 1)  # not sys.stdin: its lock would be held when the interpreter shuts down
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Read the options and serve."""
    _leave_with_parent()
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name", choices=["frontdesk", "bare", "bolt"])
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--sink", required=True)
    options.add_argument("--home", type=Path)
    options.add_argument("--core", type=int, default=-1, help="run on this core only")
    options.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    chosen = options.parse_args(sys.argv[1:])
    if chosen.core >= 0:
        os.sched_setaffinity(0, {chosen.core})
    match chosen.name:
        case "frontdesk":
            pairs = dict(item.partition("=")[::2] for item in chosen.set)
            frontdesk(chosen.port, chosen.sink, chosen.home, pairs)
        case "bare":
            bare(chosen.port, chosen.sink)
        case "bolt":
            bolt(chosen.port, chosen.sink)


if __name__ == "__main__":
    main()
