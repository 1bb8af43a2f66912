"""The order skill in whole conversations, over the seeded demo shop and the real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from adapters.orders.seed import seeded_stock
from bot.messages import Sender, Text
from bot.testing import Bot, User, survives

PLUGINS = ("skills.orders", "adapters.orders")
SAM = "sam.rivers@example.com"
CODE = "123456"


@asynccontextmanager
async def talk(channel: str = "web", options: dict[str, str] | None = None) -> AsyncIterator[User]:
    """A stranger in front of the bot."""
    async with Bot(*PLUGINS, options=options) as bot, bot.user(channel=channel) as user:
        yield user


async def says(user: User, *lines: str) -> None:
    """Several messages, one after the other."""
    for line in lines:
        await user.says(line)


async def proves(user: User, wish: str, *lines: str) -> None:
    """A wish, the proof of being Sam, and what follows."""
    await says(user, wish, SAM, CODE, *lines)


async def test_a_number_alone_reveals_nothing() -> None:
    async with talk() as user:
        await user.says("where is order #W1000145")
        user.sees("need to know that it's you", "e-mail address or phone number")
        user.does_not_see("1000145", "on its way", "Sam", "Rain Jacket")


async def test_after_the_code_the_order_is_told_and_nobody_is_asked_twice() -> None:
    async with talk("sms") as user:
        await user.says("where is order #W1000145")
        await user.says(SAM)
        user.sees("sent a 6-digit code to sam.rivers@example.com, if it belongs to an account here")
        await user.says("it's 123 456")
        user.sees("#W1000145", "on its way with", "should arrive", "Tracking number:")
        await user.says("and where is 1000159?")
        user.sees("#W1000159", "hasn't been sent yet")
        user.does_not_see("e-mail address or phone number")


async def test_a_message_with_the_address_in_it_is_not_asked_for_it() -> None:
    async with talk() as user:
        await user.says(f"hi, where's my order? my mail is {SAM}")
        user.sees("What does the code say?")


async def test_a_wrong_code_is_asked_for_again_and_tells_nothing() -> None:
    async with talk() as user:
        await says(user, "list my orders", SAM, "654321")
        user.sees("doesn't match")
        user.does_not_see("#W")
        await user.says(CODE)
        user.sees("Your last orders", "#W1000159", "#W1000145", "on its way", "#W1000137")


async def test_guessing_the_code_comes_to_an_end() -> None:
    async with talk() as user:
        await says(user, "list my orders", SAM, *["654321"] * 5, CODE)
        user.sees("Too many tries", "Shall I send you a new one?")
        user.does_not_see("#W")


async def test_an_unknown_address_is_answered_like_a_known_one() -> None:
    async with talk() as known, talk() as unknown:
        await says(known, "where is my order", "aaa.bbb@example.com")
        await says(unknown, "where is my order", SAM)
        assert [line.replace("aaa.bbb@example.com", SAM) for line in known.seen] == unknown.seen


async def test_in_a_real_shop_the_code_is_not_said() -> None:
    async with talk(options={"shop.show_codes": "no"}) as user:
        await says(user, "where is my order", SAM)
        user.sees("What does the code say?")
        user.does_not_see("Demo", CODE)
        await user.says(CODE)
        user.sees("doesn't match")


async def test_a_sender_whom_the_channel_vouches_for_is_not_asked() -> None:
    async with talk("sms") as user:
        vouched = Sender(id="sam", phone="+12125550100", verified=True)
        await user.does(Text(text="where is order 1000145"), sender=vouched)
        user.sees("#W1000145", "on its way")


async def test_a_sender_who_only_claims_it_is_asked() -> None:
    async with talk("sms") as user:
        await user.does(Text(text="where is order 1000145"), sender=Sender(id="sam", phone="+12125550100", email=SAM))
        user.sees("need to know that it's you")
        user.does_not_see("on its way")


async def test_somebody_elses_order_and_no_order_get_the_same_answer() -> None:
    numbers = {order.number for order in seeded_stock(date(2025, 3, 12)).orders}
    other = next(number for number in sorted(numbers) if number > "#W1040000")
    free = next(f"#W{number}" for number in range(1040000, 1050000) if f"#W{number}" not in numbers)
    async with talk() as theirs, talk() as nothing:
        await proves(theirs, f"where is {other}")
        await proves(nothing, f"where is {free}")
        assert [line.replace(other[1:], free[1:]) for line in theirs.seen] == nothing.seen
        nothing.sees(f"can't find order {free[1:]} under your account")


async def test_orders_of_another_account_are_refused_without_a_word_about_them() -> None:
    async with talk() as user:
        await proves(user, "where is my order", "where is the order of nora.hall@example.com?")
        user.sees("only look into the orders of your own account, sam.rivers@example.com")
        user.does_not_see("#W", "nora")


async def test_a_typo_offers_the_own_orders_that_are_close() -> None:
    async with talk("sms") as user:
        await proves(user, "where is #W1000137x".replace("x", ""), "where is 1000173?")
        user.sees("can't find order 1000173", "Did you mean", "#W1000137: ")
        await user.says("1")
        user.sees("#W1000137", "was delivered")


async def test_a_number_in_words_is_a_number() -> None:
    async with talk("sms") as user:
        await proves(user, "where is order one zero zero zero one four five")
        user.sees("#W1000145", "on its way")


async def test_two_orders_in_one_message_are_both_answered() -> None:
    async with talk() as user:
        await proves(user, "where are 1000145 and 1000159")
        user.sees("#W1000145", "on its way", "#W1000159", "being prepared")


async def test_three_wrong_numbers_bring_a_person() -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as user:
        await proves(user, "where is 5550001", "5550002", "5550003")
        user.sees("get somebody who can look further")
        [ticket] = bot.helpdesk.tickets.values()
        assert ticket.case.facts["Numbers tried"] == "5550001, 5550002, 5550003"


async def test_a_cancellation_is_spelled_out_and_done_only_after_a_clear_yes() -> None:
    async with talk("sms") as user:
        await proves(user, "cancel order 1000159")
        user.sees("Why would you like to cancel", "1) No longer needed", "2) Ordered by mistake")
        await user.says("ordered by mistake")
        user.sees("I would cancel order #W1000159", "Visa ending in 4242 in 5 to 7 business days", "Shall I do that?")
        await user.says("hmm, let me think")
        user.does_not_see("Done")
        await user.says("no")
        user.sees("left everything as it was")
        await user.says("where is 1000159")
        user.sees("being prepared")
        await says(user, "cancel order 1000159, it was a mistake", "yes")
        user.sees("Done: order #W1000159 is cancelled", "goes back to your Visa ending in 4242")
        await user.says("cancel order 1000159")
        user.sees("is already cancelled, so it can't be cancelled")


async def test_a_reason_that_the_shop_does_not_take_is_refused() -> None:
    async with talk() as user:
        await proves(user, "cancel order 1000159", "Another reason")
        user.sees('only for "no longer needed" or "ordered by mistake"', "Talk to a person")


async def test_what_is_on_its_way_can_not_be_cancelled() -> None:
    async with talk() as user:
        await proves(user, "cancel order 1000145")
        user.sees("already packed or on its way, so it can't be cancelled", "you can send it back")


async def test_an_order_is_sent_elsewhere_before_it_leaves() -> None:
    async with talk("sms") as user:
        await proves(user, "change the address of my order", "5 Elm Street, Boston")
        user.sees("I need street, city, state and postcode")
        await user.says("5 Elm Street, Apt 2, Boston, MA 02110")
        user.sees("I would send order #W1000159 to 5 Elm Street, Apt 2, Boston, MA 02110, USA", "instead of 12 Harbor")
        await user.says("yes please")
        user.sees("Done: order #W1000159 will go to 5 Elm Street", "also use that address for your next orders?")
        await user.says("no")
        user.sees("stays as it is")


async def test_items_are_returned_with_the_money_spelled_out() -> None:
    async with talk("sms") as user:
        await proves(user, "I want to return something", "1")
        user.sees("What would you like to return from order #W1000137?", "3) All of them")
        await user.says("1 and 2")
        user.sees("Where should the refund go?", "1) Visa ending in 4242", "2) Gift card ($75.00 left)")
        user.does_not_see("PayPal")
        await user.says("the gift card")
        user.sees("I would request a return of", "goes back to your gift card at once", "You'll get an e-mail")
        await user.says("ok")
        user.sees("Done: the return of")
        await user.says("where is my refund for 1000137")
        user.sees("Once the items are back", "gift card")
        await user.says("return something from 1000137")
        user.sees("already has a return under way")


async def test_items_are_exchanged_all_at_once() -> None:
    async with talk("sms") as user:
        await proves(user, "exchange something from 1000118")
        user.sees("What would you like to exchange", "It works only once", "1) ", "2) ", "3) ")
        await user.says("1")
        user.sees("Which Desk Lamp", "instead of brass, mains")
        await user.says("black")
        user.sees("I would exchange Desk Lamp (brass, mains) for Desk Lamp (black, mains)", "The price stays the same")
        user.sees("Shall I do that?")
        await user.says("yes")
        user.sees("Done:")
        await user.says("exchange something from 1000118")
        user.sees("already has an exchange under way")


async def test_items_are_changed_before_the_order_leaves_and_only_once() -> None:
    async with talk("sms") as user:
        await proves(user, "change the items in my order", "the water bottle", "black")
        user.sees("How would you like to get the difference back?", "2) PayPal")
        await user.says("2")
        user.sees("for Water Bottle (750 ml, black). $1.00 goes back to your PayPal", "can be changed only once")
        await says(user, "yes", "cancel order 1000159")
        user.sees("has already been changed once, so it can't be cancelled")


async def test_payment_moves_to_another_method_that_covers_it() -> None:
    async with talk("sms") as user:
        await proves(user, "change the payment method of my order", "gift card")
        user.sees("The gift card has $75.00 left, which doesn't cover $")
        await says(user, "change the payment of 1000159", "paypal")
        user.sees(
            "I would move the payment of order #W1000159 to your PayPal", "charged to your PayPal", "back to your Visa"
        )
        await user.says("yes")
        user.sees("is now paid with your PayPal")


async def test_what_arrived_broken_goes_to_a_person_with_the_order() -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as user:
        await proves(user, "order 1000137 arrived broken")
        user.sees("I'm sorry about that", "#W1000137")
        [ticket] = bot.helpdesk.tickets.values()
        assert ticket.case.reason == "arrived broken: #W1000137"
        assert ticket.case.facts["Customer"] == "Sam Rivers (confirmed by one-time code)"
        assert "delivered" in ticket.case.facts["order #W1000137"]
        assert ticket.case.facts["they wrote"] == "order 1000137 arrived broken"


async def test_what_can_be_done_is_what_the_rules_allow() -> None:
    async with talk() as user:
        await proves(user, "what can I do with order 1000118")
        user.sees("was delivered", "You can return items or exchange items", "[ Return items of #W1000118 ]")
        await user.presses("Return items of #W1000118")
        user.sees("What would you like to return from order #W1000118?")


async def test_signing_out_forgets_who_it_is() -> None:
    async with talk() as user:
        await proves(user, "list my orders", "log me out")
        user.sees("forgotten which account is yours")
        await user.says("list my orders")
        user.sees("need to know that it's you")


async def test_words_of_people_are_said_back_harmless() -> None:
    async with talk() as user:
        await proves(user, "change the address of my order", "{name} **Street** 5, Boston, MA 02110")
        user.sees("(name) **Street** 5, Boston")


async def test_a_cancellation_is_the_same_whenever_the_process_dies() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="sms") as user:
            sam = Sender(id="sam", phone="+12125550100", verified=True)
            for line in ("cancel order 1000159, it was a mistake", "yes"):
                await user.does(Text(text=line), sender=sam)
            user.sees("Done: order #W1000159 is cancelled")

    assert await survives(scenario, *PLUGINS) > 2


# --- what is said while we ask who it is


async def test_a_number_said_before_we_know_who_it_is_is_looked_up_afterwards() -> None:
    async with talk() as user:
        await says(user, "where is my order", "#W1000145")
        user.sees("I'll look that up as soon as I know it's you", "e-mail address or phone number")
        user.does_not_see("1000145", "didn't get that")
        await says(user, SAM, "order W1000159")
        user.sees("as soon as I know it's you", "What does the code say?")
        user.does_not_see("doesn't match")
        await user.says(CODE)
        user.sees("#W1000159", "hasn't been sent yet")
        user.does_not_see("1000145")


async def test_asking_again_before_we_know_who_it_is_is_no_riddle() -> None:
    async with talk() as user:
        await says(user, "where is my order", "where is my order")
        user.sees("I'll look that up as soon as I know it's you", "e-mail address or phone number")
        user.does_not_see("didn't get that")


async def test_another_address_at_the_code_question_is_used_at_once() -> None:
    async with talk() as user:
        await says(user, "where is my order", "sam.river@example.com", SAM)
        user.sees(f"sent a 6-digit code to {SAM}")
        user.does_not_see("Shall I look up")
        await says(user, "+1 212 555 0100")
        user.sees("sent a 6-digit code to +12125550100")
        await user.says(CODE)
        user.sees("#W1000")


async def test_an_address_that_is_missed_twice_gets_two_different_hints() -> None:
    async with talk() as user:
        await proves(user, "change the address of order 1000159", "somewhere else")
        user.sees("I need street, city, state and postcode")
        await user.says("somewhere")
        assert user.seen[-1].count("I need street") == 1
        user.sees("One line is fine")


async def test_wanting_to_cancel_an_order_says_not_which_one() -> None:
    async with talk() as user:
        await proves(user, "I want to cancel an order", "i want to cancel an order")
        user.sees("I can do that, I just need to know why.", "Why would you like to cancel order #W1000159?")
        await user.says("I ordered it by mistake")
        user.sees("I would cancel order")
        await says(user, "no", "I want to return something", "i want to return an order")
        user.sees("I just need to know which one it is")


async def test_the_code_question_in_text_says_that_a_number_is_not_the_only_answer() -> None:
    async with talk("sms") as user:
        await says(user, "where is my order", SAM)
        user.sees("Type your answer, or a number from the list.")
        user.does_not_see("Reply with a number.")
