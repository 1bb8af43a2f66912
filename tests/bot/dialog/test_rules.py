"""The rules of durable dialogs, one test at least for each that the scenarios do not prove already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot import AskTimeout, Cancelled, Interrupted, Skill, StepFailed, Turn, step_key
from bot.dialog.journal import load
from bot.errors import StoreUnavailable
from bot.store.contract import Change, Committed
from bot.testing import Bot, User, survives
from tests.scenarios.shopping import Kitchen, pizza

Run = Callable[[Turn], Awaitable[object]]


def skill(run: Run, *, name: str = "broken", says: str = "break now", deadline: float = 5.0) -> Skill:
    """One handler; what it returns counts (turn.again)."""
    made = Skill(name, "Under test.", deadline=deadline)

    @made.intent(says)
    async def go(turn: Turn) -> object:
        return await run(turn)

    return made


async def journal(bot: Bot, user: User) -> list[tuple[str, str, str]]:
    """(key, kind, name) of the foreground frame, as the store has it."""
    rows = await bot.store.read(
        lambda db: db.exec_driver_sql("SELECT state FROM states WHERE conversation = ?", (user.conversation,)).all()
    )
    top = load(rows[0][0]).top
    assert top is not None
    return [(entry.key, entry.kind, entry.name) for entry in top.journal]


async def short(text: str) -> str:
    await asyncio.sleep(0.001 * len(text))
    return text


# --- the journal


async def test_rule_1_three_dialogs_lie_on_each_other_over_any_death() -> None:
    async def asks(turn: Turn) -> None:
        answer = await turn.ask("Bottom?", like=int)
        await turn.say("Bottom is {a}.", a=answer)

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")
            await u.says("book a table for dinner")
            u.sees("Which day?")
            await u.says("i want a pizza")
            u.sees("Which size?")
            await u.says("cancel")
            u.sees("No pizza then.", "Back to my question:", "Which day?")
            await u.says("cancel")
            u.sees("dropped that", "Back to my question:", "Bottom?")
            await u.says("7")
            u.sees("Bottom is 7.")

    assert await survives(scenario, skill(asks), pizza(Kitchen()))


async def test_rules_2_and_3_entries_are_named_by_what_they_are_and_not_by_wording() -> None:
    async def run(turn: Turn) -> None:
        await turn.ask("How many?", like=int)

        async def branch(inner: Turn) -> str:
            return await inner.step(short, "a")

        await turn.gather(branch, branch)
        await turn.ask("And the colour?", key="colour")
        await turn.ask("Sure?", like=bool)

    async with Bot(skill(run)) as bot, bot.user() as u:
        for said in ("break now", "3", "red"):
            await u.says(said)
        assert await journal(bot, u) == [
            ("0", "ask", "int"),
            ("1/0/0", "step", "short"),
            ("1/1/0", "step", "short"),
            ("2", "ask", "colour"),
        ]


async def test_rules_4_and_23_says_may_come_go_and_be_reworded_while_a_dialog_waits() -> None:
    def version(number: int) -> Skill:
        async def run(turn: Turn) -> None:
            await turn.say("Hello.")
            if number == 2:
                await turn.say("New before.")
            await turn.ask("First?" if number == 1 else "The first, please?", like=int)
            if number == 1:
                await turn.say("Old between.")
            await turn.ask("Second?", like=int)
            await turn.say("The end of {n}.", n=number)

        return skill(run)

    async with Bot(version(1)) as bot, bot.user() as u:
        await u.says("break now")
        await u.says("1")
        u.sees("Old between.", "Second?")
        bot.replace_skills(version(2))
        await bot.restart()
        await u.says("2")
        assert u.seen == ["The end of 2."]


async def test_rule_4_each_emission_between_steps_is_made_exactly_once() -> None:
    async def slow() -> None:
        await asyncio.sleep(0.12)

    async def run(turn: Turn) -> None:
        await turn.say("one")
        await turn.remember("x", 1)
        await turn.step(slow)
        await turn.say("two")
        await turn.say("three")
        await turn.step(short, "s")
        await turn.say("four")

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")
            u.sees("one", "two", "three", "four")

    assert await survives(scenario, skill(run))


async def test_rule_5_branches_that_die_half_way_are_no_change_of_code() -> None:
    async def lasts(milliseconds: int) -> int:
        await asyncio.sleep(milliseconds / 1000)
        return milliseconds

    async def run(turn: Turn) -> None:
        # Recorded: the second branch's 1, then the first one's 30; both have a step in flight when death comes.
        async def first(inner: Turn) -> int:
            return await inner.step(lasts, 30) + await inner.step(lasts, 60)

        async def second(inner: Turn) -> int:
            return await inner.step(lasts, 1) + await inner.step(lasts, 100)

        await turn.say("{both}", both=str(await turn.gather(first, second)))

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")
            u.sees("[90, 101]")

    assert await survives(scenario, skill(run))


async def test_rule_5_a_question_that_is_gone_is_a_change_of_code() -> None:
    charged: list[int] = []

    async def charge() -> None:
        charged.append(1)

    def version(number: int) -> Skill:
        async def run(turn: Turn) -> None:
            if number == 1:
                await turn.ask("May I?", like=bool)
            await turn.say("New words.")
            await turn.step(charge)

        return skill(run)

    async with Bot(version(1)) as bot, bot.user() as u:
        await u.says("break now")
        bot.replace_skills(version(2))
        await bot.restart()
        await u.says("yes")
        # The new code runs from its own beginning: not as if its words had been said and its step were a replay.
        u.sees("New words.")
        assert charged == [1]


async def test_rule_6_a_commit_that_fails_drops_the_run_and_costs_nothing() -> None:
    calls: list[str] = []

    async def charge() -> str:
        calls.append(step_key.get())
        return "paid"

    async def run(turn: Turn) -> None:
        try:
            paid = await turn.step(charge)
        except Exception:
            paid = "not"
        await turn.say("{paid}", paid=paid)

    async with Bot(skill(run)) as bot, bot.user() as u:
        refusals(bot, 2)
        await u.says("break now")
        assert u.seen == ["paid"]
        assert len(set(calls)) == 1


def refusals(bot: Bot, number: int) -> None:
    """The store refuses the next commits, so many of them."""
    real = bot.store.store.commit
    left = [number]

    async def commit(change: Change) -> Committed:
        if left[0]:
            left[0] -= 1
            raise StoreUnavailable("full")
        return await real(change)

    bot.store.store.commit = commit  # type: ignore[method-assign]  # a store that is full for a while


async def test_a_store_that_is_away_costs_the_message_no_attempt() -> None:
    async def run(turn: Turn) -> None:
        await turn.say("Here I am.")

    async with Bot(skill(run)) as bot, bot.user() as u:
        refusals(bot, 8)
        await u.says("break now")
        assert u.seen == ["Here I am."]
        assert not await bot.app.dead_letters()


# --- steps


async def test_rule_7_steps_side_by_side_take_their_keys_when_they_are_called() -> None:
    async def run(turn: Turn) -> None:
        a, b, c = await asyncio.gather(turn.step(short, "aaaa"), turn.step(short, "b"), turn.step(short, "cc"))
        await turn.say("{a} {b} {c}", a=a, b=b, c=c)

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")
            u.sees("aaaa b cc")

    assert await survives(scenario, skill(run))


async def test_rule_8_a_step_that_is_cut_off_runs_again_with_the_same_key() -> None:
    keys: list[str] = []
    bots: list[Bot] = []

    async def charge() -> str:
        keys.append(step_key.get())
        if len(keys) == 1:
            bots[0].pulse.dead = True
            await asyncio.get_running_loop().create_future()
        return "paid"

    async def run(turn: Turn) -> None:
        await turn.say("{paid}", paid=await turn.step(charge))

    async with Bot(skill(run)) as bot, bot.user() as u:
        bots.append(bot)
        await u.says("break now")
        u.sees("paid")
        assert len(keys) == 2
        assert keys[0] == keys[1]


async def test_rule_8_at_most_once_is_interrupted_and_never_repeated() -> None:
    calls: list[int] = []
    bots: list[Bot] = []

    async def charge() -> str:
        calls.append(1)
        bots[0].pulse.dead = True
        await asyncio.get_running_loop().create_future()
        return "paid"

    async def run(turn: Turn) -> None:
        await turn.say("Paying.")
        try:
            await turn.step(charge, at_most_once=True)
        except Interrupted:
            await turn.say("Unknown.")
        await turn.ask("Well?")
        await turn.say("Bye.")

    async with Bot(skill(run)) as bot, bot.user() as u:
        bots.append(bot)
        await u.says("break now")
        u.sees("Paying.", "Unknown.", "Well?")
        await bot.restart()
        await u.says("ok")
        assert u.seen == ["Bye."]
        assert calls == [1]


async def test_rule_8_at_most_once_beside_other_steps_leaves_no_reply_out() -> None:
    async def run(turn: Turn) -> None:
        await turn.say("before")
        paid = asyncio.ensure_future(turn.step(short, "aaaaa", at_most_once=True))
        await asyncio.sleep(0.003)
        await turn.say("during")
        await paid
        await turn.say("after")

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        assert u.seen == ["before", "during", "after"]


async def test_rule_8_no_two_conversations_share_a_key_or_an_id() -> None:
    keys: list[str] = []

    async def charge(id: str) -> None:
        keys.extend((step_key.get(), id))

    async def run(turn: Turn) -> None:
        await turn.step(charge, turn.uuid())

    async with Bot(skill(run)) as bot:
        for name in ("ann", "bob"):
            async with bot.user(name) as u:
                await u.says("break now")
                # The whole of the conversation's id: 32 bits of it would meet by chance among 100,000 of them.
                assert u.conversation in keys[-2]
        assert len(set(keys)) == 4


async def test_rule_9_a_failed_step_fails_alike_when_it_is_replayed() -> None:
    tries: list[int] = []

    async def fails() -> str:
        tries.append(1)
        raise LookupError("gone \udcff")  # a file's name may hold such a thing

    async def run(turn: Turn) -> None:
        try:
            way = await turn.step(fails, retries=0)
        except LookupError:
            way = "lookup"
        except StepFailed as problem:
            way = problem.name.rpartition(".")[2]
        await turn.ask("Way {way}?", way=way)
        await turn.say("Still {way}.", way=way)

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Way fails?")
        await bot.restart()
        await u.says("ok")
        u.sees("Still fails.")
        assert tries == [1]


async def test_rule_12_a_streamed_text_is_one_step_and_one_reply() -> None:
    made: list[int] = []

    async def chunks() -> AsyncIterator[str]:
        made.append(1)
        for word in ("Once ", "upon ", "a time."):
            yield word

    async def run(turn: Turn) -> None:
        text = await turn.stream(chunks())
        await turn.ask("More after {n}?", n=len(text))
        await turn.say("The end.")

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        assert u.seen == ["Once upon a time.", "More after 17?"]
        assert [text for _, text in bot.platforms["web"].drafts][-1] == "Once upon a time."
        await bot.restart()
        await u.says("no")
        assert u.seen == ["The end."]
        assert made == [1]


# --- concurrency


@pytest.mark.parametrize("what", ["ask", "say", "gather", "hand_off"])
async def test_rule_13_branches_have_steps_only(what: str) -> None:
    async def branch(turn: Turn) -> None:
        match what:
            case "ask":
                await turn.ask("In here?")
            case "say":
                await turn.say("In here.")
            case "gather":
                await turn.gather(branch)
            case _:
                await turn.hand_off()

    async def run(turn: Turn) -> None:
        await turn.gather(branch, branch)

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong")
        u.does_not_see("In here")
        assert "only turn.step" in (await bot.app.dead_letters())[0].error


async def test_rule_13_ids_and_chance_of_branches_are_their_own() -> None:
    seen: dict[str, set[str]] = {}

    async def note(who: str, what: str) -> str:
        seen.setdefault(who, set()).add(what)
        return who

    async def run(turn: Turn) -> None:
        async def branch(inner: Turn, name: str, first: str) -> None:
            await inner.step(short, first)
            await inner.step(note, f"{name} id", inner.uuid())
            await inner.step(note, f"{name} chance", str(inner.random.random()))
            await inner.step(short, "xx")

        await turn.gather(lambda t: branch(t, "slow", "aaaaaa"), lambda t: branch(t, "quick", "b"))
        await turn.say("done")

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")

    assert await survives(scenario, skill(run))
    ids = [seen["slow id"], seen["quick id"], seen["slow chance"], seen["quick chance"]]
    assert all(len(values) == 1 for values in ids), ids
    assert seen["slow id"] != seen["quick id"]


# --- control flow


async def test_rule_15_cancel_passes_except_exception_and_lets_the_undo_run() -> None:
    undone: list[int] = []

    async def undo() -> None:
        undone.append(1)

    async def run(turn: Turn) -> None:
        try:
            try:
                await turn.ask("Go on?")
            except Exception:
                await turn.say("wrong way")
        except Cancelled:
            await turn.step(undo)
            try:
                await turn.ask("Really?")
            except Cancelled:
                await turn.say("Undone.")
            raise

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        await bot.restart()
        await u.says("cancel")
        assert u.seen == ["Undone."]
        assert undone == [1]


async def test_rule_15_a_cancel_that_undoes_in_silence_is_confirmed_once_over_any_death() -> None:
    async def run(turn: Turn) -> None:
        try:
            await turn.ask("Go on?")
        except Cancelled:
            await turn.step(short, "undo")

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")
            await u.says("cancel")
            u.sees("dropped that")

    assert await survives(scenario, skill(run))


async def test_rule_16_being_taken_out_of_memory_undoes_nothing() -> None:
    undone: list[int] = []

    async def undo() -> None:
        undone.append(1)

    async def run(turn: Turn) -> None:
        try:
            await turn.ask("Go on?")
        finally:
            await turn.step(undo)
        await turn.say("Done.")

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        await bot.restart()
        bot.app.answering._dialogs.drop(u.conversation)
        await bot.settle()
        assert undone == []
        await u.says("ok")
        u.sees("Done.")
        assert undone == [1]


@pytest.mark.parametrize("call", ["step", "say", "ask"])
async def test_rule_17_a_loop_that_swallows_everything_does_not_spin(call: str) -> None:
    loops: list[int] = []
    over: list[int] = []

    async def never() -> None:
        await asyncio.get_running_loop().create_future()

    async def run(turn: Turn) -> None:
        while not over and len(loops) < 10_000:
            loops.append(1)
            try:
                await turn.step(never)
                await turn.say("on and on")
            except BaseException:  # noqa: S112 - what a careless author writes
                continue

    async def other(turn: Turn) -> None:
        await turn.step(never)
        while not over and len(loops) < 10_000:
            loops.append(1)
            try:
                await (turn.say("x") if call == "say" else turn.ask("y"))
            except BaseException:  # noqa: S112 - what a careless author writes
                continue

    async with Bot(skill(run if call == "step" else other, deadline=0.1), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong")
        await u.says("opening hours")
        u.sees("At ten.")
        over.append(1)
        assert len(loops) < 10


async def test_rule_18_an_answer_and_the_end_of_its_time_meet() -> None:
    async def run(turn: Turn) -> None:
        for number in range(3):
            try:
                answer = await turn.ask("Question {n}?", n=number, timeout=60)
            except AskTimeout:
                answer = "late"
            await turn.say("{n}: {a}", n=number, a=answer)

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")
            bot.clock.move(bot.clock.now() + 59.9)
            await u.says("just in time")  # settling lets the old alarm, and no other, come due
            await bot.advance(30)
            await u.says("second")
            await bot.advance(61)

    async with Bot(skill(run)) as bot, bot.user() as u:
        await scenario(bot)
        assert [text for text in u.all_seen if "?" not in text] == ["0: just in time", "1: second", "2: late"]


async def test_rule_19_an_id_from_before_stays_the_same_after_going_back() -> None:
    ids: list[str] = []

    async def use(id: str) -> None:
        ids.append(id)

    async def run(turn: Turn) -> None:
        id = turn.uuid()
        await turn.step(use, id)
        await turn.ask("A?")
        await turn.ask("B?")
        await turn.step(use, id)

    async with Bot(skill(run)) as bot, bot.user() as u:
        for said in ("break now", "a", "back", "a", "b"):
            await u.says(said)
        assert len(ids) == 2
        assert ids[0] == ids[1]


async def test_rule_20_depth_is_three_and_a_handler_lies_there_once() -> None:
    skills = []
    for number in range(1, 5):

        async def run(turn: Turn, number: int = number) -> None:
            await turn.ask("Number for {n}?", n=number, like=int)

        skills.append(
            skill(run, name=f"s{number}", says=["alpha beta", "gamma delta", "epsilon zeta", "eta theta"][number - 1])
        )
    async with Bot(*skills) as bot, bot.user() as u:
        await u.says("alpha beta")
        await u.says("gamma delta")
        await u.says("alpha beta")
        u.sees("didn't get that", "Number for 2?")
        await u.says("epsilon zeta")
        u.sees("Number for 3?")
        await u.says("eta theta")
        u.sees("didn't get that", "Number for 3?")


async def test_rule_20_the_ways_out_of_a_question_are_still_there_after_a_restart() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("pizza")
        for _ in range(3):
            await u.says("qwertz asdf")
        await bot.restart()
        await u.presses("Never mind")
        u.sees("No pizza then.")


async def test_rule_21_a_handler_that_begins_again_at_once_repeats_no_key() -> None:
    keys: list[str] = []

    async def note(id: str) -> None:
        keys.extend((step_key.get(), id))

    async def run(turn: Turn) -> object:
        number = int(turn.slot("k") or 0)
        await turn.step(note, turn.uuid())
        await turn.say("Round {n}.", n=number)
        return turn.again({"k": str(number + 1)}) if number < 2 else None

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("break now")
            u.sees("Round 0.", "Round 1.", "Round 2.")

    assert await survives(scenario, skill(run))
    assert len(set(keys)) == 6


async def test_rule_21_beginning_again_for_ever_is_a_fault() -> None:
    async def run(turn: Turn) -> object:
        return turn.again()

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong")
        assert "began again" in (await bot.app.dead_letters())[0].error


async def test_rule_21_a_journal_without_end_is_a_fault() -> None:
    async def run(turn: Turn) -> None:
        for _ in range(501):
            await turn.recall("x")

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong")
        assert "over 500 entries" in (await bot.app.dead_letters())[0].error


async def test_rule_21_an_answer_that_is_one_too_many_is_told_at_once() -> None:
    async def run(turn: Turn) -> None:
        for _ in range(500):
            await turn.recall("x")
        await turn.ask("More?")

    async with Bot(skill(run)) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("More?")
        began = bot.clock.now()
        await u.says("ok")
        u.sees("Something went wrong")
        assert bot.clock.now() - began < 5


async def test_rule_22_time_chance_and_ids_are_the_same_on_every_replay() -> None:
    async def run(turn: Turn) -> None:
        first = f"{turn.now()} {turn.random.random()} {turn.uuid()}"
        await turn.ask("{first} A?", first=first)
        second = f"{turn.now()} {turn.random.random()} {turn.uuid()}"
        await turn.ask("{second} B?", second=second)
        await turn.say("{first} and {second}", first=first, second=second)

    async with Bot(skill(run)) as bot, bot.user() as u:
        asked = []
        for said in ("break now", "a"):
            await u.says(said)
            asked.append(u.seen[0][:-3])
            bot.clock.move(bot.clock.now() + 100)
            await bot.restart()  # with another seed
        await u.says("b")
        assert u.seen == [" and ".join(asked)]
        assert asked[0] != asked[1]


# --- deploys


async def test_rule_24_what_was_said_of_a_change_holds_for_the_whole_dialog() -> None:
    def version(number: int) -> Skill:
        async def run(turn: Turn) -> None:
            for at in range(4):
                if number == 2:
                    await turn.say("{kind} {at}", kind="new" if await turn.changed("x") else "old", at=at)
                await turn.ask("Question {at}?", at=at)

        return skill(run)

    async with Bot(version(1)) as bot, bot.user() as u, bot.user("new") as late:
        await u.says("break now")
        bot.replace_skills(version(2))
        await bot.restart()
        await u.says("a")
        u.sees("old 1", "Question 1?")
        await u.says("b")
        u.sees("old 2")
        await bot.restart()
        await u.says("c")
        u.sees("old 3", "Question 3?")
        await late.says("break now")
        late.sees("new 0")
        await bot.restart()
        await late.says("a")
        late.sees("new 1")
