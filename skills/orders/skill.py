"""The order skill: which sentence calls what. Every handler finds out who it is first, and then does one thing."""

from __future__ import annotations

from bot import Skill, Turn
from bot.ports import Orders
from skills.orders import after_delivery, before_sending, telling
from skills.orders import trouble as troubles
from skills.orders.identity import forget, identified

skill = Skill("orders", "Finds your orders, says when they come, and cancels, changes, returns or exchanges them.")


@skill.pattern(r"(?i)^\s*(?:order\s+)?(?:#\s*W?|W)?\d{7,9}\s*[.?!]*\s*$", r"(?i)^\s*(?:#\s*W?|W)\d{5,9}\s*[.?!]*\s*$")
@skill.pattern(r"(?i)^\W*where(?:'?s| is| are) (?:my|the|our) (?:orders?|parcels?|packages?) (?:of|for|from)\b")
@skill.pattern(r"(?i)^\W*where(?:'?s| is| are) (?:my|the) (?:[\w'-]+ ){1,5}(?:that )?i (?:ordered|bought)\b")
@skill.pattern(r"(?i)^\W*(?:and|what about|how about) (?:order )?#?w?\d{6,9}\W*$")
@skill.command("/track")
@skill.intent(
    "where is my order",
    "where's my stuff",
    "when will it be delivered",
    "my order has not arrived yet",
    "it still hasn't been delivered",
    "delivery is taking too long",
    "my order is delayed",
    "why is my parcel so late",
    "when will I receive my order",
    "I haven't received my order yet",
    "when can I expect my delivery",
    "what is the progress of my order",
    "why was my order cancelled",
    "track my order {number}",
    "track my parcel",
    "when will my package get here",
    "when does order {number} come",
    "has order {number} shipped yet",
    "order status please",
    "what's happening with my order",
    "what's up with order {number}",
    "how long until it arrives",
    "still waiting for my delivery",
    "I need the tracking number",
    "what is the status of {number}",
    "where are {number} and {number2}",
    "where are the shoes I ordered",
    "tell me the delivery date of my order",
    "my order is late",
    "my order is very late",
    "my order is not delivered yet",
    "I want updates on my order",
    "what is the current state of my order",
    "how much longer do I have to wait for my parcel",
    "it has been many days and nothing has come",
    "a question about my order",
    "tell me about order {number}",
    "what about order {number}",
    "I need information about my order",
    "I have a query on an order",
    "has my product been dispatched",
    title="Where is my order?",
)
async def track(turn: Turn, orders: Orders) -> None:
    """Where is it, and when does it come?"""
    if visit := await identified(turn, orders):
        await telling.where(visit)


@skill.command("/orders")
@skill.intent(
    "list my orders",
    "show me my orders",
    "what have I ordered",
    "my order history",
    "show my recent purchases",
    "which orders do I have",
    "what are my orders",
    "see all my orders",
    "what did I buy last time",
    title="Show my orders",
)
async def my_orders(turn: Turn, orders: Orders) -> None:
    """The last orders, one line each."""
    if visit := await identified(turn, orders):
        await telling.list_recent(visit)


@skill.pattern(r"(?i)^\s*cancel (?:my |the )?(?:order )?#?W?\d{6,9}\b")
@skill.intent(
    "cancel my order",
    "cancel order {number}",
    "please cancel {number}",
    "cancel the {thing} I ordered",
    "I ordered by mistake",
    "I don't want it any more, cancel it",
    "cancel it",
    "cancel that",
    "can I still cancel this order",
    "how do I cancel",
    "cancel the product",
    "I'd like to cancel my pending order",
    "cancel my delivery",
    "stop my order before it ships",
    "order cancellation",
    "need to cancel what I bought yesterday",
    "cancel the order that I placed",
    title="Cancel an order",
)
async def cancel(turn: Turn, orders: Orders) -> None:
    """Cancel, after a clear yes."""
    if visit := await identified(turn, orders):
        await before_sending.cancel(visit)


@skill.pattern(r"(?i)^\s*change the address of #?W?\d{6,9}\b")
@skill.intent(
    "change the address of my order",
    "change the delivery address",
    "send order {number} to another address",
    "I gave you the wrong address",
    "ship it somewhere else",
    "wrong shipping address on {number}",
    "can you deliver it to my work address instead",
    "edit the shipping address",
    "I moved, please update the address on my order",
    title="Change the delivery address",
)
async def change_address(turn: Turn, orders: Orders) -> None:
    """Send an order elsewhere before it leaves."""
    if visit := await identified(turn, orders):
        await before_sending.change_address(visit)


@skill.intent(
    "change the address on my account",
    "update my profile address",
    "change my home address for future orders",
    "I have moved, here is my new address",
    "set a new default address",
    "my account still has my old address",
    "update the address you have for me",
    "use another address for my next orders",
    title="Change my account's address",
)
async def own_address(turn: Turn, orders: Orders) -> None:
    """Change the address that the shop has for the customer."""
    if visit := await identified(turn, orders):
        await before_sending.own_address(visit)


@skill.pattern(r"(?i)^\s*change the payment of #?W?\d{6,9}\b")
@skill.intent(
    "change the payment method of my order",
    "pay with my gift card instead",
    "use another card for order {number}",
    "can I pay with PayPal instead",
    "I used the wrong card",
    "switch the payment on {number}",
    "pay for my order with a different card",
    "change how I pay for this order",
    title="Change the payment",
)
async def change_payment(turn: Turn, orders: Orders) -> None:
    """Pay with another method before the order leaves."""
    if visit := await identified(turn, orders):
        await before_sending.change_payment(visit)


@skill.pattern(r"(?i)^\s*change the items of #?W?\d{6,9}\b")
@skill.intent(
    "change the items in my order",
    "I ordered the wrong size and it hasn't shipped",
    "make it blue instead of red",
    "change the color of what I ordered",
    "can I get a different size in order {number}",
    "modify my order",
    "change the size before you send it",
    "edit what's in my order",
    "swap an item in my pending order",
    title="Change what is in an order",
)
async def change_items(turn: Turn, orders: Orders) -> None:
    """Take other options of the same products before the order leaves."""
    if visit := await identified(turn, orders):
        await after_delivery.change_items(visit)


@skill.pattern(r"(?i)^\s*return items of #?W?\d{6,9}\b")
@skill.intent(
    "I want to return something",
    "return the product",
    "I'm not happy with it, I want to return it",
    "I want to return my last order",
    "refund my product",
    "I want my money back",
    "return order {number}",
    "send it back",
    "how do I return an item",
    "I'd like my money back for this",
    "refund my order",
    "return the {thing} from {number}",
    "return the shoes I got",
    "can I give it back",
    "I don't like it, I want a refund",
    "how can I get a refund for the order I placed",
    "I'd like to start a return",
    "return part of my order",
    title="Return something",
)
async def give_back(turn: Turn, orders: Orders) -> None:
    """Send delivered items back for a refund."""
    if visit := await identified(turn, orders):
        await after_delivery.give_back(visit)


@skill.pattern(r"(?i)^\s*exchange items of #?W?\d{6,9}\b")
@skill.intent(
    "exchange an item",
    "it doesn't fit me, I need another size",
    "I want a replacement",
    "help me exchange this",
    "replace my product",
    "can I swap it for something else",
    "exchange it for a bigger one",
    "swap the jacket for a blue one",
    "exchange something from order {number}",
    "exchange the {thing} from {number}",
    "replace it with a different color",
    "I got it but want the other option",
    "the size is too small, I want to exchange",
    title="Exchange something",
)
async def exchange(turn: Turn, orders: Orders) -> None:
    """Take other options of delivered items."""
    if visit := await identified(turn, orders):
        await after_delivery.exchange(visit)


@skill.intent(
    "it arrived broken",
    "my parcel came damaged",
    "you sent me the wrong item",
    "something is missing from my order",
    "the {thing} is defective",
    "order {number} arrived smashed",
    "this is not what I ordered",
    "it says delivered but I never got it",
    "bad quality product",
    "the box was empty",
    "I received a faulty product",
    "you delivered somebody else's order",
    "some of the items I ordered are missing",
    "I received an expired product",
    "it stopped working after a day",
    title="Something is wrong with what I got",
)
async def trouble(turn: Turn, orders: Orders) -> None:
    """Pass it to a person with the order attached."""
    if visit := await identified(turn, orders):
        await troubles.trouble(visit)


@skill.intent(
    "where is my refund",
    "when do I get my money back",
    "refund status",
    "refund not received",
    "a query about my refund",
    "I haven't got my refund yet",
    "has my refund been processed",
    "how long does the refund take",
    "I returned it, where is the money",
    "status of my return",
    "did you refund {number}",
    "many days since the return and still no refund",
    title="Where is my refund?",
)
async def refund_status(turn: Turn, orders: Orders) -> None:
    """What money goes back, where to and when."""
    if visit := await identified(turn, orders):
        await telling.refund_status(visit)


@skill.intent(
    "what can I do with my order",
    "can I still change order {number}",
    "what are my options for this order",
    "is it too late to change my order",
    "can I cancel or return {number}",
    "what is possible with order {number}",
    "can this order still be changed",
    "help with my order {number}",
    title="What can I do with my order?",
)
async def options(turn: Turn, orders: Orders) -> None:
    """What the rules allow for an order now."""
    if visit := await identified(turn, orders):
        await telling.what_can_be_done(visit)


@skill.intent(
    "what is your return policy",
    "can I return it if I don't like it",
    "do you have an exchange policy",
    "how do refunds work here",
    "until when can I cancel",
    "what are the rules for returns",
    "can I return it after using it",
    "do you take things back",
    title="How cancelling and returning work",
)
async def rules(turn: Turn, orders: Orders) -> None:
    """The shop's rules in words; nothing personal, so nobody is asked who they are."""
    await telling.rules(turn, orders.terms)


@skill.pattern(r"^\s*\+?\d[\d\s().-]{8,18}\d\s*[.?!]*\s*$", r"^\s*[\w.+-]+@[\w-]+(?:\.[\w-]+)+\s*[.?!]*\s*$")
async def contact_only(turn: Turn, orders: Orders) -> None:
    """Just a phone number or an e-mail address: perhaps an answer to something we never asked."""
    if await turn.ask("Thanks. Shall I look up your orders with that?", choices=["Yes", "No"]) == "Yes":
        if visit := await identified(turn, orders):
            await telling.list_recent(visit)
    else:
        await turn.say("All right. What can I do for you?", choices=["Where is my order?", "Talk to a person"])


@skill.intent(
    "which product should I buy",
    "show me your products",
    "which products do you have",
    "recommend a product for me",
    "I want to buy something",
    "how do I place a new order",
    "can I order now",
    "are you taking orders at the moment",
    "do you deliver to my postcode",
    "how long would it take if I order today",
    "what does it cost",
    "do you have any discounts or offers",
    "is cash on delivery available",
    "can I pay COD",
    "which payment methods do you accept",
    "can I pay in installments",
    "where is your shop",
    "is there a store near me",
    "are your stores open",
    "what sizes are available",
    "can I get a custom size",
    "is your product original",
    "how do I check the expiry date of a product",
    "is there a warranty",
    "what is the difference between these products",
    "how do I become a seller",
    "I need a bill or an invoice for my order",
    "my money was deducted but there is no order",
    "how do I sign up",
    title="Products, prices or payment",
)
async def elsewhere(turn: Turn) -> None:
    """What a shop is asked that this skill doesn't do: say so, and offer a person."""
    await turn.say(
        "I only look after orders that have been placed, so I can't answer that myself, sorry. A person can.",
        choices=["Talk to a person", "Where is my order?"],
    )


@skill.intent(
    "log me out",
    "sign me out",
    "forget who I am",
    "that's not my account",
    "I'm somebody else",
    "use a different account",
    "switch to another account",
    "I want to sign in with another e-mail",
    title="Sign out",
)
async def sign_out(turn: Turn) -> None:
    """Forget who it is; the next question about an order asks anew."""
    await forget(turn)
    await turn.say("All right, I've forgotten which account is yours. I'll ask again when it matters.")
