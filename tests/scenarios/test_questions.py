"""Questions: answered, cancelled, gone back, left and picked up again, over deaths of the bot."""

from __future__ import annotations

import pytest

from bot.testing import Bot, survives
from tests.scenarios.shopping import Kitchen, pizza


async def test_a_question_is_answered_by_press_and_number() -> None:
    kitchen = Kitchen()
    async with Bot(pizza(kitchen)) as bot, bot.user() as u:
        await u.says("I want a pizza")
        u.sees("Good choice.", "Which size?", "[ Small ]", "[ Large ]")
        await u.presses("Large")
        u.sees("How many?")
        await u.says("two")
        u.sees("Shall I bring 2 Large?")
        await u.says("yes please")
        u.sees("Here: 2 Large pizza.")
        assert kitchen.baked == ["2 Large"]


@pytest.mark.parametrize("answer", ["2", "2)", "second", "the large one", "LARGE", "lareg", "Large please"])
@pytest.mark.parametrize("channel", ["web", "sms"])
async def test_a_choice_arrives_however_it_is_said(answer: str, channel: str) -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user(channel=channel) as u:
        await u.says("pizza")
        await bot.restart()
        await u.says(answer)
        u.sees("How many?")


async def test_it_survives_death_anywhere() -> None:
    kitchen = Kitchen()

    async def scenario(bot: Bot) -> None:
        kitchen.baked.clear()
        async with bot.user(channel="sms") as u:
            await u.says("I want a pizza")
            await u.says("2")
            await u.says("opening hours")
            await u.says("three")
            await u.says("yes")
            assert kitchen.baked[0] == "3 Large"
            assert len(kitchen.baked) <= 2  # a step that was cut off may run again, one that finished may not

    assert await survives(scenario, pizza(kitchen)) > 40


async def test_cancel_lets_the_handler_clean_up() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("pizza")
            await u.presses("Small")
            await u.says("never mind")
            u.sees("No pizza then.")
            await u.says("cancel")
            u.sees("nothing to cancel")

    assert await survives(scenario, pizza(Kitchen()))


async def test_back_asks_the_last_question_again_but_never_past_an_effect() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("pizza")
            await u.presses("Small")
            await u.says("go back")
            u.sees("Which size?", "[ Small ]")
            await u.presses("Large")
            await u.says("1")
            u.sees("Shall I bring 1 Large?")
            await u.says("back")
            u.sees("already done", "Shall I bring 1 Large?")
            await u.says("no")
            u.sees("I'll keep them warm.")

    assert await survives(scenario, pizza(Kitchen()))


async def test_help_inside_a_question_costs_no_attempt() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("pizza")
        for _ in range(4):
            await u.says("help")
            u.sees("Small feeds one.", "talk to a person", "Which size?")
            u.does_not_see("Shall I get a person")


async def test_answers_that_do_not_fit_get_growing_help_and_then_a_person() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("pizza")
        await u.says("qwertz")
        u.sees("didn't get that", "Which size?", "[ Small ]")
        u.does_not_see("Small feeds one")
        await u.says("asdf gh")
        u.sees("Small feeds one.", "Which size?")
        await u.says("blurb")
        u.sees("Shall I get a person", "Which size?", "[ Small ]", "[ Talk to a person ]", "[ Never mind ]")
        await bot.restart()
        await u.says("small")
        u.sees("How many?")
        await u.says("lots")
        u.sees("didn't get that", "How many?")
        await u.says("lots")
        u.sees("a whole number, such as 3")
        await u.says("lots")
        await u.presses("Talk to a person")
        u.sees("passed this on to our team")
        assert "pizza" in bot.desk.ticket.case.reason


async def test_another_request_is_answered_and_the_question_picked_up_again() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user(channel="sms") as u:
        await u.says("pizza")
        await u.says("What are your opening hours?")
        u.sees("At ten.", "Back to my question:", "Which size?", "1) Small")
        await u.says("1")
        u.sees("How many?")


async def test_a_dialog_on_top_of_a_dialog() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="sms") as u:
            await u.says("pizza")
            await u.says("book a table for dinner")
            u.sees("Which day?")
            await u.says("2027-02-03")
            await u.says("Zoe *Star*")
            await u.says("12.50")
            u.sees("Zoe *Star*, 2027-02-03, 12.50.", "Back to my question:", "Which size?")
            await u.says("large")
            u.sees("How many?")

    assert await survives(scenario, pizza(Kitchen()))


async def test_an_old_button_gets_a_kind_answer_and_no_second_action() -> None:
    kitchen = Kitchen()
    async with Bot(pizza(kitchen)) as bot, bot.user() as u:
        await u.says("pizza")
        await u.presses("Large")
        await u.presses("Small")
        u.sees("already settled", "How many?")
        await u.says("1")
        await u.says("yes")
        u.sees("Here: 1 Large pizza.")
        await u.presses("Small")
        u.sees("already settled")
        assert kitchen.baked == ["1 Large"]


async def test_suggestions_after_the_end_are_new_requests() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user(channel="sms") as u:
        for said in ("pizza", "1", "1", "yes"):
            await u.says(said)
        u.sees("Here: 1 Small pizza.", "1) Opening hours", "2) More")
        await bot.restart()
        await u.says("2")
        u.sees("More it is. You said /pizza.")
        await u.says("1")
        u.does_not_see("At ten.")  # the list was answered: its numbers mean nothing any more


async def test_a_question_runs_out_of_time() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("quick question for you")
            u.sees("Quick: yes or no?")
            await bot.advance(30)
            u.does_not_see("Too slow.")
            await bot.advance(40)
            u.sees("Too slow.")

    assert await survives(scenario, pizza(Kitchen()))


async def test_an_answer_in_time_stops_the_clock() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("quick question for you")
        await u.says("y")
        u.sees("Quick indeed.")
        await bot.advance(100)
        u.does_not_see("Too slow.")
