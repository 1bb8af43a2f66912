"""Answers that change nothing: where an order is, which there are, what became of a refund. Knows no rules."""

from __future__ import annotations

from bot import Turn
from bot.ports import Order, State, Terms
from skills.orders.choosing import mentioned, orders_meant, spoken_of
from skills.orders.confirming import next_steps
from skills.orders.identity import Visit
from skills.orders.words import amount, listed, overdue, refunds, safe, short, standing

_TALK = "Talk to a person"
_LISTED = 5
_RECENT = 20
_STEPS = 3
_FEW = 3  # more at once would be a wall of text: then we ask which
_OPEN = (State.PENDING, State.MODIFIED, State.PROCESSED)
_WORDS = {
    "cancel": "cancel it",
    "address": "change its address",
    "payment": "pay otherwise",
    "items": "change its items",
}
_LATER = {"return": "return items", "exchange": "exchange items for another size, color or the like"}


async def where(visit: Visit) -> None:
    """Say where each order is that is meant; without a number, those that are still to come."""
    meant = [] if visit.named else await _coming(visit)
    if meant:
        await visit.about(meant)
    else:
        meant = await orders_meant(visit, "Which order would you like to know about?")
    if not meant:
        return
    told = [standing(order, visit.customer, visit.terms, visit.today) for order in meant]
    choices = [step for order in meant for step in next_steps(order)][:_STEPS]
    if any(overdue(order, visit.today) for order in meant):
        choices.append(_TALK)
    await visit.turn.say("\n\n".join(told), choices=choices)


async def _coming(visit: Visit) -> list[Order]:
    """The orders that are still to come, or the one that the message names, if they are few."""
    recent = await visit.turn.step(visit.orders.recent, visit.customer.id, _RECENT, effect=False)
    if spoken := await spoken_of(visit, recent):
        return [spoken]
    named = [order for order in recent if mentioned(order, visit.turn.text)]
    coming = named or [order for order in recent if order.state in _OPEN] or recent[:1]
    return coming if len(coming) <= _FEW else []


async def list_recent(visit: Visit) -> None:
    """List the last orders, one line each."""
    recent = await visit.turn.step(visit.orders.recent, visit.customer.id, _LISTED, effect=False)
    if not recent:
        await visit.turn.say("There is no order on your account yet.")
        return
    lines = [
        f"- **{safe(order.number)}**: {safe(short(order).partition(': ')[2])}, "
        f"{amount(order.total, visit.terms)}, {_state(order)}"
        for order in recent
    ]
    choices = [f"Where is {order.number}?" for order in recent[:3]]
    await visit.turn.say("Your last orders:\n\n" + "\n".join(lines), choices=choices)


async def refund_status(visit: Visit) -> None:
    """Say what money goes back, for the orders that are meant or for all recent ones."""
    if visit.named:
        orders = await orders_meant(visit, "")
    else:
        orders = await visit.turn.step(visit.orders.recent, visit.customer.id, _RECENT, effect=False)
    told = [(order, refunds(order, visit.customer, visit.terms)) for order in orders]
    lines = [f"Order **{safe(order.number)}**: {text}" for order, text in told if text]
    if lines:
        await visit.turn.say("\n\n".join(lines[:3]), choices=[_TALK])
    elif orders:
        which = f"order {safe(orders[0].number)}" if len(orders) == 1 else "your account"
        await visit.turn.say(f"I see no refund for {which}.", choices=[*next_steps(orders[0]), _TALK])


async def what_can_be_done(visit: Visit) -> None:
    """Say what is allowed for each order that is meant."""
    for order in await orders_meant(visit, "Which order is it about?"):
        can = [{**_WORDS, **_LATER}[action] for action in order.can]
        text = f"You can {listed(can, 'or')}." if can else "It can't be changed now."
        await visit.turn.say(
            f"{standing(order, visit.customer, visit.terms, visit.today)} {text}", choices=[*next_steps(order), _TALK]
        )


async def rules(turn: Turn, terms: Terms) -> None:
    """Tell the shop's own words about its rules."""
    await turn.say(
        "{rules}", rules=terms.rules or "A person can tell you.", choices=["Return something", "Cancel an order", _TALK]
    )


def _state(order: Order) -> str:
    sent = any(parcel.tracking for parcel in order.shipments)
    return "on its way" if order.state is State.PROCESSED and sent else order.state.value
