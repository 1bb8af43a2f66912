"""The outbox sends a row once, however it heard of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.channel import Delivery, Receipt
from bot.clock import Clock, SeededEntropy
from bot.delivery.outbox import Outbox
from bot.delivery.pacing import LocalBuckets
from bot.delivery.sending import Means
from bot.errors import NotSent, Rejected, UnknownOutcome
from bot.store.contract import OutRow
from bot.store.sqlite import SqliteStore
from bot.testing import FakeChannel, Platform
from bot.testing.fakes import Pulse
from bot.testing.store_kit import answer, reply


class Slow(FakeChannel):
    """Takes a moment for each message, as platforms do."""

    async def send(self, delivery: Delivery) -> Receipt:
        await asyncio.sleep(0.02)
        return await super().send(delivery)


class Unsure(FakeChannel):
    """Takes the message, loses the line, and can't say for long whether it came through."""

    def __init__(self, platform: Platform) -> None:
        super().__init__("web", platform, Pulse())
        self.asked = 0

    async def send(self, delivery: Delivery) -> Receipt:
        await super().send(delivery)
        raise UnknownOutcome("the line was cut")

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        self.asked += 1
        if self.asked < 1_500:
            raise (NotSent("not reached"), Rejected("not now"), KeyError("ts"))[self.asked % 3]
        return await super().find_sent(delivery)


class Racing(Clock):
    """Time that does not wait."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


async def nothing(row: OutRow, problem: str = "") -> None:
    """No desk is there."""


async def never(row: OutRow) -> bool:
    """No row is kept back."""
    return False


def racing(store: SqliteStore) -> Outbox:
    clock = Racing()
    return Outbox(Means(store, clock, SeededEntropy(1), LocalBuckets(clock), nothing, nothing, never))


async def test_a_row_from_its_commit_and_from_the_start_is_sent_once(tmp_path: Path) -> None:
    """What a desk hands on while the bot starts is also among the unsent rows that the start finds."""
    platform = Platform()
    store = SqliteStore(tmp_path / "frontdesk.db")
    await store.start()
    outbox = racing(store)
    outbox.channels = {("test", "main"): Slow("blind", platform, Pulse())}
    rows = (await answer(store, "e1", reply("a", "once"), reply("b", "once more"))).rows
    outbox.accept(rows, 0.0)
    await outbox.start()
    async with asyncio.timeout(5):
        while outbox.busy:  # noqa: ASYNC110 - an outbox at rest sets no event
            await asyncio.sleep(0.005)
    await outbox.stop()
    await store.stop()
    assert [delivery.reply.text for delivery in platform.taken] == ["once", "once more"]


async def test_a_platform_that_can_not_be_asked_for_hours_is_asked_again(tmp_path: Path) -> None:
    """Whatever the look-up raises, and however often, the reply is neither sent twice nor forgotten."""
    platform = Platform()
    store = SqliteStore(tmp_path / "frontdesk.db")
    await store.start()
    channel = Unsure(platform)
    outbox = racing(store)
    outbox.channels = {("test", "main"): channel}
    outbox.accept((await answer(store, "e1", reply("a", "once"))).rows, 0.0)
    async with asyncio.timeout(10):
        while outbox.busy:  # noqa: ASYNC110 - an outbox at rest sets no event
            await asyncio.sleep(0.005)
    assert (len(platform.taken), channel.asked, await store.unsent()) == (1, 1_500, [])
    await store.stop()
