"""The tables of broadcasts and jobs, and everything that reads the store's own, on both stores."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import Address, Message, Reply, Sender, Text
from bot.clock import SeededEntropy
from bot.outreach import records
from bot.outreach.campaigns import Campaigns, key_of
from bot.outreach.every import Every
from bot.outreach.jobs import Bound, Jobs, Mark, _mark, _set
from bot.outreach.records import Outcome
from bot.outreach.sender import AHEAD
from bot.outreach.sender import Sender as Broadcaster
from bot.outreach.settings import OutreachSettings
from bot.outreach.tables import metadata
from bot.store.contract import Applied, Effect, Outgoing, Store
from bot.store.own_tables import OwnTables
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from bot.testing.clock import VirtualClock
from bot.testing.fakes import FakeChannel, Platform, Pulse
from tests.servers import PostgresServer, postgres

__all__ = ["postgres"]

PLAIN = "name: news\ntext: News, {name}!\nrate: 1000\nsegment: {channels: [web]}"


class Room:
    """The sending side alone, over a real store; time stands still but for `pass_time`."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, VirtualClock()
        settings = OutreachSettings()
        tables = OwnTables(store, metadata)
        self.campaigns = Campaigns(store, tables, self.clock, SeededEntropy(1), settings)
        self.campaigns.channels = [FakeChannel(kind, Platform(), Pulse()) for kind in ("web", "sms")]
        self.sender = Broadcaster(store, tables, self.apply, self.campaigns.shared, self.clock, settings)
        self.jobs = Jobs(store, tables, self.clock, lambda name, job: asyncio.create_task(_run(job)), "UTC")
        self.applied: list[str] = []

    async def apply(self, effect: Effect) -> Applied | None:
        applied = await self.store.apply(effect)
        if applied is not None:
            self.applied.append(effect.conversation)
        return applied

    async def people(self, many: int, channel: str = "web") -> None:
        now = self.clock.now()
        messages = [
            Message(
                event_id=f"{channel}-{number}",
                address=Address(channel=channel, account="main", chat=f"u{number}"),
                sender=Sender(id=f"u{number}", name=f"U{number}"),
                content=Text(text="hello"),
                at=now,
            )
            for number in range(many)
        ]
        for start in range(0, many, 500):
            await asyncio.gather(*(self.store.put(message, now) for message in messages[start : start + 500]))

    async def rounds(self, most: int) -> int:
        """Go round until nothing is in flight; how often."""
        for number in range(most):
            if not await self.sender.go_round():
                return number
            self.clock.move(self.clock.now() + 0.25)
        return most


async def _run(job):  # type: ignore[no-untyped-def]
    await job()


@asynccontextmanager
async def opened(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Room]:
    store: Store
    if kind == "sqlite":
        store = SqliteStore(folder / "frontdesk.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        store = PostgresStore(server.new_database())
    await store.start()
    try:
        yield Room(store)
    finally:
        await store.stop()


BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


@BOTH
async def test_a_broadcast_from_its_begin_to_its_end(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with opened(kind, tmp_path, request) as room:
        await room.people(7)
        await room.people(2, "sms")
        assert await room.campaigns.list() == []
        record = await room.campaigns.send(PLAIN)
        assert [one.id for one in await room.campaigns.list()] == [record.id]
        assert await room.rounds(50) < 50
        assert len(room.applied) == len(set(room.applied)) == 7
        shown = await room.campaigns.show(record.id)
        assert shown.record.status == "done"
        assert shown.totals == {"on the way": 7}
        assert record.id in str(shown)


@BOTH
async def test_a_name_is_used_once_and_states_follow_each_other(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(kind, tmp_path, request) as room:
        await room.people(1)
        record = await room.campaigns.send(PLAIN)
        with pytest.raises(Exception, match="rename"):
            await room.campaigns.send(PLAIN)
        await room.campaigns.pause(record.id)
        assert await room.campaigns.status(record.id) == "paused"
        assert await room.rounds(3) == 0
        assert room.applied == []
        await room.campaigns.resume(record.id)
        await room.rounds(50)
        assert len(room.applied) == 1
        with pytest.raises(Exception, match="is done"):
            await room.campaigns.cancel(record.id)
        assert await room.campaigns.status("nobody") is None


@BOTH
async def test_news_of_those_handed_over_is_not_overwritten(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(kind, tmp_path, request) as room:
        await room.people(2)
        record = await room.campaigns.send(PLAIN)
        await room.sender.go_round()
        store = room.store
        found = await store.read(lambda c: records.following(c, record.id, room.clock.now(), 10, []))
        assert len(found) == 2
        gone, left = found[0].person, found[1].person
        dropped = [Outcome(person=gone, state="dropped", why="unsubscribed")]
        await store.write(lambda c: records.note(c, record.id, dropped, handed=True))
        await store.write(lambda c: records.note(c, record.id, [Outcome(person=gone, state="handed")]))
        counts = (await room.campaigns.show(record.id)).totals
        assert counts == {"left out: unsubscribed": 1, "waiting": 1}
        but = [("web", "main")]
        assert await store.read(lambda c: records.following(c, record.id, room.clock.now(), 10, but)) == []
        later = [Outcome(person=left, state="waiting", why="quiet hours", at=room.clock.now() + 60)]
        await store.write(lambda c: records.note(c, record.id, later))
        assert await store.read(lambda c: records.following(c, record.id, room.clock.now(), 10, [])) == []
        assert len(await store.read(lambda c: records.following(c, record.id, room.clock.now() + 60, 10, []))) == 1


@BOTH
async def test_what_an_account_can_not_take_stays_out_of_its_outbox(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(kind, tmp_path, request) as room:
        await room.people(AHEAD + 5)
        await room.people(3, "sms")
        record = await room.campaigns.send("name: all\ntext: News!\nrate: 1000")
        await room.sender.go_round()
        found = await room.store.read(lambda c: records.following(c, record.id, room.clock.now(), 100, []))
        web = [one.conversation for one in found if one.channel == "web"]
        for conversation in web[:AHEAD]:
            row = Outgoing(key=f"outreach.{key_of(record.id)}", body=Reply(text="News!"))
            await room.store.apply(Effect(conversation=conversation, now=room.clock.now(), outgoing=(row,), hold=0.0))
        assert await room.rounds(6) == 6
        assert len(room.applied) == 3
        assert not set(room.applied) & set(web)
        (first, *_) = await room.store.pick_up(100, 10.0, room.clock.now() + 60)
        assert await room.store.mark_sending(first, 10.0, room.clock.now() + 60) == "sending"
        await room.store.mark_sent(first, "m1", room.clock.now() + 60)
        assert await room.rounds(6) < 6
        assert len(room.applied) == AHEAD + 8
        assert (await room.campaigns.show(record.id)).totals == {"on the way": AHEAD + 7, "sent": 1}


@BOTH
async def test_marks_of_jobs(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with opened(kind, tmp_path, request) as room:
        runs: list[float] = []

        async def run() -> None:
            runs.append(room.clock.now())

        bound = Bound(name="a.b", every=Every.of(hours=1), run=run)
        room.jobs.use({"a.b": bound})
        room.jobs.start()
        for _ in range(400):
            await asyncio.sleep(0.005)
            if room.clock.next_waking is not None:
                break
        begun = await room.store.read(lambda c: _mark(c, "a.b"))
        assert begun is not None
        assert begun.done == begun.began > 0
        await room.store.write(lambda c: _set(c, "a.b", Mark(began=begun.began, done=begun.done - 3600)))
        room.clock.move(room.clock.now() + 60)
        for _ in range(400):
            await asyncio.sleep(0.005)
            mark = await room.store.read(lambda c: _mark(c, "a.b"))
            if mark is not None and mark.done == begun.done:
                break
        room.jobs.use({})
        assert len(runs) == 1
        assert mark == Mark(began=begun.began, done=begun.done, attempts=1)


@BOTH
async def test_several_processes_may_make_the_tables_at_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(kind, tmp_path, request) as room:
        several = [OwnTables(room.store, metadata) for _ in range(6)]
        assert not await several[0].there()
        await asyncio.gather(*(tables.make() for tables in several))
        assert await several[0].there()


async def test_twenty_thousand_recipients_in_little_room_and_time(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    many = 20_000
    async with opened("sqlite", tmp_path, request) as room:
        await room.people(many)
        tracemalloc.start()
        began = time.monotonic()
        record = await room.campaigns.send(PLAIN)
        fixing = 0
        while not (await room.campaigns.show(record.id)).record.complete:
            assert await room.sender.go_round()
            fixing += 1
        fixed, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert fixing == 5  # 21 pages of a thousand, five in a round
        assert peak < 20e6, f"{peak / 1e6:.0f} MB"
        assert fixed < 60
        for _ in range(4):
            room.clock.move(room.clock.now() + 0.25)
            await room.sender.go_round()
        assert len(room.applied) == len(set(room.applied)) >= 1000
        left = await room.store.read(lambda c: records.waiting(c, record.id))
        assert left == many - len(room.applied)
        preview = await room.campaigns.preview(PLAIN.replace("news", "other"))
        assert preview.reached == {"web": many}
