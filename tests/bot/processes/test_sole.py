"""Work for one process at a time: two that want it, one that dies, one that sleeps for longer than its lease."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from structlog.testing import capture_logs

from bot.errors import StoreUnavailable
from bot.processes.bus import LocalBus
from bot.processes.process import Process
from bot.processes.sole import Sole
from bot.store.sqlite import SqliteStore
from bot.testing import VirtualClock

LEASE = 9.0


class Shaky(SqliteStore):
    """A store that can be away."""

    away = False

    async def hold(self, name: str, worker: str, lease: float, now: float) -> bool:
        if self.away:
            raise StoreUnavailable("away")
        return await super().hold(name, worker, lease, now)


class Polling:
    """Work that notes when it does something, and how it ended."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.did: list[float] = []
        self.ended: list[str] = []

    async def __call__(self) -> None:
        try:
            while True:
                self.did.append(self._clock.now())
                await self._clock.sleep(1.0)
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # a clean-up may wait
            self.ended.append("cancelled")
            raise


@asynccontextmanager
async def stored(folder: Path) -> AsyncIterator[Shaky]:
    store = Shaky(folder / "sole.db")
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def calm() -> None:
    """Let everything happen that needs no time to pass; the store answers from a thread."""
    for _ in range(6):
        await asyncio.sleep(0.005)


async def passes(clock: VirtualClock, seconds: float, step: float = 0.5) -> None:
    """Time goes by as it does, in small steps."""
    end = clock.now() + seconds
    while clock.now() < end:
        clock.move(min(end, clock.now() + step))
        await calm()


@asynccontextmanager
async def running(sole: Sole, job: Callable[[], Awaitable[None]]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(sole.run("poll", job))
    try:
        await calm()
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_of_two_one_does_it_for_as_long_as_it_lives(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stored(tmp_path) as store:
        one, two = Polling(clock), Polling(clock)
        async with running(Sole(store, clock, "one", LEASE), one), running(Sole(store, clock, "two", LEASE), two):
            await passes(clock, 40)
            assert len(one.did) >= 40, "renewed again and again"
            assert (two.did, one.ended) == ([], [])


async def test_who_stops_lets_the_other_one_begin_soon(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stored(tmp_path) as store:
        one, two = Polling(clock), Polling(clock)
        async with running(Sole(store, clock, "two", LEASE), two):
            pass
        assert two.ended == ["cancelled"]
        async with (
            running(Sole(store, clock, "one", LEASE), one),
            running(Sole(store, clock, "two", LEASE), two) as other,
        ):
            assert one.did, "it was let go"
            assert not other.done()
        two.did.clear()
        async with running(Sole(store, clock, "two", LEASE), two):
            assert two.did


async def test_what_a_dead_process_did_is_done_by_another_after_its_lease(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stored(tmp_path) as store:
        assert await store.hold("poll", "dead", LEASE, clock.now())
        two = Polling(clock)
        began = clock.now()
        async with running(Sole(store, clock, "two", LEASE), two):
            await passes(clock, LEASE - 1)
            assert two.did == []
            await passes(clock, LEASE / 3 + 2)
            assert two.did
            assert two.did[0] - began >= LEASE


async def test_who_slept_longer_than_its_lease_does_nothing_more_of_it_on_waking_up(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stored(tmp_path) as store:
        one = Polling(clock)
        async with running(Sole(store, clock, "one", LEASE), one):
            await passes(clock, 2)
            done = len(one.did)
            # The process is paused; another one takes over meanwhile. The work's own timer is the first to go off.
            clock.move(clock.now() + LEASE + 5)
            assert await store.hold("poll", "two", LEASE, clock.now())
            await calm()
            assert len(one.did) == done
            assert one.ended == ["cancelled"]
            await passes(clock, LEASE - 2)
            assert len(one.did) == done, "not while the other one has it"


async def test_a_store_that_is_away_ends_the_work_before_the_lease_does(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stored(tmp_path) as store:
        one = Polling(clock)
        async with running(Sole(store, clock, "one", LEASE), one):
            await passes(clock, 4)
            store.away = True
            away = clock.now()
            await passes(clock, LEASE + 3)
            assert one.ended == ["cancelled"]
            assert LEASE / 3 < one.did[-1] - away < LEASE, "as long as it was sure, and no longer"
            store.away = False
            await passes(clock, LEASE)
            assert one.did[-1] > away + LEASE, "and again when the store is back"


async def test_work_that_fails_begins_anew_each_time_later(tmp_path: Path) -> None:
    clock = VirtualClock()
    tries: list[float] = []

    async def fails() -> None:
        tries.append(clock.now())
        if len(tries) < 4:
            raise ValueError("no")

    async with stored(tmp_path) as store:
        with capture_logs() as logs:
            async with running(Sole(store, clock, "one", LEASE), fails) as task:
                await passes(clock, 10, 0.25)
                assert task.done(), "work that returns is done"
                assert await store.hold("poll", "two", LEASE, clock.now()), "and let go"
        pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
        assert pauses == [0.5, 1.0, 2.0]
        assert [entry["event"] for entry in logs].count("sole_work_failed") == 3


async def test_a_process_ends_its_sole_work_when_it_stops(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stored(tmp_path) as store:
        work = Polling(clock)
        process = Process(LocalBus(), Sole(store, clock, "one", LEASE))
        task = process.alone("poll", work)
        await calm()
        assert work.did
        await process.stop()
        assert task.cancelled()
        assert work.ended == ["cancelled"]
        assert await store.hold("poll", "two", LEASE, clock.now())
