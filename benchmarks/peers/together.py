"""One process and two of them on one PostgreSQL and one Redis, with a skill that thinks: does a second one help?

The machine has few cores, and the database and the load want some too. So each turn thinks (burns processor time in the
bot's process) for long enough that the bot, not the database, is the limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.load import Load
from benchmarks.peers.catalogue import Entry
from benchmarks.peers.platforms import Slack
from benchmarks.peers.target import Target
from benchmarks.processes import ServerProcess, free_port
from benchmarks.storm.backends import Postgres, RedisServer

THINKING = 0.008
"""Seconds of processor time that each turn thinks."""

ENTRY = functools.partial(
    Entry, "frontdesk", platform=functools.partial(Slack, words="think hard about MARK"), check="v0 signature"
)


@contextlib.asynccontextmanager
async def running(folder: Path, counts: tuple[int, ...]) -> AsyncIterator[dict[str, Target]]:
    """A bot of so many processes for each count, each bot in a database of its own."""
    postgres, redis = Postgres(), RedisServer()
    await asyncio.to_thread(postgres.start)
    await asyncio.to_thread(redis.start)
    targets: dict[str, Target] = {}
    try:
        for count in counts:
            targets[f"{count}"] = await _start(count, folder / f"{count}", postgres.new_database(), redis.url)
        yield targets
    finally:
        for target in targets.values():
            await target.stop()
        await asyncio.to_thread(postgres.throw_away)
        await asyncio.to_thread(redis.throw_away)


async def _start(count: int, folder: Path, database: str, redis: str) -> Target:
    entry = ENTRY(title=f"{count} process{'es' if count > 1 else ''} on one PostgreSQL", durable=True)
    await asyncio.to_thread(folder.mkdir, parents=True)
    ports = [free_port() for _ in range(count)]
    load = Load(ports[0], entry.platform(), also=ports[1:])
    await load.listen()
    servers = []
    for port in ports:
        words = ["--port", str(port), "--sink", load.sink, "--home", str(folder), "--bystanders", "1"]
        for pair in (f"store.database_url={database}", f"store.redis_url={redis}", f"bystanders.think={THINKING}"):
            words += ["--set", pair]
        server = await ServerProcess.spawn("frontdesk", *words, python=sys.executable, log=folder / f"{port}.log")
        await server.ready()
        servers.append(server)
    target = Target(entry, servers, load)
    await target.prove()
    return target
