"""After an outage that is longer than Slack repeats, what was missed is read from history; nothing twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.testing.channel_kit import Core, soon
from tests.channels.slack.bench import CHANNEL, Bench, opened, settings
from tests.platforms.slack import BOT, DM, SlackServer

NOTE = "slack.main.seen"


@asynccontextmanager
async def slack() -> AsyncIterator[SlackServer]:
    platform = SlackServer()
    await platform.start()
    try:
        yield platform
    finally:
        await platform.stop()


def long_ago(core: Core, seconds: float = 3600.0) -> None:
    """The bot was there last so long ago."""
    seen = json.loads(core.notes[NOTE])
    seen["alive"] -= seconds
    core.notes[NOTE] = json.dumps(seen)


def texts(core: Core) -> list[str]:
    return [message.text for message in core.received]


async def settled(bench: Bench) -> bool:
    parts = bench.channel._parts
    assert parts is not None
    return await soon(parts.ledger._settled.is_set)


async def test_what_was_missed_is_heard_once_and_late_events_are_duplicates(tmp_path: Path) -> None:
    core = Core()
    async with slack() as platform:
        async with opened(tmp_path, platform=platform, core=core) as bench:
            await bench.hears(platform.written("before"))
            mention = platform.written("thread", chat=CHANNEL)
            called = {"type": "app_mention", "text": f"<@{BOT}> thread", "blocks": []}
            said = await bench.hears(mention | called)
            assert said is not None
            await bench.says("An answer of the bot's", said.address)
            assert await settled(bench)
        long_ago(core)
        missed = [platform.written(f"missed {number}") for number in range(150)]
        platform.written("in the thread", chat=CHANNEL, thread=mention["ts"])
        platform.written("lunch, anybody?", chat=CHANNEL)
        platform.fail("429", method="conversations.history", retry_after=0.05)
        async with opened(tmp_path, platform=platform, core=core) as bench:
            assert await soon(lambda: "in the thread" in texts(core))
            assert await settled(bench)
            assert sorted(texts(core)) == sorted(
                ["before", "thread", "in the thread", *(f"missed {number}" for number in range(150))]
            )
            places = [texts(core).index(f"missed {number}") for number in range(150)]
            assert places == sorted(places)
            assert await bench.hears(missed[7]) is None, "the late event was heard again"


async def test_threads_that_began_meanwhile_are_heard_too(tmp_path: Path) -> None:
    core = Core()
    async with slack() as platform:
        async with opened(tmp_path, platform=platform, core=core) as bench:
            called = {"type": "app_mention", "text": f"<@{BOT}> before", "blocks": []}
            await bench.hears(platform.written("x", chat=CHANNEL) | called)
            await bench.hears(platform.written("before, in two"))
            assert await settled(bench)
        long_ago(core)
        mention = platform.written("x", chat=CHANNEL)
        platform.written("and more", chat=CHANNEL, thread=mention["ts"])
        talk = platform.written("lunch?", chat=CHANNEL)
        platform.written("yes", chat=CHANNEL, thread=talk["ts"])
        alone = platform.written("missed, in two")
        platform.written("more, in two", thread=alone["ts"])
        platform.chat(CHANNEL).messages[1] |= {"text": f"<@{BOT}> missed", "blocks": []}
        async with opened(tmp_path, platform=platform, core=core) as bench:
            assert await settled(bench)
        heard = ["before", "before, in two", "missed", "and more", "missed, in two", "more, in two"]
        assert sorted(texts(core)) == sorted(heard)
        places = {message.text: message.address.thread for message in core.received}
        assert (places["missed"], places["and more"]) == (mention["ts"], mention["ts"])
        assert (places["missed, in two"], places["more, in two"]) == ("", alone["ts"])


async def test_a_short_absence_is_left_to_slacks_own_repeats(tmp_path: Path) -> None:
    core = Core()
    async with slack() as platform:
        async with opened(tmp_path, platform=platform, core=core) as bench:
            await bench.hears(platform.written("before"))
            assert await settled(bench)
        long_ago(core, 200.0)
        platform.written("meanwhile")
        async with opened(tmp_path, platform=platform, core=core) as bench:
            assert await settled(bench)
        assert texts(core) == ["before"]
        assert [method for method, _ in platform.calls if method.startswith("conversations.")] == []


async def test_it_can_be_turned_off(tmp_path: Path) -> None:
    core = Core()
    async with slack() as platform:
        off = settings(platform).model_copy(update={"catch_up_after": 0.0})
        async with opened(tmp_path, off, platform=platform, core=core) as bench:
            await bench.hears(platform.written("before"))
            assert await settled(bench)
        long_ago(core)
        platform.written("meanwhile")
        async with opened(tmp_path, off, platform=platform, core=core) as bench:
            assert await settled(bench)
        assert texts(core) == ["before"]


async def test_a_chat_that_is_gone_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    core = Core()
    async with slack() as platform:
        async with opened(tmp_path, platform=platform, core=core) as bench:
            await bench.hears(platform.written("here", thread="1.000001"))
            await bench.hears(platform.written("before"))
            assert await settled(bench)
        long_ago(core)
        platform.chat(DM).messages = [m for m in platform.chat(DM).messages if "thread_ts" not in m]
        platform.written("missed")
        async with opened(tmp_path, platform=platform, core=core) as bench:
            assert await settled(bench)
        assert texts(core) == ["here", "before", "missed"]


async def test_a_process_that_dies_before_it_caught_up_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    core = Core()
    async with slack() as platform:
        async with opened(tmp_path, platform=platform, core=core) as bench:
            await bench.hears(platform.written("before"))
            assert await settled(bench)
        long_ago(core)
        platform.written("missed")
        platform.fail("slow", method="conversations.history")
        async with opened(tmp_path, platform=platform, core=core) as bench:
            await bench.hears(platform.written("new"))
            assert await soon(lambda: not platform.faults)
        async with opened(tmp_path, platform=platform, core=core) as bench:
            assert await settled(bench)
        assert sorted(texts(core)) == ["before", "missed", "new"]


async def test_a_broken_note_is_no_reason_to_stop(tmp_path: Path) -> None:
    core = Core()
    core.notes[NOTE] = "broken"
    async with slack() as platform, opened(tmp_path, platform=platform, core=core) as bench:
        assert await settled(bench)
        assert await bench.hears(platform.written("hello")) is not None


@pytest.mark.parametrize("unscoped", [set(), {"im:read"}, {"groups:read", "mpim:read"}])
async def test_who_wrote_for_the_first_time_meanwhile_is_heard_if_we_may_be_told_of_them(
    tmp_path: Path, unscoped: set[str]
) -> None:
    core = Core()
    async with slack() as platform:
        async with opened(tmp_path, platform=platform, core=core) as bench:
            await bench.hears(platform.written("before"))
            assert await settled(bench)
        platform.chat("D0NEW").messages = [platform.written("said long ago", ts="1700000000.000001")]
        long_ago(core)
        platform.written("hello, I am new", chat="D0NEW", user="U0NEW")
        platform.chat("C0NEW")
        platform.written(f"<@{BOT}> are you there?", chat="C0NEW")
        platform.chat("C0NEW").messages[-1] |= {"text": f"<@{BOT}> are you there?", "blocks": []}
        platform.written("lunch?", chat="C0NEW")
        platform.chat("C0OTHER").members.remove(BOT)
        platform.written("not ours", chat="C0OTHER")
        platform.unscoped = unscoped
        platform.fail("429", method="users.conversations", retry_after=0.05)
        async with opened(tmp_path, platform=platform, core=core) as bench:
            assert await settled(bench)
        heard = ["before", "are you there?"] + ([] if "im:read" in unscoped else ["hello, I am new"])
        assert sorted(texts(core)) == sorted(heard)
        assert {message.address.chat for message in core.received} <= {DM, "D0NEW", "C0NEW"}
