"""Buckets that all processes of a bot share, in Redis; while it is away, each process has a small part for itself.

One script per `take` finds a place in all the buckets at once, on Redis's own clock. What a process was given is also
kept here: that is what it goes by when Redis is away, and what it tells a Redis that has come back with no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import msgspec
import structlog

from bot.clock import Clock, Entropy
from bot.delivery.pacing import MOST, Buckets, LocalBuckets, Wanted
from bot.processes.bus import Bus
from bot.redis.connection import Link, end, pause
from bot.redis.script import ADMIT, TAKE

log = structlog.get_logger()

PATIENCE = 0.05
"""Seconds that a `take` waits for Redis."""

BATCH = 64
"""Takes that go to Redis together."""

SHARE = 0.25
"""The part of each pace that a process uses while it can't ask the others."""

IDLE = 10.0
"""Seconds without a take after which Redis is asked whether it is still there."""

CLOSED = "buckets.closed"
"""The topic on which processes tell each other what a platform has closed."""

MICRO = 1_000_000


class _Ask:
    """A take on its way to Redis. `relied` are the buckets of which Redis was taken to know all of our places."""

    def __init__(self, wanted: Wanted, number: int) -> None:
        self.wanted, self.number = wanted, number
        self.relied: set[tuple[str, float]] = set()
        self.answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()


class RedisBuckets(Buckets):
    """One process's way to them. Stop it before the bus: they share the link."""

    def __init__(self, link: Link, clock: Clock, entropy: Entropy, bus: Bus, prefix: str) -> None:
        self._link, self._clock, self._entropy, self._bus, self._prefix = link, clock, entropy, bus, prefix
        self._local = LocalBuckets(clock, share=SHARE)
        self._me = entropy.token()[:12]
        # Buckets of which Redis knows all the places that it or we have given us.
        self._told: set[tuple[str, float]] = set()
        self._up = False
        self._asked: list[_Ask] = []
        self._bell = asyncio.Event()
        self._working: asyncio.Task[None] | None = None
        bus.subscribe(CLOSED, self._hear_closed)

    async def start(self) -> None:
        """Connect, or go on trying."""
        await self._look()
        self._working = asyncio.create_task(self._work(), name="redis buckets")

    async def stop(self) -> None:
        """Ask nobody any more."""
        self._up = False
        if self._working is not None:
            await end([self._working])

    async def take(self, wanted: Wanted) -> float:
        """Take a place in all of them; after PATIENCE, one of this process's own."""
        if self._up and wanted:
            ask = _Ask(wanted, self._local.number())
            self._asked.append(ask)
            self._bell.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    return await ask.answer
        self._told.difference_update((key, pace.seconds) for key, pace in wanted)
        return self._local.take_now(wanted)

    async def admit(self, wanted: Wanted, event: str, *, anyway: bool = False) -> str:
        """Count an event; after PATIENCE, or without Redis, by what this process has counted itself."""
        if not (self._up and wanted):
            return await self._local.admit(wanted, event, anyway=anyway)
        asking = asyncio.create_task(self._count(wanted, event, anyway=anyway))
        # Not cancelled when it takes too long: that would leave the connection in the middle of an answer.
        await asyncio.wait({asking}, timeout=PATIENCE)
        full = asking.result() if asking.done() else None
        if full is None:
            return await self._local.admit(wanted, event, anyway=anyway)
        if anyway or not full:
            await self._local.admit(wanted, event, anyway=True)
        return full

    async def _count(self, wanted: Wanted, event: str, *, anyway: bool) -> str | None:
        """The key of a full window, or ""; None where Redis did not say."""
        keys = [f"{self._prefix}:counted:{pace.seconds:g}:{key}" for key, pace in wanted]
        values = [part for _, pace in wanted for part in (pace.count, int(pace.seconds * MICRO))]
        try:
            answer = self._link.client.eval(ADMIT, len(keys), *keys, event, int(anyway), *values)
            full = int(await answer)
        except Exception as problem:  # whatever it is: this process counts too
            self._lost(problem)
            self._bell.set()
            return None
        return wanted[full - 1][0] if full else ""

    async def close(self, key: str, seconds: float) -> None:
        """Give no place in a bucket for so long; Redis hears of it with the next take."""
        self._local.close_now(key, seconds)
        self._bus.publish(CLOSED, msgspec.json.encode((key, seconds)))

    def closed(self, key: str) -> float:
        """For how many seconds more it is closed."""
        return self._local.closed(key)

    def _hear_closed(self, body: bytes) -> None:
        if body:
            key, seconds = msgspec.json.decode(body, type=tuple[str, float])
            self._local.close_now(key, seconds)

    # --- the one task that talks to Redis

    async def _work(self) -> None:
        failures = 0
        while True:
            if not self._up:
                failures = 0 if await self._look() else failures + 1
                if failures:
                    await asyncio.sleep(pause(failures, self._entropy.jitter()))
                continue
            try:
                await self._serve()
            except Exception as problem:  # whatever it is: there are places without Redis too
                self._lost(problem)

    async def _look(self) -> bool:
        """Whether Redis is there; if it was away, it is told everything again."""
        try:
            await self._link.client.ping()
        except Exception as problem:
            self._link.failed("buckets", problem)
            return False
        self._link.works("buckets")
        self._told.clear()
        self._up = True
        return True

    def _lost(self, problem: Exception) -> None:
        self._up = False
        self._link.failed("buckets", problem)
        asked, self._asked = self._asked, []
        _give_up(asked)

    async def _serve(self) -> None:
        """Ask for what waits, together."""
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE):
                await self._bell.wait()
        batch, self._asked = self._asked[:BATCH], self._asked[BATCH:]
        if not self._asked:
            self._bell.clear()
        asks = [ask for ask in batch if not ask.answer.done()]
        try:
            if asks:
                await self._ask(asks)
            elif not batch:
                await self._link.client.ping()
        finally:
            _give_up(asks)

    async def _ask(self, asks: list[_Ask]) -> None:
        async with self._link.client.pipeline(transaction=False) as pipeline:
            for ask in asks:
                keys, values = self._question(ask)
                pipeline.eval(TAKE, len(keys), *keys, *values)
            answers = await pipeline.execute(raise_on_error=False)
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, Exception):
                raise answer
            wait, *buckets = answer
            # Counted from now, not from when it was asked: late by the way back rather than too early.
            self._learn(ask, self._clock.steady() + wait / MICRO, buckets)
            if not ask.answer.done():
                ask.answer.set_result(wait / MICRO)

    def _question(self, ask: _Ask) -> tuple[list[str], list[str | int]]:
        """Keys and arguments of the script."""
        now = self._clock.steady()
        keys: list[str] = []
        values: list[str | int] = [self._member(ask.number)]
        for key, pace in ask.wanted:
            keys += [f"{self._prefix}:places:{pace.seconds:g}:{key}", f"{self._prefix}:closed:{key}"]
            values += [pace.count, int(pace.seconds * MICRO), int(self._local.closed(key) * MICRO)]
            bucket, untold = (key, pace.seconds), self._local.given(key, pace)
            if bucket in self._told:
                ask.relied.add(bucket)
                untold = []
            self._told.add(bucket)
            values.append(len(untold))
            for place, number in untold:
                values += [self._member(number), int((place - now) * MICRO)]
        return keys, values

    def _learn(self, ask: _Ask, place: float, buckets: list[int]) -> None:
        """Keep what Redis said: of each bucket how many places it knew, and for how long it is closed."""
        for (key, pace), known, shut in zip(ask.wanted, buckets[::2], buckets[1::2], strict=True):
            bucket = (key, pace.seconds)
            if not known and bucket in ask.relied and self._local.given(key, pace):
                self._told.discard(bucket)  # Redis was flushed: the next take tells it again
            if shut > 0:
                self._local.close_now(key, shut / MICRO)
        self._local.note(ask.wanted, place, ask.number)
        if len(self._told) > MOST:
            self._told.clear()

    def _member(self, number: int) -> str:
        return f"{self._me}.{number}"


def _give_up(asks: Iterable[_Ask]) -> None:
    """Let whoever waits take a place without Redis."""
    for ask in asks:
        if not ask.answer.done():
            ask.answer.set_exception(TimeoutError())
