"""The engine where its store fails it and processes die: what storms found, made small."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bot import Delivery, Message, Receipt, Sender, Skill, Text, Turn
from bot.dialog.driver import Dialogs
from bot.dialog.gates import Gates
from bot.errors import StoreUnavailable
from bot.phrases import Phrases
from bot.store.contract import Change, Claim, Committed, Store
from bot.store.sqlite import SqliteStore
from bot.testing import Bot
from bot.testing.store_kit import CHAT, NOW, message, result, take
from bot.turns.answering import DEATHS, SUSPECT


def greeter() -> Skill:
    skill = Skill("greets", "Greets.")

    @skill.intent("good day")
    async def go(turn: Turn) -> None:
        await turn.say("Good day to you.")

    return skill


async def write(bot: Bot, *names: str) -> None:
    """People write, and nobody waits for an answer."""
    gateway = bot.channels["web"].gateway
    assert gateway is not None
    for name in names:
        content, address = Text(text="good day"), bot.user(name).address
        message = Message(event_id=name, address=address, sender=Sender(id=name), content=content, at=bot.clock.now())
        await gateway.receive(message)


def said(bot: Bot) -> list[str]:
    """All that the platform was given."""
    return [delivery.reply.text for delivery in bot.platforms["web"].taken]


async def until(true: Callable[[], bool], bot: Bot | None = None, step: float = 0.0) -> None:
    """Wait; with a bot, its time goes on meanwhile."""
    async with asyncio.timeout(10):
        while not true():
            if bot is not None:
                bot.clock.move(bot.clock.now() + step)
            await asyncio.sleep(0.002)


async def test_a_turn_that_is_renewed_while_it_is_committed_sends_its_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is in the database and its answer on the way: the lane says that this turn is nobody's any more."""
    async with Bot(greeter(), options={"store.lease": "0.6"}) as bot:
        store: Store = bot.app.engine._store
        commit, renew, renewed = store.commit, store.renew, asyncio.Event()

        async def slow(change: Change) -> Committed:
            committed = await commit(change)
            bot.clock.move(bot.clock.now() + 0.3)  # a renewal is due
            await renewed.wait()
            await asyncio.sleep(0.01)
            return committed

        async def tell(claims: list[Claim], lease: float, now: float) -> list[bool]:
            ours = await renew(claims, lease, now)
            renewed.set()
            return ours

        monkeypatch.setattr(store, "commit", slow)
        monkeypatch.setattr(store, "renew", tell)
        await write(bot, "u")
        await until(lambda: bool(said(bot)))  # the time stands still: nobody looks for what was left
        assert said(bot) == ["Good day to you."]


async def test_a_store_that_goes_away_again_and_again_costs_a_turn_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't even be given back at first; were that forgotten, it would look as if it killed its processes."""
    async with Bot(greeter()) as bot:
        store: Store = bot.app.engine._store
        commit, retry = store.commit, store.retry
        away, outages = False, 0

        async def fails(change: Change) -> Committed:
            nonlocal away, outages
            if outages > DEATHS + 2:
                return await commit(change)
            away, outages = True, outages + 1
            raise StoreUnavailable("gone")

        async def fails_once(claim: Claim, now: float, *, pause: float = 0.0, counts: bool = True) -> bool:
            nonlocal away
            if away:
                away = False
                raise StoreUnavailable("still gone")
            return await retry(claim, now, pause=pause, counts=counts)

        monkeypatch.setattr(store, "commit", fails)
        monkeypatch.setattr(store, "retry", fails_once)
        await write(bot, "u")
        await until(lambda: bool(said(bot)), bot, step=0.1)
        assert (said(bot), outages) == (["Good day to you."], DEATHS + 3)


async def test_turns_whose_processes_died_are_tried_one_by_one() -> None:
    """One of them may be the killer. The others must not be in its process's hands when it dies."""
    now = most = 0
    skill = Skill("works", "Works.")

    @skill.intent("good day")
    async def go(turn: Turn) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        await turn.say("Good day to you.")

    names = [f"u{number}" for number in range(5)]
    async with Bot(skill) as bot:
        await bot.app.engine.stop()
        await write(bot, *names)
        for _ in range(SUSPECT):
            assert len(await bot.app.store.claim("dies", 10, 1.0, bot.clock.now())) == 5
            bot.clock.move(bot.clock.now() + 2)
        await bot.app.engine.start()
        await until(lambda: len(said(bot)) == 5, bot, step=0.05)
        assert (said(bot), most) == (["Good day to you."] * 5, 1)


async def test_a_send_that_has_begun_ends_before_its_channel_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that has stopped has no connection to its platform, and what it is asked to send ends unknown."""
    happened: list[str] = []
    async with Bot(greeter()) as bot:
        channel = bot.channels["web"]
        send, stop, begun = channel.send, channel.stop, asyncio.Event()

        async def slow(delivery: Delivery) -> Receipt:
            begun.set()
            await asyncio.sleep(0.05)
            happened.append("sent")
            return await send(delivery)

        async def noted() -> None:
            happened.append("stopped")
            await stop()

        monkeypatch.setattr(channel, "send", slow)
        monkeypatch.setattr(channel, "stop", noted)
        await write(bot, "u")
        await begun.wait()
        await bot.app.stop()
    assert happened == ["sent", "stopped"]


async def test_a_turn_that_is_heard_of_late_does_not_end_the_next_one(tmp_path: Path) -> None:
    """A process slept in turn 1, others did it, and it wakes with turn 2 in its hands (seed 3918 of the simulation)."""
    dialogs = Dialogs(lambda skill, name: None, Gates(lambda skill: (30.0, 200), lambda: 0.0), Phrases())
    store = SqliteStore(tmp_path / "frontdesk.db")
    await store.start()
    await store.put(message("e1"), NOW)
    await store.put(message("e2"), NOW)
    first = await take(store)
    late = dialogs.open(first)
    second = (await store.commit(result(first))).next
    assert second is not None
    current = dialogs.open(second)
    dialogs.drop(CHAT, late)
    assert dialogs._live[CHAT].lane is current
    dialogs.drop(CHAT, current)
    assert CHAT not in dialogs._live
    await store.stop()


async def test_what_nobody_foresaw_in_a_claim_does_not_end_the_claiming(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Bot(greeter()) as bot:
        store: Store = bot.app.engine._store
        claim, broken = store.claim, [True]

        async def once(worker: str, limit: int, lease: float, now: float) -> list[Claim]:
            if broken:
                broken.pop()
                raise ValueError("a row that no decoder knows")
            return await claim(worker, limit, lease, now)

        monkeypatch.setattr(store, "claim", once)
        bot.app.engine.ring()
        await until(lambda: not broken, bot, 0.6)
        await store.put(msgspec.structs.replace(message("m1", "good day"), address=bot.user("ann").address), NOW)
        await until(lambda: len(said(bot)) == 1, bot, 0.6)
