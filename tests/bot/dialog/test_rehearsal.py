"""A dry run of waiting dialogs: what it finds, and that it does nothing."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot import Skill, Turn
from bot.dialog.rehearsal import Rehearsed
from bot.errors import StoreUnavailable
from bot.messages import Text
from bot.store.sqlite import SqliteStore
from bot.testing import Bot, survives

Body = Callable[[Turn], Awaitable[None]]
APOLOGY = "is handed to a person with an apology"
BACK = "goes back to the last point that fits and asks from there"


def skill(body: Body, name: str = "tea") -> Skill:
    made = Skill(name, "Under test.")

    @made.intent("make some tea")
    async def go(turn: Turn) -> None:
        await body(turn)

    return made


class Kettle:
    """Counts what is done to the world."""

    def __init__(self) -> None:
        self.boiled = 0

    async def boil(self) -> int:
        self.boiled += 1
        return self.boiled


async def waits(turn: Turn) -> None:
    await turn.say("Tea, fine.")
    await turn.ask("How many cups?", like=int)
    await turn.ask("Sugar?", like=bool)
    await turn.say("Here you are.")


async def rehearsed(before: Body, after: Skill, *, says: tuple[str, ...] = ("make some tea", "2")) -> Rehearsed:
    """What is found when `before` waits and `after` is to be deployed; the store is the same afterwards."""
    async with Bot(skill(before)) as bot, bot.user() as u:
        for said in says:
            await u.says(said)
        bot.replace_skills(after)
        await bot.restart()
        state, writes, seen = await bot.store.states(), bot.store.writes, u.all_seen
        found = await bot.app.rehearse()
        await bot.settle()
        assert (await bot.store.states(), bot.store.writes, u.all_seen) == (state, writes, seen)
        assert found.count == 1
        return found


async def test_a_dialog_that_fits_goes_on_whatever_is_said_around_it() -> None:
    async def reworded(turn: Turn) -> None:
        await turn.say("Tea it is.")
        await turn.ask("Cups, please?", like=int)
        await turn.say("New between.")
        await turn.ask("With sugar?", like=bool)

    found = await rehearsed(waits, skill(reworded))
    assert str(found) == "1 waiting dialogs: 1 go on where they are, 0 would not."


async def test_a_changed_question_goes_back() -> None:
    async def changed(turn: Turn) -> None:
        await turn.ask("How many cups?", like=int)
        await turn.ask("Which milk?", key="milk")

    (finding,) = (await rehearsed(waits, skill(changed))).findings
    assert (finding.handler, finding.fate) == ("tea.go", BACK)
    assert "was asked bool, now milk" in finding.why


async def test_a_handler_that_ends_or_fails_before_its_question_is_found() -> None:
    async def ends(turn: Turn) -> None:
        await turn.ask("How many cups?", like=int)

    async def fails(turn: Turn) -> None:
        await turn.ask("How many cups?", like=int)
        raise LookupError("no sugar")

    (ended,) = (await rehearsed(waits, skill(ends))).findings
    assert ("ended before it asked bool" in ended.why, ended.fate) == (True, BACK)
    (failed,) = (await rehearsed(waits, skill(fails))).findings
    assert (failed.why, failed.fate) == ("it raises LookupError: no sugar", APOLOGY)


async def test_with_an_effect_behind_the_change_it_goes_to_a_person() -> None:
    kettle = Kettle()

    async def boils(turn: Turn) -> None:
        await turn.ask("How many cups?", like=int)
        await turn.step(kettle.boil)
        await turn.ask("Sugar?", like=bool)

    async def changed(turn: Turn) -> None:
        await turn.ask("Which cup?", key="cup")
        await turn.step(kettle.boil)
        await turn.ask("Sugar?", like=bool)

    (finding,) = (await rehearsed(boils, skill(changed))).findings
    assert finding.fate == APOLOGY
    assert kettle.boiled == 1


async def test_a_skill_that_is_gone_is_found() -> None:
    (finding,) = (await rehearsed(waits, skill(waits, name="coffee"))).findings
    assert (finding.handler, finding.why, finding.fate) == ("tea.go", "the handler is gone", APOLOGY)
    assert str(finding).startswith(f"{finding.conversation}  tea.go  the handler is gone; it is handed")


async def test_no_step_is_run_where_a_new_one_is_in_the_way() -> None:
    kettle = Kettle()

    async def first(turn: Turn) -> None:
        await turn.ask("How many cups?", like=int)
        await turn.step(kettle.boil)
        await turn.gather()
        await turn.ask("Sugar?", like=bool)

    async def boil(turn: Turn) -> int:
        return await turn.step(kettle.boil)

    def then(after: str) -> Body:
        async def body(turn: Turn) -> None:
            await turn.ask("How many cups?", like=int)
            await turn.step(kettle.boil)
            if after == "gather":
                await turn.gather(boil)
            else:
                await turn.gather()
                await turn.step(kettle.boil)
            await turn.ask("Sugar?", like=bool)

        return body

    for after, fate in (("gather", "runs this step before its question"), ("step", BACK)):
        kettle.boiled = 0
        (finding,) = (await rehearsed(first, skill(then(after)))).findings
        assert finding.fate == fate
        assert "step Kettle.boil" in finding.why
        assert kettle.boiled == 1, "once, when the dialog was alive"


async def test_a_changed_handler_is_hinted_at_and_an_unchanged_one_is_not() -> None:
    def of(number: int) -> Skill:
        made = Skill("tea", "Under test.")
        if number == 1:

            @made.intent("make some tea")
            async def go(turn: Turn) -> None:
                await turn.ask("How many cups?", like=int)

        else:

            @made.intent("make some tea")
            async def go(turn: Turn) -> None:
                await turn.ask("Which milk?", key="milk")

        return made

    async with Bot(of(1)) as bot, bot.user() as u:
        await u.says("make some tea")
        bot.replace_skills(of(2))
        await bot.restart()
        assert (await bot.app.rehearse()).findings[0].why.endswith("(its source changed)")

    async def changed(turn: Turn) -> None:
        await turn.ask("Which milk?", key="milk")

    (finding,) = (await rehearsed(waits, skill(changed))).findings
    assert "its source changed" not in finding.why, "the change is in what the handler calls"


async def test_a_store_is_looked_at_beside_the_bot_that_has_it(tmp_path: Path) -> None:
    async with Bot(skill(waits)) as bot, bot.user() as u:
        await u.says("make some tea")
        beside = SqliteStore(bot.home / "frontdesk.db", looks_only=True)
        await beside.start()
        try:
            assert await beside.states() == await bot.store.states() != []
            with pytest.raises(StoreUnavailable):
                await beside.write(lambda _: None)
        finally:
            await beside.stop()
        await u.says("2")
        u.sees("Sugar?")


# --- the strict mode of survives


@pytest.mark.parametrize("clean", [True, False])
async def test_strict_survival_catches_arguments_that_nobody_sees(clean: bool) -> None:
    async def note(number: float) -> None: ...

    async def run(turn: Turn) -> None:
        await turn.ask("How many cups?", like=int)
        await turn.step(note, turn.random.random() if clean else random.random())
        await turn.say("Noted.")

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("make some tea")
            await u.does(Text(text="2"))
            u.sees("Noted.")

    assert await survives(scenario, skill(run))
    if clean:
        assert await survives(scenario, skill(run), strict=True)
    else:
        with pytest.raises(AssertionError, match=r"steps were given something else when .*note at 1 of tea\.go"):
            await survives(scenario, skill(run), strict=True)
