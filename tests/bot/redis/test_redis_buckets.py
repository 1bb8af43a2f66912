"""Shared buckets on a real Redis: exact over several processes, careful without it, and back as soon as it answers."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.channel import Pace
from bot.clock import SystemClock, SystemEntropy
from bot.delivery.pacing import LocalBuckets
from bot.processes.bus import LocalBus
from bot.redis import buckets as module
from bot.redis import connect
from bot.redis.buckets import RedisBuckets
from bot.redis.connection import Link
from bot.redis.script import TAKE
from bot.testing import VirtualClock
from tests.servers import RedisServer, redis_server

PACE = Pace(count=5, seconds=1.0)
SLOW = Pace(count=3, seconds=60.0, of="conversation")


def ask(server: RedisServer, command: str) -> bytes:
    """What Redis answers to a command, in short."""
    with socket.create_connection(("127.0.0.1", server.port), 1) as line:
        line.sendall(command.encode() + b"\r\n")
        return line.recv(16384)


async def until(true: Callable[[], bool], patience: float = 30.0) -> None:
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)


@asynccontextmanager
async def process(url: str) -> AsyncIterator[RedisBuckets]:
    """One process's buckets, up."""
    link = Link(url)
    buckets = RedisBuckets(link, SystemClock(), SystemEntropy(), LocalBus(), "{p}")
    await buckets.start()
    try:
        yield buckets
    finally:
        await buckets.stop()
        await link.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is busy with other tests, 50 ms may pass for no fault of Redis."""
    monkeypatch.setattr(module, "PATIENCE", 5.0)


async def places(server: RedisServer, key: str = "a", seconds: str = "1") -> list[float]:
    """What a bucket in Redis has given, in seconds."""
    async with Redis(port=server.port) as client:
        found = await client.zrange(f"{{p}}:places:{seconds}:{key}", 0, -1, withscores=True)
    return [score / 1e6 for _, score in found]


def most_in_a_window(taken: list[float], seconds: float) -> int:
    ordered = sorted(taken)
    return max((sum(1 for other in ordered if first <= other < first + seconds - 1e-6) for first in ordered), default=0)


@pytest.mark.usefixtures("patient")
async def test_processes_together_never_give_more_than_the_pace() -> None:
    with redis_server() as redis:
        async with process(redis.url) as one, process(redis.url) as two, process(redis.url) as three:
            waits = await asyncio.gather(*(each.take([("a", PACE)]) for _ in range(20) for each in (one, two, three)))
            taken = await places(redis)
        assert len(taken) == 60
        assert most_in_a_window(taken, 1.0) == PACE.count
        assert max(waits) == pytest.approx(11.0, abs=0.5), "and no fewer: 60 places at 5 a second"
        assert sum(wait == 0 for wait in waits) == PACE.count


@pytest.mark.usefixtures("patient")
async def test_a_place_is_free_in_all_buckets_and_the_long_wait_of_one_keeps_nobody_back() -> None:
    with redis_server() as redis:
        async with process(redis.url) as one, process(redis.url) as two:
            for each in (one, two, one):
                assert await each.take([("a", PACE), ("x", SLOW)]) == 0
            late = [await each.take([("a", PACE), ("x", SLOW)]) for each in (two, one, two, one, two, one)]
            assert late == pytest.approx([60, 60, 60, 120, 120, 120], abs=1)
            assert await two.take([("a", PACE), ("y", SLOW)]) == 0
        assert most_in_a_window(await places(redis, "x", "60"), 60.0) == 3


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from("xy"), st.booleans()), min_size=1, max_size=25),
)
def test_redis_gives_the_same_places_as_one_process_would(
    redis: RedisServer, count: int, asked: list[tuple[str, bool]]
) -> None:
    account, chat = Pace(count=count, seconds=100.0), Pace(count=2, seconds=350.0)
    local = LocalBuckets(VirtualClock())

    async def waits() -> list[float]:
        async with Redis(port=redis.port) as client:
            await client.flushall()
            found = []
            for n, (who, both) in enumerate(asked):
                wanted = [("account", account), (who, chat)] if both else [("account", account)]
                keys = [name for key, _ in wanted for name in (f"places:{key}", f"closed:{key}")]
                values = [v for _, pace in wanted for v in (pace.count, int(pace.seconds * 1e6), 0, 0)]
                answer = await client.eval(TAKE, len(keys), *keys, n, *values)
                found.append(answer[0] / 1e6)
            return found

    expected = [
        local.take_now([("account", account), (who, chat)] if both else [("account", account)]) for who, both in asked
    ]
    # Redis's clock goes on while it is asked; nothing of it is near a hundred seconds.
    assert asyncio.run(waits()) == pytest.approx(expected, abs=5)


@pytest.mark.usefixtures("patient")
async def test_what_a_platform_closed_is_closed_for_all() -> None:
    with redis_server() as redis:
        shared = [connect(redis.url, "{p}", SystemClock(), SystemEntropy()) for _ in range(2)]
        for bus, buckets, _ in shared:
            await bus.start()
            await buckets.start()
        (bus, one, _), (_, two, _) = shared
        assert await bus.trouble() == ""
        # Said again and again, as news may get lost while the first connection is made.
        async with asyncio.timeout(10):
            while two.closed("a") < 29:
                await one.close("a", 30)
                await asyncio.sleep(0.01)
        assert await one.take([("a", PACE)]) == pytest.approx(30, abs=1)
        async with process(redis.url) as latecomer:  # heard nothing of it on the bus
            assert latecomer.closed("a") == 0
            assert await latecomer.take([("a", PACE)]) == pytest.approx(30, abs=1)
            assert latecomer.closed("a") == pytest.approx(30, abs=1)
        for bus, buckets, _ in shared:
            await buckets.stop()
            await bus.stop()


@pytest.mark.usefixtures("patient")
async def test_without_redis_a_process_takes_its_small_part_and_comes_back() -> None:
    pace = Pace(count=8, seconds=60.0)
    with redis_server() as redis, capture_logs() as logs:
        async with process(redis.url) as one, process(redis.url) as two:
            first = [await one.take([("a", pace)]) for _ in range(3)]
            assert first == [0, 0, 0]
            redis.stop()
            # What it was given before counts: of its part (2 of 8) nothing is left in this window.
            assert await one.take([("a", pace)]) == pytest.approx(60, abs=1)
            # The other one knows of no place yet.
            waits = [await two.take([("a", pace)]) for _ in range(3)]
            assert waits == pytest.approx([0, 0, 60], abs=1)
            redis.start()
            await until(lambda: one._up and two._up)
            # A Redis without a memory is told what was given meanwhile: 3 and 2 at once, 1 and 1 for later.
            after = [await each.take([("a", pace)]) for each in (one, two, one, two, one)]
            assert most_in_a_window(await places(redis, "a", "60"), 60.0) <= pace.count
            assert after[0] == 0
            assert after[-1] > 50
    events = [entry["event"] for entry in logs]
    assert (events.count("redis_away"), events.count("redis_back")) == (2, 2), "once per outage and process"


async def test_at_the_start_without_redis_there_are_places_too() -> None:
    with redis_server() as redis:
        redis.stop()
        async with process(redis.url) as one:
            assert await one.take([("a", PACE)]) == 0
            assert await one.take([("a", PACE)]) == pytest.approx(1, abs=0.5)
            redis.start()
            await until(lambda: one._up)
            # Redis now knows of those too that it did not give.
            await one.take([("a", PACE)])
            assert len(await places(redis)) >= 2


@pytest.mark.usefixtures("patient")
async def test_a_flush_is_noticed_and_told_what_was_given() -> None:
    pace = Pace(count=10, seconds=60.0)
    with redis_server() as redis:
        async with process(redis.url) as one:
            for _ in range(6):
                assert await one.take([("a", pace)]) == 0
            assert ask(redis, "FLUSHALL") == b"+OK\r\n"
            for _ in range(4):
                assert await one.take([("a", pace)]) == 0
            assert len(await places(redis, "a", "60")) == 10
            assert await one.take([("a", pace)]) == pytest.approx(60, abs=1)


async def test_a_redis_that_hangs_holds_nobody_up() -> None:
    with redis_server() as redis:
        async with process(redis.url) as one:
            process_id = int(ask(redis, "INFO server").partition(b"process_id:")[2].split()[0])
            os.kill(process_id, signal.SIGSTOP)
            try:
                loop = asyncio.get_running_loop()
                began = loop.time()
                assert await one.take([("a", PACE)]) == 0
                assert loop.time() - began < 1.0, "50 ms, and what a busy machine adds; a hung Redis would take 2 s"
            finally:
                os.kill(process_id, signal.SIGCONT)
            await until(lambda: one._up and not one._asked)


# --- counts


async def admitted(each: RedisBuckets, events: range, pace: Pace, *, anyway: bool = False) -> list[str]:
    return [await each.admit([("a", pace)], str(n), anyway=anyway) for n in events]


@pytest.mark.usefixtures("patient")
async def test_processes_together_never_count_more_than_there_is_room_for() -> None:
    with redis_server() as redis:
        async with process(redis.url) as one, process(redis.url) as two:
            verdicts = await asyncio.gather(
                *(each.admit([("a", SLOW)], f"{n}") for n in range(9) for each in (one, two))
            )
            assert sum(not verdict for verdict in verdicts) == 2 * SLOW.count, "each of three, told to both"
            assert await admitted(one, range(20, 23), SLOW) == ["a"] * 3
            assert await one.admit([("b", SLOW), ("a", SLOW)], "x") == "a"
            assert await two.admit([("b", SLOW)], "x") == ""


@pytest.mark.usefixtures("patient")
async def test_redis_counts_as_one_process_would() -> None:
    short = Pace(count=3, seconds=0.4)
    with redis_server() as redis:
        async with process(redis.url) as one, process(redis.url) as two:
            assert await admitted(one, range(5), short) == ["", "", "", "a", "a"]
            assert await two.admit([("a", short)], "0") == "", "it has its place"
            await asyncio.sleep(0.5)
            assert await admitted(two, range(5, 8), short, anyway=True) == [""] * 3
            for n in range(8, 14):
                assert await one.admit([("a", short)], str(n), anyway=True) == "a", "it goes on, so it stays refused"
                await asyncio.sleep(0.1)


@pytest.mark.usefixtures("patient")
async def test_without_redis_a_process_goes_by_what_it_has_counted_itself() -> None:
    with redis_server() as redis:
        async with process(redis.url) as one:
            assert await admitted(one, range(2), SLOW) == ["", ""]
            redis.stop()
            assert await admitted(one, range(2, 5), SLOW) == ["", "a", "a"]
            assert one._link.trouble
            redis.start()
            await until(lambda: not one._link.trouble)
            assert await one.admit([("b", SLOW)], "x") == ""
