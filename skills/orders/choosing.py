"""Which order does the person mean? Looks only among the customer's own. Knows no changes.

Somebody else's number gets the answer of a number that does not exist: the port can't tell them apart either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rapidfuzz.distance import OSA

from bot import Choice
from bot.ports import Action, Order, State
from skills.orders.identity import Visit
from skills.orders.numbering import numbers
from skills.orders.words import safe, short

_RECENT = 20
_SHOWN = 4
_CLOSE = 2
_TRIES = 3
_BACK = 20
_IT = re.compile(r"\b(?:it|that|this)\b(?! (?:is|was) my\b)", re.IGNORECASE)
_AN_ORDER = re.compile(r"\b(?:orders?|parcels?|packages?)\b", re.IGNORECASE)
_TALK = "Talk to a person"


def number_in(text: str) -> str | None:
    """The first order number in an answer, however short."""
    found = numbers(text) or re.findall(r"\d{3,}", re.sub(r"(?<=\d)[\s-](?=\d)", "", text))
    return found[0] if found else None


def number_said(text: str) -> str | None:
    """The order number in an answer. ValueError with a hint when it only says again that it is about an order."""
    found = number_in(text)
    if found is None and _AN_ORDER.search(text):
        raise ValueError("Gladly, I just need to know which one it is.")
    return found


async def orders_meant(
    visit: Visit, question: str, fits: Callable[[Order], bool] = lambda _: True, *, strict: bool = False
) -> list[Order]:
    """The orders that the message is about; asks if it says too little. Empty when that could not be settled.

    They are what is talked about from now on, also for a person who takes over.
    """
    orders = await _meant(visit, question, fits, strict=strict)
    await visit.about(orders)
    return orders


async def _meant(visit: Visit, question: str, fits: Callable[[Order], bool], *, strict: bool) -> list[Order]:
    """The orders that the message is about.

    Only orders that fit are offered. One that the person named is returned all the same: why nothing can be done with
    it is for the shop to say. So is one that "it" stands for, unless `strict`.
    """
    named = visit.named
    if named:
        found = [await _named(visit, number) for number in named]
        return _once([order for order in found if order is not None])
    recent = await visit.turn.step(visit.orders.recent, visit.customer.id, _RECENT, effect=False)
    if not recent:
        await visit.turn.say("There is no order on your account yet.", choices=[_TALK])
        return []
    spoken = await spoken_of(visit, recent)
    if spoken and (fits(spoken) or not strict):
        return [spoken]
    fitting = [order for order in recent if fits(order)] or recent[:1]
    fitting = [order for order in fitting if mentioned(order, visit.turn.text)] or fitting
    if len(fitting) == 1:
        return fitting
    number = await _asked(visit, question, fitting[:_SHOWN])
    order = await _named(visit, number)
    return [order] if order is not None else []


def can(action: Action) -> Callable[[Order], bool]:
    """Orders for which the shop allows it now."""
    return lambda order: action in order.can


def sent(order: Order) -> bool:
    """Orders that have left the shop."""
    return order.state not in (State.PENDING, State.MODIFIED, State.CANCELLED)


def arrived(order: Order) -> bool:
    """Orders that have reached the customer."""
    return order.state in (State.DELIVERED, State.RETURN_REQUESTED, State.EXCHANGE_REQUESTED)


def mentioned(order: Order, text: str) -> bool:
    """Whether a text names something in the order: "my rain jacket"."""
    said = set(re.findall(r"[^\W_]+", text.casefold()))
    return any(set(re.findall(r"[^\W_]+", item.name.casefold())) <= said for item in order.items)


async def spoken_of(visit: Visit, own: Sequence[Order]) -> Order | None:
    """The one of the customer's own orders that "it" stands for: what the bot or an agent wrote about last."""
    if not _IT.search(visit.turn.text) or any(mentioned(order, visit.turn.text) for order in own):
        return None
    for entry in reversed(await visit.turn.history(_BACK)):
        if entry.source in {"bot", "agent"}:
            there = set(numbers(entry.text))
            named = [
                order for order in own if there & {order.number, order.number.lstrip("#"), number_in(order.number)}
            ]
            if named:
                return named[0] if len(named) == 1 else None
    return None


async def _asked(visit: Visit, question: str, choices: Sequence[Order], agree: str = "") -> str:
    number: str = await visit.turn.ask(
        question,
        like=number_said,
        choices=[Choice(label=agree + short(order), value=order.number) for order in choices],
        help="Pick one, or type the order number; it is in the e-mail that confirmed your order.",
    )
    return number


async def _named(visit: Visit, number: str) -> Order | None:
    """The customer's order of that number; a wrong number is asked for again, and after three a person helps."""
    tried: list[str] = []
    while True:
        order = await visit.turn.step(visit.orders.find, number, visit.customer.id, effect=False)
        if order is not None:
            return order
        tried.append(number)
        if len(tried) == _TRIES:
            await visit.turn.say("I can't find that one either, so let me get somebody who can look further.")
            await visit.turn.hand_off("support", "order number not found", {"Numbers tried": ", ".join(tried)})
            return None
        recent = await visit.turn.step(visit.orders.recent, visit.customer.id, _RECENT, effect=False)
        close = nearest(number, recent)
        hint = "Did you mean this one?" if len(close) == 1 else "Did you mean one of these?"
        if not close:
            close, hint = recent[: _SHOWN - 1], "Please check the number, or pick one of your orders:"
        agree = "Yes, " if hint == "Did you mean this one?" else ""
        if not recent:
            hint = "Please check the number."
        number = await _asked(visit, f"I can't find order {safe(number)} under your account. {hint}", close, agree)


def nearest(number: str, own: Sequence[Order]) -> list[Order]:
    """The customer's own orders whose numbers are nearest, one or two slips away."""
    wanted = re.sub(r"\D", "", number)
    ranked = sorted((OSA.distance(wanted, re.sub(r"\D", "", order.number)), at) for at, order in enumerate(own))
    return [own[at] for slips, at in ranked if slips <= min(_CLOSE, ranked[0][0])][:_SHOWN]


def _once(found: Sequence[Order]) -> list[Order]:
    return list({order.number: order for order in found}.values())
