"""Where a storm happens: platforms, databases, workers and people, put together and taken apart again.

Knows how to wait until all is quiet, and how to hand the history to the checker; what goes wrong is the storms' own.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from benchmarks.fakes import KeepingPlatform
from benchmarks.history import Record, check
from benchmarks.storm.backends import Postgres, RedisServer
from benchmarks.storm.ends import Look, LookAtPostgres, LookAtSqlite
from benchmarks.storm.outcome import Outcome, latencies
from benchmarks.storm.traffic import Crowd, Traffic
from benchmarks.storm.workers import Nursery, Slots, Worker

T = TypeVar("T")

DRAIN = 45.0
"""Seconds that everything may take to come to its end before the run is called stuck."""


class Ground:
    """Use it as a context, then `open` it: in between, the addresses that workers get may still be changed."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        *,
        workers: int = 3,
        postgres: bool = True,
        redis: bool = True,
        options: dict[str, str] | None = None,
        broken: str = "",
        drain: float = DRAIN,
    ) -> None:
        self.seed, self.folder = seed, folder
        self.chance = random.Random(seed)
        self.history: list[Record] = []
        self.platform = KeepingPlatform(random.Random(seed + 1), delay=0.02)
        self.second = KeepingPlatform(random.Random(seed + 2), delay=0.02)
        self.postgres = Postgres() if postgres else None
        self.redis = RedisServer() if postgres and redis else None
        self.home = folder / "home"
        self.database_url = ""
        self.redis_url = self.redis.url if self.redis else ""
        self.sink = ""
        self.options = {
            "server.home": str(self.home),
            "bench.send_timeout": "1",
            "bench.reconcile": str(broken != "reconcile").lower(),
            "store.lease": "1",
            "log.level": "warning",
            "log.format": "json",
        } | (options or {})
        self._broken, self._workers, self._drain = broken, workers, drain
        self._stack = AsyncExitStack()
        self.nursery = Nursery(folder)
        self.slots: Slots
        self.traffic: Traffic
        self.look: Look
        self.began = self.stormed = 0.0
        self.turns_drained = self.replies_drained = 0.0
        self.stuck = False

    async def __aenter__(self) -> Ground:
        """Start everything but the workers."""
        self.began = time.time()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End everything that was started."""
        await self._stack.aclose()

    async def _start(self) -> None:
        for platform in (self.platform, self.second):
            await platform.start()
            self._stack.push_async_callback(platform.stop)
        self.sink = self.platform.url
        if self.postgres is not None:
            self._stack.callback(self.postgres.throw_away)
            await asyncio.to_thread(self.postgres.start)
            self.database_url = await asyncio.to_thread(self.postgres.new_database)
        self.look = LookAtPostgres(self.database_url) if self.postgres else LookAtSqlite(self.home / "frontdesk.db")
        if self.redis is not None:
            self._stack.callback(self.redis.throw_away)
            await asyncio.to_thread(self.redis.start)
        await self.nursery.start()
        self._stack.push_async_callback(self.nursery.stop)

    async def open(self) -> None:
        """Start the workers; let people in."""
        given = self.options | {"bench.sink": self.sink, "bench.second": self.second.url}
        if self.database_url:
            given["store.database_url"] = self.database_url
        if self.redis_url:
            given["store.redis_url"] = self.redis_url
        self.slots = Slots(self.nursery, self._workers, given)
        await self.slots.start()
        if self._broken == "fencing":
            await self._break_fencing()
        self.traffic = await self._stack.enter_async_context(Traffic(self.slots.balance, self.chance, self.history))

    async def people(self, *crowds: Crowd, seconds: float, meanwhile: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Let people write for so long while something happens; returns what that came to, once both are over."""
        storm = asyncio.create_task(meanwhile())
        try:
            await self.traffic.write(crowds, seconds)
            return await storm
        finally:
            storm.cancel()

    def note(self, op: str, what: str = "") -> None:
        """Write into the history what was done to the bot."""
        record = Record(op=op, at=time.time(), text=what)  # type: ignore[arg-type]  # one of its ops
        self.history.append(record)

    @property
    def workers(self) -> Sequence[Worker]:
        """Those that run, or did last."""
        return self.slots.workers

    async def settle(self) -> None:
        """Wait until everything was acknowledged, answered and sent; then a moment for what may come twice."""
        self.stormed = time.time()
        deadline = self.stormed + self._drain
        delivered = await self.traffic.delivered(self._drain)
        turns = replies = -1
        while time.time() < deadline:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError):
                turns, replies = await self.look.undone()
                if turns and not replies:
                    replies = -1  # there will be some
            if turns == 0 and not self.turns_drained:
                self.turns_drained = time.time() - self.stormed
            if turns == replies == 0:
                break
            await asyncio.sleep(0.1)
        self.replies_drained = time.time() - self.stormed
        self.stuck = not delivered or bool(turns or replies)
        await asyncio.sleep(1.0)

    async def outcome(self, name: str, *, done: str, times: str) -> Outcome:
        """Take the state of the database and judge."""
        end = await self.look.end()
        for platform in (self.platform, self.second):
            self.history += [
                Record(
                    op="shown", at=arrived.at, due=arrived.post.sent, chat=post.channel, event=post.id, text=post.text
                )
                for arrived in platform.arrived
                if (post := arrived.post)
            ]
            self.history += [
                Record(op="early", at=early.at, chat=early.post.channel, text=f"{early.by:.3f} s before its time")
                for early in platform.early
            ]
        verdict = check(self.history, (), end)
        answers = ", ".join(f"{count} {what}" for what, count in sorted(self.traffic.answers.items()))
        starts = sorted(self.slots.starts)
        notes = [
            f"webhooks: {answers}",
            f"database: {end.messages} messages, outbox {end.outbox}, parked {end.parked}",
            f"read back {self.platform.looked} times; platform dropped {self.platform.dropped}, "
            f"failed {self.platform.failed}, refused {self.platform.refused}",
            f"{len(starts)} starts of workers, median {starts[len(starts) // 2]:.2f} s",
        ]
        if self.stuck:
            verdict.blame("left over", f"it did not come to rest within {self._drain:g} s")
        every = [value for values in latencies(self.history).values() for value in values]
        return Outcome(
            name=name,
            seed=self.seed,
            verdict=verdict,
            done=done,
            times=times,
            seconds=time.time() - self.began,
            turns_drained=self.turns_drained,
            replies_drained=self.replies_drained,
            latencies=every,
            notes=notes,
            history=self.history,
            load=" ".join(f"{value:.1f}" for value in os.getloadavg()),
        )

    async def _break_fencing(self) -> None:
        """Take the epoch out of the commit's WHERE, to see the checker find what follows."""
        connection = await asyncpg.connect(self.database_url)
        try:
            query = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'fd_commit_%'"
            for (text,) in await connection.fetch(query):
                changed = text.replace("AND epoch = p_epoch AND head = p_n - 1 AND rev = p_rev", "")
                assert changed != text, "the fence looks different now"
                await connection.execute(changed)
        finally:
            await connection.close()
