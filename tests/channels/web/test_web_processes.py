"""Two processes behind one load balancer: a page that is connected to one sees at once what the other one sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from channels.web import session
from channels.web.feed import DRAFT_PACE, Feed
from channels.web.intake import address_of
from tests.channels.web.fakes import Client, FakeGateway, Site, frames

CHAT = "ab" * 16


@asynccontextmanager
async def two_processes(folder: Path) -> AsyncIterator[tuple[Client, Client]]:
    """Two servers with one database and one bus between them."""
    gateway = FakeGateway()
    sites = [Site(folder / "one", gateway), Site(folder / "two", gateway)]
    for site in sites:
        await site.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Client(sites[0], http), Client(sites[1], http)
    finally:
        for site in sites:
            await site.stop()


@pytest.fixture(autouse=True)
def never_by_looking_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "RECHECK", 60.0)


async def test_lines_typing_and_drafts_of_the_other_process_are_seen_at_once(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, there), here.socket(CHAT) as line:
        await frames(line, "caught_up")
        await there.site.channel.typing(address_of(CHAT), on=True)
        assert (await line.receive_json(timeout=5))["on"] is True
        await there.site.channel.draft(address_of(CHAT), "k", "It is")
        assert (await frames(line, "draft"))[-1]["text"] == "It is"
        here.site.gateway.channel = there.site.channel
        await here.site.gateway.say(address_of(CHAT), "It is on its way")
        assert (await frames(line, "message"))[-1]["text"] == "It is on its way"


async def test_what_is_said_on_one_page_shows_on_another_page_of_the_other_process(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, there), here.socket(CHAT) as line:
        await frames(line, "caught_up")
        assert (await there.post({"conversation": CHAT, "text": "hello"}))[0] == 202
        assert (await frames(line, "message"))[-1]["text"] == "hello"


async def test_news_that_was_missed_makes_everybody_look(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, _), here.socket(CHAT) as line:
        await frames(line, "caught_up")
        here.site.gateway.add(address_of(CHAT), "bot", "nobody rang")
        here.site.gateway.publish("web.main", b"")
        assert (await frames(line, "message"))[-1]["text"] == "nobody rang"


async def test_a_stopped_channel_still_rings_for_the_others(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, there), here.socket(CHAT) as line:
        await frames(line, "caught_up")
        await there.site.channel.stop()
        here.site.gateway.channel = there.site.channel
        await here.site.gateway.say(address_of(CHAT), "the last words")
        assert (await frames(line, "message"))[-1]["text"] == "the last words"


async def test_of_many_drafts_a_few_are_told_and_the_newest_is_one_of_them() -> None:
    told: list[bytes] = []
    feed = Feed(told.append)
    for n in range(100):
        feed.draft(CHAT, "k", f"word {n}")
    await asyncio.sleep(3 * DRAFT_PACE)
    assert len(told) == 2
    with feed.reading(CHAT) as box:
        for body in told:
            feed.heard(body)
        assert box.drafts == {"k": "word 99"}


async def test_a_draft_that_is_overtaken_by_its_reply_is_not_told_any_more() -> None:
    told: list[bytes] = []
    feed = Feed(told.append)
    feed.draft(CHAT, "k", "one")
    feed.draft(CHAT, "k", "one two")
    feed.finished(CHAT)
    await asyncio.sleep(3 * DRAFT_PACE)
    with feed.reading(CHAT) as box:
        for body in told:
            feed.heard(body)
        assert (len(told), box.drafts) == (2, {})


def test_a_ring_of_another_version_makes_everybody_look() -> None:
    feed = Feed()
    with feed.reading(CHAT) as box:
        feed.heard(b"\xc1 from the future")
        assert box.bell.is_set()
