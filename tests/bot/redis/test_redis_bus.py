"""Two processes' buses on a real Redis: what they hear of each other, and what an outage does to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from bot.clock import SystemEntropy
from bot.errors import StartError
from bot.redis import bus as module
from bot.redis import prefix_of
from bot.redis.bus import RedisBus
from bot.redis.connection import Link
from tests.servers import redis_server


class Ear:
    """Keeps what it hears on a topic."""

    def __init__(self, bus: RedisBus, topic: str = "t") -> None:
        self.heard: list[bytes] = []
        bus.subscribe(topic, self.heard.append)

    async def hears(self, *bodies: bytes, patience: float = 30.0) -> None:
        """Wait until it has heard all of these since it was last asked."""
        await until(lambda: all(body in self.heard for body in bodies), patience)
        self.heard.clear()


async def until(true: Callable[[], bool], patience: float = 30.0) -> None:
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(url: str, prefix: str = "{p}") -> AsyncIterator[RedisBus]:
    bus = RedisBus(Link(url), SystemEntropy(), prefix)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def told(bus: RedisBus) -> None:
    """Until it can tell: the first beat went out."""
    await until(lambda: not bus._away)


async def test_the_others_hear_it_and_this_process_hears_it_once() -> None:
    with redis_server() as redis:
        async with running(redis.url) as one, running(redis.url) as two, running(redis.url, "{other}") as stranger:
            await told(one)
            here, there, elsewhere = Ear(one), Ear(two), Ear(stranger)
            one.publish("t", b"a b\nc \xff")
            assert here.heard == [b"a b\nc \xff"], "at once, before anything else happens"
            await there.hears(b"a b\nc \xff")
            one.publish("other", b"not for this topic")
            one.publish("t", b"last")
            await until(lambda: b"last" in there.heard)
            await asyncio.sleep(0.05)
            assert there.heard == [b"last"]
            assert here.heard == [b"a b\nc \xff", b"last"], "no echo"
            assert elsewhere.heard == [], "two bots on one Redis do not mix"
            assert await one.trouble() == ""


async def test_what_is_told_just_before_the_stop_still_arrives() -> None:
    with redis_server() as redis:
        async with running(redis.url) as two:
            there = Ear(two)
            async with running(redis.url) as one:
                await told(one)
                one.publish("t", b"bye")
            await there.hears(b"bye", patience=1)


async def test_a_crowd_of_news_arrives_and_the_newest_comes_last() -> None:
    with redis_server() as redis:
        async with running(redis.url) as one, running(redis.url) as two:
            await told(one)
            there = Ear(two)
            for n in range(1000):
                one.publish("t", b"%d" % (n % 100))
            await until(lambda: bool(there.heard) and there.heard[-1] == b"99")
            assert set(there.heard) == {b"%d" % n for n in range(100)}


async def test_more_news_than_may_wait_becomes_look_again() -> None:
    with redis_server() as redis:
        async with running(redis.url) as one, running(redis.url) as two:
            await told(one)
            there = Ear(two)
            for n in range(module.MOST + 10):
                one.publish("t", b"%d" % n)
                assert len(one._waiting) <= module.MOST
            await there.hears(b"", b"%d" % (module.MOST + 9))


async def test_after_a_kill_everybody_looks_again_and_news_flows() -> None:
    with redis_server() as redis, capture_logs() as logs:
        async with running(redis.url) as one, running(redis.url) as two:
            await told(one)
            here, there = Ear(one), Ear(two)
            redis.stop()
            await until(lambda: one._link.trouble != "" and two._link.trouble != "")
            one.publish("t", b"typing, of long ago")
            assert here.heard == [b"typing, of long ago"], "this process hears itself without Redis"
            redis.start()
            await there.hears(b"")
            await here.hears(b"")
            await told(one)
            there.heard.clear()
            one.publish("t", b"fresh")
            await there.hears(b"fresh")
            await until(lambda: one._link.trouble == two._link.trouble == "")
        assert b"typing, of long ago" not in there.heard
    events = [entry["event"] for entry in logs]
    assert (events.count("redis_away"), events.count("redis_back")) == (2, 2), "once per outage and process"


async def test_a_flush_in_the_middle_changes_nothing() -> None:
    with redis_server() as redis:
        async with running(redis.url) as one, running(redis.url) as two:
            await told(one)
            there = Ear(two)
            await one._link.client.flushall()
            one.publish("t", b"x")
            await there.hears(b"x")


async def test_a_redis_that_comes_only_later_is_found() -> None:
    with redis_server() as redis, capture_logs() as logs:
        redis.stop()
        async with running(redis.url) as one:
            here = Ear(one)
            one.publish("t", b"alone")
            assert here.heard == [b"alone"]
            await until(lambda: one._link.trouble != "")
            assert await one.trouble() == "Redis is away (ConnectionError)"
            redis.start()
            await told(one)
            async with running(redis.url) as two:
                there = Ear(two)
                one.publish("t", b"x")
                await there.hears(b"x")
    assert [entry["log_level"] for entry in logs if entry["event"] == "redis_away"] == ["warning"]


async def test_a_line_that_only_looks_well_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.1)
    monkeypatch.setattr(module, "DEAF", 0.5)
    with redis_server() as redis:
        async with running(redis.url) as one:
            here = Ear(one)
            await asyncio.sleep(1.2)
            assert here.heard == [], "its own beat tells it that the line works"
            # Subscribed to nothing any more, without a word: as after a fail-over behind a proxy.
            monkeypatch.setattr(one, "_me", b"x")
            monkeypatch.setattr(module, "BEAT", 60.0)
            await here.hears(b"", patience=5)


@pytest.mark.parametrize(
    "url", ["no url", "http://:geheim@h/", "redis://:geheim@h:port/0", "redis://:ge/heim@h:1/0", "redis://h/0?geheim=1"]
)
def test_a_url_that_can_not_be_one_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StartError, match="REDIS_URL can't be understood") as told_:
        Link(url)
    assert "geheim" not in str(told_.value)
    assert told_.value.__cause__ is None
    assert told_.value.__suppress_context__


async def test_the_password_is_never_said() -> None:
    with redis_server() as redis, capture_logs() as logs:
        async with running(redis.url.replace("//", "//someone:geheim@")) as bus:
            await until(lambda: bus._link.trouble != "")
            assert "geheim" not in await bus.trouble()
    assert logs
    assert "geheim" not in str(logs)


def test_bots_are_told_apart_by_their_database_and_not_by_who_connects() -> None:
    one = prefix_of("postgresql+asyncpg://a:b@db.example/frontdesk")
    assert one == prefix_of("postgresql://c@db.example:5432/frontdesk")
    assert one != prefix_of("postgresql://a:b@db.example/other")
    assert prefix_of("postgresql://a:b@db.example/frontdesk", "shop") == "{frontdesk:shop}"
