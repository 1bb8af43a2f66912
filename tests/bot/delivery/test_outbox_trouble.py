"""The outbox where platforms and processes fail it: what storms found, made small."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from bot.channel import Delivery, Receipt
from bot.clock import SeededEntropy
from bot.delivery import sending
from bot.delivery.outbox import SWEEP, Outbox
from bot.delivery.pacing import LocalBuckets
from bot.delivery.sending import STALE, Means
from bot.errors import RateLimited, UnknownOutcome
from bot.store.contract import Begun, Committed, Database, OutRow
from bot.store.sqlite import SqliteStore
from bot.testing import FakeChannel, Platform
from bot.testing.clock import VirtualClock
from bot.testing.fakes import Pulse
from bot.testing.store_kit import NOW, answer, message, reply, result, take


class Deaf(FakeChannel):
    """Loses the line with the first message, and the first question about it is never answered."""

    def __init__(self, platform: Platform) -> None:
        super().__init__("web", platform, Pulse())
        self.capabilities = msgspec.structs.replace(self.capabilities, send_timeout=0.05)
        self.asked = 0

    async def send(self, delivery: Delivery) -> Receipt:
        await super().send(delivery)
        raise UnknownOutcome("the line was cut")

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        self.asked += 1
        if self.asked == 1:
            await asyncio.Event().wait()
        return await super().find_sent(delivery)


async def nothing(row: OutRow, problem: str = "") -> None:
    """No desk is there."""


async def never(row: OutRow) -> bool:
    """No row is kept back."""
    return False


class Place:
    """A store, a clock and an outbox. Use it as a context."""

    def __init__(self, folder: Path) -> None:
        self.store, self.clock, self.platform = SqliteStore(folder / "frontdesk.db"), VirtualClock(NOW), Platform()
        self.buckets = LocalBuckets(self.clock)
        self.outbox = Outbox(Means(self.store, self.clock, SeededEntropy(1), self.buckets, nothing, nothing, never))
        self.use(FakeChannel("web", self.platform, Pulse()))

    def use(self, channel: FakeChannel) -> None:
        """Send over this one."""
        self.outbox.channels = {("test", "main"): channel}

    async def __aenter__(self) -> Place:
        await self.store.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.outbox.stop(0.1)
        await self.store.stop()

    async def passes(self, seconds: float, step: float = 0.05) -> None:
        """Let time go on, and everybody do what is due."""
        end = self.clock.now() + seconds
        while self.clock.now() < end - 1e-6:
            self.clock.move(self.clock.now() + step)
            await asyncio.sleep(0.01)


async def test_a_line_that_a_dead_process_left_goes_out_without_a_pause_for_each_row(tmp_path: Path) -> None:
    replies = [reply(str(number), f"number {number}") for number in range(8)]
    async with Place(tmp_path) as place:
        await answer(place.store, "e1", *replies)
        place.clock.move(NOW + 60)  # the one that made them held them for a while
        await place.outbox.start()
        await place.passes(3 * SWEEP)
        assert [delivery.reply.text for delivery in place.platform.taken] == [f"number {n}" for n in range(8)]


async def test_a_question_about_a_send_that_is_never_answered_is_asked_again(tmp_path: Path) -> None:
    async with Place(tmp_path) as place:
        channel = Deaf(place.platform)
        place.use(channel)
        place.outbox.accept((await answer(place.store, "e1", reply("a", "once"))).rows, NOW)
        await place.passes(30.0, step=1.0)
        assert (channel.asked, len(place.platform.taken), await place.store.unsent()) == (2, 1, [])


async def test_an_account_that_is_closed_while_a_send_is_marked_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Place(tmp_path) as place:
        mark, first = place.store.mark_sending, True

        async def closing(row: OutRow, wait: float, now: float) -> Begun:
            nonlocal first
            if first:
                first = False
                await place.buckets.close("test/main", 20.0)
            return await mark(row, wait, now)

        monkeypatch.setattr(place.store, "mark_sending", closing)
        rows = (await answer(place.store, "e1", reply("a", "once"))).rows
        place.outbox.accept(rows, NOW)
        await place.passes(19.0, step=1.0)
        assert place.platform.taken == []
        await place.passes(5.0, step=1.0)
        assert len(place.platform.taken) == 1


async def test_what_nobody_foresaw_in_a_look_for_rows_does_not_end_the_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Place(tmp_path) as place:
        await place.outbox.start()
        await answer(place.store, "e1", reply("a", "found"))
        place.clock.move(NOW + 60)
        pick_up, broken = place.store.pick_up, [True]

        async def once(limit: int, hold: float, now: float) -> list[OutRow]:
            if broken:
                broken.pop()
                raise ValueError("a row that no decoder knows")
            return await pick_up(limit, hold, now)

        monkeypatch.setattr(place.store, "pick_up", once)
        await place.passes(4 * SWEEP)
        assert not broken
        assert [delivery.reply.text for delivery in place.platform.taken] == ["found"]


class Late(FakeChannel):
    """Can edit, and notes when it was asked to."""

    def __init__(self, place: Place) -> None:
        super().__init__("web", place.platform, Pulse())
        self.capabilities = msgspec.structs.replace(self.capabilities, edits=True, send_timeout=5.0)
        self._place, self.asked = place, list[float]()

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        self.asked.append(self._place.clock.now())


async def test_an_edit_whose_receipt_is_long_in_coming_is_not_made_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Place(tmp_path) as place:
        channel, slow = Late(place), [True]
        place.use(channel)
        (old,) = (await answer(place.store, "e1", reply("a", "old"))).rows
        place.outbox.accept([old], NOW)
        await place.passes(1.0)
        marks: list[float] = []
        read, mark = sending.receipt, place.store.mark_sending

        async def reading(store: Database, row: str) -> str:
            if slow:
                slow.pop()
                place.clock.move(place.clock.now() + STALE + 5.0)
            return await read(store, row)

        async def marking(row: OutRow, wait: float, now: float) -> Begun:
            marks.append(place.clock.now())
            return await mark(row, wait, now)

        monkeypatch.setattr(sending, "receipt", reading)
        monkeypatch.setattr(place.store, "mark_sending", marking)
        new = msgspec.structs.replace(reply("b", "new"), edits=old.id)
        place.outbox.accept((await answer(place.store, "e2", new)).rows, place.clock.steady())
        await place.passes(40.0, step=0.5)
        assert await place.store.unsent() == []
        assert len(channel.asked) == 1
        assert channel.asked[0] - marks[-1] <= STALE


class Closing(FakeChannel):
    """Takes a few messages, then says for how long it wants nothing of the account; and so on."""

    def __init__(self, platform: Platform, clock: VirtualClock, *, burst: int, closes: float) -> None:
        super().__init__("web", platform, Pulse())
        self._clock, self._burst, self._closes = clock, burst, closes
        self._until, self._left = 0.0, burst
        self.refused = self.early = 0

    async def send(self, delivery: Delivery) -> Receipt:
        now = self._clock.now()
        if self._until and now >= self._until:
            self._left, self._until = self._burst, 0.0
        if not self._left:
            self._until, self._left = now + self._closes, 0
        if self._until:
            self.refused += 1
            raise RateLimited(self._until - now, account=True)
        self._left -= 1
        return await super().send(delivery)


async def test_those_who_wait_for_a_platform_come_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Place(tmp_path) as place:
        channel = Closing(place.platform, place.clock, burst=10, closes=2.0)
        place.use(channel)
        postpone, marked = place.store.postpone, place.store.mark_sending
        writes: list[float] = []

        async def counted(row: OutRow, pause: float, error: str, now: float) -> bool:
            writes.append(now)
            return await postpone(row, pause, error, now)

        async def counted_too(row: OutRow, wait: float, now: float) -> Begun:
            writes.append(now)
            return await marked(row, wait, now)

        for number in range(300):
            rows = (await _answer_in(place.store, str(number))).rows
            place.outbox.accept(rows, NOW)
        await place.passes(1.0)
        monkeypatch.setattr(place.store, "postpone", counted)
        monkeypatch.setattr(place.store, "mark_sending", counted_too)
        await place.passes(10.0)
        busiest = max(sum(1 for at in writes if begin <= at < begin + 1.0) for begin in writes)
        assert busiest < 100, "of 300 who wait, a few at a time"
        assert channel.refused < 100
        channel._closes = 0.05
        await place.passes(40.0)
        assert len(place.platform.taken) == 300
        assert await place.store.unsent() == []


async def _answer_in(store: SqliteStore, chat: str) -> Committed:
    await store.put(message(f"e{chat}", chat=chat), NOW)
    return await store.commit(result(await take(store), reply("a", f"to {chat}")))
