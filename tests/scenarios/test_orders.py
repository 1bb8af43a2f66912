"""Order tracking as customers meet it, on a channel with buttons and on one without: what a good clerk would say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest

from adapters.orders.seed import seeded_stock
from bot.messages import Sender, Text
from bot.testing import Bot, User, survives

PLUGINS = ("adapters.orders", "skills.orders")
SAM = "sam.rivers@example.com"
CODE = "123456"
PENDING, SENT, DELIVERED, SECOND_DELIVERED = "#W1000159", "#W1000145", "#W1000137", "#W1000118"
VOUCHED = Sender(id="sam", phone="+12125550100", verified=True)

both = pytest.mark.parametrize("channel", ["web", "sms"])


@asynccontextmanager
async def shop(channel: str = "web") -> AsyncIterator[tuple[Bot, User]]:
    """A stranger in front of the bot."""
    async with Bot(*PLUGINS) as bot, bot.user(channel=channel) as user:
        yield bot, user


async def says(user: User, *lines: str) -> None:
    """Several messages, one after the other."""
    for line in lines:
        await user.says(line)


async def sam(user: User, *lines: str) -> None:
    """Messages from Sam, for whom the channel vouches."""
    for line in lines:
        await user.does(Text(text=line), sender=VOUCHED)


async def picks(user: User, label: str) -> None:
    """Press a button where there are buttons; where there are none, send the number in front of the label."""
    if user.channel != "sms":
        await user.presses(label)
        return
    listed = [line for text in user.seen for line in text.splitlines() if line.endswith(f") {label}")]
    assert listed, f"no {label!r} in:\n{user.transcript}"
    await user.says(listed[-1].partition(")")[0])


# --- finding


@both
async def test_found_by_number_after_a_code(channel: str) -> None:
    async with shop(channel) as (_, user):
        await user.says("where is my order 1000145")
        user.sees("need to know that it's you")
        user.does_not_see("1000145", "Rain Jacket")
        await user.says(SAM)
        user.sees(f"6-digit code to {SAM}", "if it belongs to an account here")
        await user.says(CODE)
        user.sees(
            SENT, "on its way with FedEx", "should arrive", "Tracking number: ", "In it: Phone Charger (45 W, black)"
        )


@both
@pytest.mark.parametrize("who", [SAM, "+1 212 555 0100", "my number is (212) 555-0100", "it's Sam.Rivers@Example.com"])
async def test_found_by_phone_or_email_after_a_code(channel: str, who: str) -> None:
    async with shop(channel) as (_, user):
        await says(user, "where is my order", who)
        user.sees("6-digit code")
        user.does_not_see("Sam Rivers", "#W")
        await user.says("the code is one two three four five six")
        user.sees(PENDING, "being prepared", SENT, "on its way")


@both
async def test_another_code_and_another_address_can_be_had(channel: str) -> None:
    async with shop(channel) as (_, user):
        await says(user, "list my orders", "san.rivers@example.com", "654321")
        user.sees("doesn't match")
        await picks(user, "Use another address")
        user.sees("What is your e-mail address or phone number")
        await user.says(SAM)
        await picks(user, "Send a new code")
        user.sees("6-digit code")
        await user.says(CODE)
        user.sees("Your last orders")


@both
async def test_recent_orders_are_listed_and_one_is_picked(channel: str) -> None:
    async with shop(channel) as (bot, user):
        await sam(user, "what are my orders?")
        user.sees("Your last orders:", PENDING, "pending", SENT, "on its way", DELIVERED, "delivered")
        await bot.restart()
        await picks(user, f"Where is {SENT}?")
        user.sees(SENT, "on its way", "Tracking number: ")
        user.does_not_see(PENDING)


@both
async def test_where_is_it_and_when_does_it_come(channel: str) -> None:
    async with shop(channel) as (_, user):
        await sam(user, "when does order 1000159 come?")
        user.sees(PENDING, "hasn't been sent yet", "should reach you on ")
        await sam(user, f"has order {DELIVERED} shipped yet")
        user.sees(DELIVERED, "was delivered by USPS on ", "Tracking number: ")
        await sam(user, "where is the rain jacket I ordered")
        user.sees(SENT, "on its way")
        user.does_not_see(PENDING)


# --- numbers


@both
async def test_an_order_of_somebody_else_and_no_order_are_answered_alike(channel: str) -> None:
    numbers = {order.number for order in seeded_stock(date(2025, 3, 12)).orders}
    other = next(number for number in sorted(numbers) if number > "#W1040000")
    free = next(f"#W{number}" for number in range(1040000, 1050000) if f"#W{number}" not in numbers)
    seen = []
    for number in (other, free):
        async with shop(channel) as (_, user):
            for wish in ("where is {}", "cancel", "cancel order {}", "cancel", "return order {}"):
                await sam(user, wish.format(number))
            await says(user, "cancel", f"order {number} arrived broken")
            seen.append(user.transcript.replace(number[1:], "NUMBER"))
    assert seen[0] == seen[1]
    assert seen[0].count("can't find order NUMBER under your account") == 4


async def test_a_stranger_hears_the_same_about_any_number() -> None:
    seen = []
    for number in (SENT, "#W9999999"):
        async with shop() as (_, user):
            await user.says(f"where is {number}")
            seen.append(user.transcript)
    assert seen[0] == seen[1]


@both
async def test_a_wrong_number_is_asked_for_again_and_then_a_person_looks(channel: str) -> None:
    async with shop(channel) as (bot, user):
        await sam(user, "where is order 5550001")
        user.sees("can't find order 5550001", "check the number, or pick one of your orders", PENDING)
        await picks(user, f"{SENT}: Phone Charger and 1 more")
        user.sees(SENT, "on its way")
        await sam(user, "where is order 5550001", "5550002", "5550003")
        user.sees("somebody who can look further", "passed this on to our team")
        assert bot.desk.ticket.case.facts == {
            "Customer": "Sam Rivers (confirmed by the channel)",
            "E-mail": SAM,
            "Numbers tried": "5550001, 5550002, 5550003",
        }


@both
async def test_a_typo_offers_the_order_that_was_meant(channel: str) -> None:
    async with shop(channel) as (_, user):
        await sam(user, "where is 1000173")
        user.sees("can't find order 1000173", "Did you mean this one?")
        await user.says("yes")
        user.sees(DELIVERED, "was delivered")
        await sam(user, "and 1000154?")
        user.sees("Did you mean one of these?", PENDING, SENT)
        user.does_not_see(DELIVERED)


@pytest.mark.parametrize(
    "words",
    [
        "tell me about order one zero zero zero one four five",
        "where is order one double zero zero one four five",
        "wher is my oder W1000145",
        "#W1000145",
        "and 1000145?",
    ],
)
async def test_a_number_however_it_is_written(words: str) -> None:
    async with shop("sms") as (_, user):
        await sam(user, words)
        user.sees(SENT, "on its way")
        user.does_not_see(PENDING)


@both
async def test_two_orders_in_one_message_are_both_answered(channel: str) -> None:
    async with shop(channel) as (_, user):
        await sam(user, "where are 1000145 and 1000159?")
        user.sees(SENT, "on its way", PENDING, "being prepared")
        await sam(user, "where are 1000145 and 7777777")
        user.sees("can't find order 7777777")
        await user.says("1000137")
        user.sees(SENT, DELIVERED)


async def test_it_is_the_order_that_was_talked_about() -> None:
    async with shop() as (_, user):
        await sam(user, "where is 1000145", "when will it be delivered?")
        user.sees(SENT, "should arrive")
        user.does_not_see(PENDING)
        await sam(user, "cancel it")
        user.sees(SENT, "already packed or on its way, so it can't be cancelled")
        await sam(user, "where is 1000159", "cancel it")
        user.sees(f"Why would you like to cancel order {PENDING}?")
        await sam(user, "cancel", "cancel")
        user.sees("nothing to cancel")
        await sam(user, "it arrived broken")
        user.sees("Which order is it about?")
        user.does_not_see(PENDING)


# --- changing


@both
async def test_cancelled_before_it_ships_after_a_clear_yes(channel: str) -> None:
    async with shop(channel) as (bot, user):
        await sam(user, "please cancel my order")
        user.sees(f"Why would you like to cancel order {PENDING}?")
        await picks(user, "No longer needed")
        user.sees(
            f"I would cancel order {PENDING}", "goes back to your Visa", "5 to 7 business days", "Shall I do that?"
        )
        await bot.restart()
        await picks(user, "Yes, cancel it")
        user.sees(f"Done: order {PENDING} is cancelled", "goes back to your Visa")
        await sam(user, "where is 1000159")
        user.sees("was cancelled (no longer needed)", "was refunded to your Visa")


async def test_a_button_pressed_twice_cancels_once() -> None:
    async with shop() as (_, user):
        await sam(user, "cancel order 1000159, it was a mistake")
        await user.presses("Yes, cancel it")
        user.sees("Done: ")
        await user.presses("Yes, cancel it")
        user.sees("already settled")
        user.does_not_see("Done", "Shall I")


@both
async def test_a_no_changes_nothing(channel: str) -> None:
    async with shop(channel) as (_, user):
        await sam(user, "cancel order 1000159, I don't need it any more")
        await user.says("no")
        user.sees("left everything as it was")
        await sam(user, "where is 1000159")
        user.sees("being prepared")


@both
async def test_sent_elsewhere_before_it_ships(channel: str) -> None:
    async with shop(channel) as (_, user):
        await sam(user, "change the address of my order", "5 Elm Street, Boston")
        user.sees("I need street, city, state and postcode")
        await user.says("5 Elm Street, Boston, MA 02110")
        user.sees(f"I would send order {PENDING} to 5 Elm Street, Boston, MA 02110, USA instead of 12 Harbor Street")
        await picks(user, "Yes, send it there")
        user.sees(f"Done: order {PENDING} will go to 5 Elm Street", "also use that address")
        await picks(user, "No, thanks")
        user.sees("stays as it is")
        await sam(user, "change the address of 1000145")
        user.sees("already packed or on its way", "Talk to a person")


@both
async def test_returned_by_the_rules_with_the_money_spelled_out(channel: str) -> None:
    async with shop(channel) as (_, user):
        await sam(user, "return order 1000159")
        user.sees("hasn't arrived yet, so nothing in it can be returned")
        await sam(user, "I want to return something")
        await picks(user, f"{DELIVERED}: Tea Kettle and 1 more")
        await picks(user, "All of them")
        user.sees("Where should the refund go?", "Visa ending in 4242", "Gift card ($75.00 left)")
        user.does_not_see("PayPal")
        await picks(user, "Gift card ($75.00 left)")
        user.sees("I would request a return of Tea Kettle", "$102.00 goes back to your gift card at once", "Shall I")
        await picks(user, "Yes, return them")
        user.sees("Done: the return of Tea Kettle")
        await sam(user, "where is my refund for 1000137?")
        user.sees("Once the items are back, $102.00 goes back to your gift card")


async def test_the_rules_are_told_to_anybody() -> None:
    async with shop() as (_, user):
        await user.says("what is your return policy")
        user.sees("can be returned", "5 to 7 business days")


@both
async def test_what_arrived_broken_goes_to_a_person_with_the_order(channel: str) -> None:
    async with shop(channel) as (bot, user):
        await says(user, "my order arrived broken", SAM, CODE)
        user.sees("sorry to hear that. Which order is it about?")
        user.does_not_see(PENDING, SENT)
        await picks(user, f"{SECOND_DELIVERED}: Desk Lamp and 2 more")
        user.sees("I'm sorry about that", SECOND_DELIVERED, "passed this on to our team")
        case = bot.desk.ticket.case
        assert case.reason == f"arrived broken: {SECOND_DELIVERED}"
        assert case.facts["Customer"] == "Sam Rivers (confirmed by one-time code)"
        assert case.facts["E-mail"] == SAM
        assert case.facts["Order"] == SECOND_DELIVERED
        assert case.facts["they wrote"] == "my order arrived broken"
        assert case.facts[f"order {SECOND_DELIVERED}"].startswith("delivered; Desk Lamp (brass, mains) ")
        assert "delivered 20" in case.facts[f"parcel of {SECOND_DELIVERED}"]
        assert CODE not in case.summary


# --- inside its questions


@both
async def test_cancel_back_and_help_inside_its_questions(channel: str) -> None:
    async with shop(channel) as (_, user):
        await sam(user, "I want to return something")
        await user.says("help")
        user.sees("type the order number", '"back", "never mind" or "talk to a person"', "Which order would you like")
        await picks(user, f"{DELIVERED}: Tea Kettle and 1 more")
        await picks(user, "Tea Kettle (steel, 1.7 l)")
        user.sees("Where should the refund go?")
        await user.says("go back")
        user.sees(f"What would you like to return from order {DELIVERED}?")
        await user.says("back")
        user.sees("Which order would you like to return something from?", SECOND_DELIVERED)
        await user.says("back")
        user.sees("my first question", "Which order would you like")
        await user.says("never mind")
        user.sees("dropped that")
        await sam(user, "where is my refund for 1000137")
        user.sees("I see no refund")


@both
async def test_a_person_inside_its_questions(channel: str) -> None:
    async with shop(channel) as (bot, user):
        await sam(user, "cancel order 1000159")
        await user.says("I'd rather talk to a person")
        user.sees("passed this on to our team")
        assert bot.desk.ticket.case.reason == "asked for a person at a question of orders"
        await user.says("1")
        user.sees_nothing()


@both
async def test_another_request_in_the_middle_is_answered_and_the_question_picked_up(channel: str) -> None:
    async with shop(channel) as (bot, user):
        await sam(user, "cancel order 1000159", "what is your return policy?")
        user.sees("can be returned", "Back to my question:", f"Why would you like to cancel order {PENDING}?")
        await sam(user, "where is order 1000145?")
        user.sees(SENT, "on its way", "Back to my question:", "Why would you like to cancel")
        await bot.restart()
        await picks(user, "Ordered by mistake")
        user.sees("Shall I do that?")


async def test_a_restart_after_every_message_changes_nothing() -> None:
    async with shop("sms") as (bot, user):
        for said, seen in [
            ("cancel my order", "need to know that it's you"),
            (SAM, "6-digit code"),
            (CODE, "Why would you like to cancel"),
            ("2", "Shall I do that?"),
            ("1", f"Done: order {PENDING} is cancelled"),
            ("list my orders", f"{PENDING}: Wool Blanket and 2 more, $145.00, cancelled"),
        ]:
            await user.says(said)
            user.sees(seen)
            await bot.restart()


async def test_cancelling_survives_death_anywhere() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="sms") as user:
            await sam(user, "cancel order 1000159", "1", "yes")
            user.sees(f"Done: order {PENDING} is cancelled")

    assert await survives(scenario, *PLUGINS) > 15


async def test_returning_survives_death_anywhere() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="sms") as user:
            await sam(user, "return order 1000137", "3", "gift card", "yes")
            user.sees("Done: the return of")

    assert await survives(scenario, *PLUGINS) > 20


async def test_broken_things_reach_a_person_whenever_the_process_dies() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="sms") as user:
            await sam(user, "order 1000137 arrived broken")
            user.sees("passed this on to our team")
            assert len(bot.helpdesk.tickets) == 1

    assert await survives(scenario, *PLUGINS) > 5
