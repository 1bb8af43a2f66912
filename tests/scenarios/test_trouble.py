"""Skills that go wrong: one apology, a person offered, the others unharmed, nothing lost."""

from __future__ import annotations

import asyncio
import os

import pytest

from bot import NotSent, RateLimited, Rejected, Skill, Text, Turn, UnknownOutcome
from bot.testing import Bot, survives
from tests.scenarios.shopping import Kitchen, broken, pizza


async def test_a_skill_that_raises_is_tried_three_times_and_then_parked() -> None:
    tries: list[int] = []

    async def run(turn: Turn) -> None:
        tries.append(1)
        raise ValueError("oops")

    async with Bot(broken(run), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong on my side", "[ Talk to a person ]")
        assert len(tries) == 3
        assert len(u.seen) == 1
        letters = await bot.app.dead_letters()
        assert [(letter.message.text, "oops" in letter.error) for letter in letters] == [("break now", True)]
        await u.says("opening hours")
        u.sees("At ten.")
        await u.says("break now")
        await u.presses("Talk to a person")
        u.sees("passed this on to our team")


async def test_a_skill_that_raises_once_answers_in_the_end() -> None:
    tries: list[int] = []

    async def run(turn: Turn) -> None:
        tries.append(1)
        await turn.say("I say this once.")
        if len(tries) == 1:
            raise ValueError("oops")
        await turn.say("And this.")

    async with Bot(broken(run)) as bot, bot.user() as u:
        await u.says("break now")
        assert u.seen == ["I say this once.", "And this."]


async def test_a_skill_that_never_returns_is_ended() -> None:
    async def run(turn: Turn) -> None:
        await asyncio.get_running_loop().create_future()

    async with Bot(broken(run, deadline=0.2), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong on my side")
        await u.says("opening hours")
        u.sees("At ten.")


async def test_a_skill_that_fails_again_and_again_is_rested() -> None:
    tries: list[int] = []

    async def run(turn: Turn) -> None:
        tries.append(1)
        raise ValueError("oops")

    async with Bot(broken(run)) as bot:
        for name in ("a", "b", "c"):
            async with bot.user(name) as u:
                await u.says("break now")
        assert len(tries) <= 6
        async with bot.user("d") as u:
            await u.says("break now")
            u.sees("I can't do that at the moment")


async def test_a_message_that_kills_the_process_is_parked_in_the_end() -> None:
    deaths: list[int] = []
    bots: list[Bot] = []

    async def run(turn: Turn) -> None:
        deaths.append(1)
        bots[0].pulse.dead = True  # as if the process had died here: nothing is reported any more
        await asyncio.get_running_loop().create_future()

    async with Bot(broken(run), pizza(Kitchen())) as bot, bot.user() as u:
        bots.append(bot)
        await u.says("break now")
        u.sees("Something went wrong on my side")
        assert len(deaths) == 6
        await u.says("opening hours")
        u.sees("At ten.")


async def test_swallowed_exceptions_change_nothing() -> None:
    async def run(turn: Turn) -> None:
        for _ in range(4):  # for ever would hang asyncio.run at its end, as it would in any program
            try:
                await turn.ask("Again?")
            except BaseException:  # noqa: S112 - what a careless author writes
                continue

    async with Bot(broken(run), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Again?")
        await bot.restart()
        await u.says("hm")
        u.sees("Again?")


@pytest.mark.parametrize("what", ["clock", "task", "tuple"])
async def test_what_can_not_be_replayed_is_told_to_the_author(what: str) -> None:
    async def helper(turn: Turn) -> None:
        await turn.say("from elsewhere")

    async def pair():  # type: ignore[no-untyped-def]  # that is the point
        return (1, 2)

    async def run(turn: Turn) -> None:
        match what:
            case "clock":
                async with asyncio.timeout(0.05):
                    await turn.ask("Too long?")
            case "task":
                await asyncio.create_task(helper(turn))
            case _:
                await turn.step(pair)

    async with Bot(broken(run)) as bot, bot.user() as u:
        await u.says("break now")
        await asyncio.sleep(0.1)
        if what == "clock":
            await u.says("hm")
        u.sees("Something went wrong on my side")
        text = (await bot.app.dead_letters())[0].error
        assert any(word in text for word in ("timeout=", "another task", "annotate its return type")), text


async def test_code_that_changed_goes_back_to_the_last_question() -> None:
    async with Bot(_version(1)) as bot, bot.user() as u:
        await u.says("break now")
        await u.says("7")
        u.sees("Second?")
        bot.replace_skills(_version(2))
        await bot.restart()
        await u.says("8")
        u.sees("New second?")
        await u.says("9")
        u.sees("7 and 9")


async def test_code_that_changed_behind_an_effect_is_parked_with_an_apology() -> None:
    async with Bot(_version(3)) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("First?")
        bot.replace_skills(_version(4))
        await bot.restart()
        await u.says("8")
        u.sees("I was updated while we were talking", "[ Talk to a person ]")


async def test_a_skill_that_is_gone_is_parked_with_an_apology() -> None:
    async with Bot(_version(1)) as bot, bot.user() as u:
        await u.says("break now")
        bot.replace_skills(pizza(Kitchen()))
        await bot.restart()
        await u.says("8")
        u.sees("I was updated while we were talking")


def _version(number: int) -> Skill:
    skill = Skill("broken", "Changes.")

    async def charge() -> int:
        return 1

    async def refund() -> int:
        return 2

    @skill.intent("break now")
    async def go(turn: Turn) -> None:
        if number == 3:
            await turn.step(charge)
        if number == 4:
            await turn.step(refund)
        first = await turn.ask("First?", like=int)
        if number == 1:
            await turn.ask("Second?", like=float)
        else:
            second = await turn.ask("New second?", like=int)
            await turn.say("{a} and {b}", a=first, b=second)

    return skill


async def test_sends_that_fail_are_repeated_only_when_they_surely_did_not_arrive() -> None:
    faults = [
        (NotSent("refused"), False),
        (RateLimited(3.0), False),
        (UnknownOutcome("reset"), True),
        (UnknownOutcome("reset"), False),
        (TimeoutError(), True),
    ]
    for error, taken in faults:
        async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
            bot.platforms["web"].fail(error, taken=taken)  # type: ignore[arg-type]
            await u.says("opening hours")
            assert u.all_seen == ["At ten."], (error, taken)


async def test_a_refused_reply_does_not_hold_up_the_next() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        bot.platforms["web"].fail(Rejected("blocked"))
        await u.says("opening hours")
        u.sees_nothing()
        await u.says("opening hours")
        u.sees("At ten.")
        assert "failed" in await bot.explain(f"{u.conversation}.1")


async def test_the_same_event_twice_is_answered_once() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        for _ in range(3):
            await u.does(Text(text="opening hours"), event_id="the-same")
        assert u.all_seen == ["At ten."]


async def test_any_text_gets_an_answer_and_harms_nobody() -> None:
    texts = [
        "\x00\x01",
        "\ud800 lone",
        "😀" * 500,
        "שלום עולם",
        "\u200b",
        "a" * 200_000,
        "'; DROP TABLE lanes; --",
        "{x}",
        "{0}",
    ]
    texts += [os.urandom(200).decode("latin-1") for _ in range(5)]
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        for text in texts:
            await u.says(text)
            assert u.seen, repr(text[:20])
        assert not await bot.app.dead_letters()


async def test_survival_of_trouble_itself() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            bot.platforms["web"].fail(UnknownOutcome("reset"), taken=True)
            await u.says("opening hours")

    assert await survives(scenario, pizza(Kitchen()))
