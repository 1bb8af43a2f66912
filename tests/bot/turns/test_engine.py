"""The engine under leases, pauses and load: one turn of a lane at a time, whatever the clock and the process do."""

from __future__ import annotations

import asyncio

import pytest

from bot import Accepted, Address, Message, RateLimited, Sender, Skill, Text, Turn
from bot.dialog.driver import Dialogs
from bot.store.contract import Claim
from bot.testing import Bot
from tests.scenarios.shopping import Kitchen, pizza


class Works:
    """A skill with a step that lasts until the test lets it end."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.began = self.ended = self.most = self.now = 0

    async def work(self) -> str:
        self.began += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.gate.wait()
        finally:
            self.now -= 1
        self.ended += 1
        return "done"

    def skill(self, *, deadline: float = 30.0, concurrency: int = 200) -> Skill:
        skill = Skill("works", "Works.", deadline=deadline, concurrency=concurrency)

        @skill.intent("work hard")
        async def go(turn: Turn) -> None:
            await turn.say("{done}", done=await turn.step(self.work))

        return skill


async def until(works: Works, began: int) -> None:
    async with asyncio.timeout(5):
        while works.began < began:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def until_renewed(bot: Bot) -> None:
    """The loops get the time that five seconds would have given them; they renew after a third of the lease."""
    async with asyncio.timeout(30):
        while bot.clock.steady() - bot.app.engine._renewed > 4:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_turn_that_outlasts_its_lease_runs_once() -> None:
    works = Works()
    async with Bot(works.skill(deadline=1000)) as bot, bot.user() as u:
        saying = asyncio.create_task(u.says("work hard"))
        await until(works, 1)
        for _ in range(20):
            bot.clock.move(bot.clock.now() + 5)
            await until_renewed(bot)
        works.gate.set()
        await saying
        assert (u.all_seen, works.began) == (["done"], 1)


async def test_a_process_that_slept_past_its_leases_does_not_begin_its_own_turns_again() -> None:
    works = Works()
    async with Bot(works.skill(deadline=1000)) as bot, bot.user() as u:
        users = [u, *(bot.user(f"u{number}") for number in range(9))]
        saying = [asyncio.create_task(user.says("work hard")) for user in users]
        await until(works, 10)
        bot.clock.move(bot.clock.now() + 100)  # a suspended laptop, a handler that blocked the loop
        await asyncio.sleep(0.1)
        works.gate.set()
        await asyncio.gather(*saying)
        assert [user.all_seen for user in users] == [["done"]] * 10
        assert (works.began, works.most) == (10, 10)


async def test_a_waiting_handler_makes_room_but_a_working_one_is_never_cut_off() -> None:
    works = Works()
    async with Bot(works.skill(), pizza(Kitchen())) as bot:
        dialogs: Dialogs = bot.app.answering._dialogs
        dialogs._limit = 3
        async with bot.user("slow") as slow:
            saying = asyncio.create_task(slow.says("work hard"))
            await until(works, 1)
            for number in range(8):
                async with bot.user(f"u{number}") as u:
                    asking = asyncio.create_task(u.says("pizza"))
                    async with asyncio.timeout(5):
                        while not u.all_seen[1:]:  # noqa: ASYNC110
                            await asyncio.sleep(0.001)
                    asking.cancel()
            assert len(dialogs._live) <= 4
            works.gate.set()
            await saying
            assert (slow.all_seen, works.began) == (["done"], 1)
            async with bot.user("u0") as u:
                await u.says("small")
                u.sees("How many?")


async def test_those_who_queue_for_a_skill_that_hangs_do_not_each_wait_for_its_time_out() -> None:
    works = Works()
    async with Bot(works.skill(deadline=0.3, concurrency=1)) as bot:
        users = [bot.user(f"u{number}") for number in range(30)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(u.says("work hard") for u in users))
        assert loop.time() - began < 6, "30 times 0.3 s, one after the other"
        for u in users:
            assert len(u.all_seen) == 1, u.all_seen


async def test_what_a_stop_cuts_off_goes_on_after_the_start() -> None:
    works = Works()
    async with Bot(works.skill()) as bot, bot.user() as u:
        saying = asyncio.create_task(u.says("work hard"))
        await until(works, 1)
        await bot.app.engine.stop(patience=0.01)
        works.gate.set()
        await bot.app.engine.start()
        await saying
        await bot.settle()
        assert u.all_seen == ["done"]


async def test_a_caller_that_is_cancelled_after_the_commit_does_not_delay_the_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored, told = asyncio.Event(), asyncio.Event()

    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        take = bot.store.take

        async def slow(message: Message, worker: str, lease: float, now: float) -> tuple[Accepted, Claim | None]:
            taken = await take(message, worker, lease, now)
            stored.set()
            await told.wait()
            return taken

        monkeypatch.setattr(bot.store, "take", slow)
        gateway = bot.channels["web"].gateway
        assert gateway is not None
        text = Text(text="opening hours")
        message = Message(event_id="e", address=u.address, sender=Sender(id="u"), content=text, at=bot.clock.now())
        request = asyncio.create_task(gateway.receive(message))
        await stored.wait()
        request.cancel()  # the client hung up
        with pytest.raises(asyncio.CancelledError):
            await request
        told.set()
        async with asyncio.timeout(5):  # the clock stands still, so no lease ends
            while not u.all_seen:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def test_many_reminders_at_one_moment_are_not_dealt_out_by_the_hundred() -> None:
    skill = Skill("reminds", "Reminds.")

    @skill.intent("remind me often")
    async def go(turn: Turn) -> None:
        for number in range(90):
            await turn.schedule(turn.now() + 100, f"Reminder {number}")

    async with Bot(skill) as bot:
        users = [bot.user(name) for name in ("a", "b", "c")]
        for u in users:
            await u.says("remind me often")
        bot.clock.move(bot.clock.now() + 101.0)  # and no further: a second look would need half a second more
        async with asyncio.timeout(10):
            while sum(len(u.all_seen) for u in users) < 270:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def test_a_skill_that_wants_a_person_where_there_is_none_leaves_nobody_waiting() -> None:
    skill = Skill("person", "Gets a person.")

    @skill.intent("let me talk")
    async def go(turn: Turn) -> None:
        await turn.say("I'll get somebody.")
        await turn.hand_off(reason="asked")

    async with Bot(skill, desk=False) as bot, bot.user() as u:
        await u.says("let me talk")
        u.sees("I'll get somebody.", "There is nobody I can pass you to")


async def test_the_history_has_the_message_that_is_being_answered_while_a_reply_still_waits() -> None:
    skill = Skill("looks", "Looks back.")
    seen: list[list[str]] = []

    @skill.intent("look back at it")
    async def go(turn: Turn) -> None:
        seen.append([entry.text for entry in await turn.history()])
        await turn.say("seen")

    async with Bot(skill, pizza(Kitchen())) as bot, bot.user() as u:
        bot.platforms["web"].fail(RateLimited(50.0))
        gateway = bot.channels["web"].gateway
        assert gateway is not None
        for number, text in enumerate(("opening hours", "look back at it", "opening hours")):
            await gateway.receive(
                Message(
                    event_id=f"h{number}",
                    address=u.address,
                    sender=Sender(id=u.name),
                    content=Text(text=text),
                    at=bot.clock.now(),
                )
            )
            async with asyncio.timeout(5):
                while not any(row.not_before for row in await bot.store.store.unsent()):  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
        await bot.settle()
        assert seen == [["opening hours", "look back at it"]]


async def test_a_tenant_with_very_many_lanes_leaves_room_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.turns.engine.COMMON", 4)
    monkeypatch.setattr("bot.turns.engine.LANES", 6)
    monkeypatch.setattr("bot.turns.engine.FEW", 2)
    open_now, begun = asyncio.Event(), []
    skill = Skill("slow", "Waits.", concurrency=100)

    @skill.intent("wait for it")
    async def wait(turn: Turn) -> None:
        begun.append(turn.conversation.tenant)
        await open_now.wait()
        await turn.say("done")

    async with Bot(skill) as bot:
        gateway = bot.channels["web"].gateway
        assert gateway is not None
        for tenant, chats in (("big", range(20)), ("small", range(3))):
            for chat in chats:
                address = Address(channel="web", account="main", chat=f"{tenant}{chat}")
                text = Text(text="wait for it")
                message = Message(
                    event_id=f"{tenant}{chat}",
                    address=address,
                    sender=Sender(id=f"{tenant}{chat}"),
                    content=text,
                    at=bot.clock.now(),
                    tenant=tenant,
                )
                await gateway.receive(message)
        await asyncio.sleep(0.05)
        assert (begun.count("big"), begun.count("small")) == (4, 2)
        open_now.set()
        await bot.settle()
        assert (begun.count("big"), begun.count("small")) == (20, 3)
