"""The servers that are measured, each a process of its own: `python -m benchmarks.servers NAME --port N --sink URL`.

`frontdesk` is the whole durable path on the smallest channel there can be (plugin.py), `frontdesk-slack` the same on
the Slack channel that ships; `bare` is an aiohttp handler that answers and forgets, with no signature, no
store and no order, and `bare-uvloop` the same on uvloop. Other people's bots are in peers/.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web

from benchmarks.peers.platforms import SECRET, SLACK_PATH
from benchmarks.peers.serve import leave_with_parent


def frontdesk(port: int, builtins: list[str], home: Path, options: dict[str, str], bystanders: int) -> None:
    """The bot with its SQLite store, its log at the usual level going to stderr.

    Bystanders are further skills that never match; they are asked before the one that does.
    """
    from bot.app import App  # noqa: PLC0415
    from bot.operations import log, serving  # noqa: PLC0415 - the other servers must not carry it
    from bot.settings import LogSettings, Settings  # noqa: PLC0415

    given = {"server.port": str(port), "server.home": str(home), **options}
    settings = Settings.load(options=given)
    log.configure(settings.own(LogSettings, "log"), settings.secrets)
    if bystanders:
        settings.override({"bystanders.count": str(bystanders)})
        builtins = ["benchmarks.peers.bystanders", *builtins]
    app = App.build(settings, builtins=builtins, entry_points=False)

    async def ready() -> None:
        print("ready", flush=True)

    serving.run(serving.serve(app, ready))


def bare(port: int, sink: str, loop: asyncio.AbstractEventLoop | None) -> None:
    """HTTP in, HTTP out, nothing between; without a limit on connections, so that nothing but its work holds it up."""

    async def receive(request: web.Request) -> web.Response:
        event = json.loads(await request.read())["event"]
        reply = {"channel": event["channel"], "text": "echo: " + event["text"]}
        async with request.app[session].post(f"{sink}/api/chat.postMessage", json=reply) as response:
            await response.json()
        return web.Response()

    async def make() -> web.Application:
        app = web.Application()
        app[session] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        app.router.add_post(SLACK_PATH, receive)
        return app

    session = web.AppKey("session", aiohttp.ClientSession)
    web.run_app(make(), host="127.0.0.1", port=port, access_log=None, loop=loop, print=_ready)


def _ready(_: object) -> None:
    print("ready", flush=True)


def main() -> None:
    """Read the options and serve."""
    leave_with_parent()
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("name", choices=["frontdesk", "frontdesk-slack", "bare", "bare-uvloop"])
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--sink", required=True)
    words.add_argument("--home", type=Path)
    words.add_argument("--core", type=int, default=-1, help="run on this core only")
    words.add_argument("--bystanders", type=int, default=0, help="so many skills that never match")
    words.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    chosen = words.parse_args(sys.argv[1:])
    if chosen.core >= 0:
        os.sched_setaffinity(0, {chosen.core})
    match chosen.name:
        case "frontdesk":
            pairs = dict(item.partition("=")[::2] for item in chosen.set)
            options = {"bench.sink": chosen.sink, **pairs}
            frontdesk(chosen.port, ["benchmarks.plugin"], chosen.home, options, chosen.bystanders)
        case "frontdesk-slack":
            options = {
                "slack.bot_token": "xoxb-invented",
                "slack.signing_secret": SECRET,
                "slack.api_url": f"{chosen.sink}/api/",
            }
            frontdesk(chosen.port, ["channels.slack", "benchmarks.peers.echo"], chosen.home, options, chosen.bystanders)
        case "bare":
            bare(chosen.port, chosen.sink, None)
        case "bare-uvloop":
            bare(chosen.port, chosen.sink, uvloop.new_event_loop())


if __name__ == "__main__":
    main()
