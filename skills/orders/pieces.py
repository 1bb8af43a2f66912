"""Which items of an order, and which other option of each? Knows no rules: whether it may be done is the shop's to say.

Answers are picked or typed: "1 and 3", "all of them", "the kettle"; "blue, 1 l".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot import Choice
from bot.ports import Item, Order, PaymentMethod, Variant
from skills.orders.identity import Visit
from skills.orders.words import amount, safe

_SHOWN = 6
_PLACE = "piece"  # "piece1": a value that is only a number would win over a place in the list
_ALL = re.compile(r"\b(?:all|everything|both|whole|complete|entire)\b", re.IGNORECASE)


async def items_meant(visit: Visit, order: Order, question: str) -> list[Item]:
    """The items that the message names; asks if it names none of several."""
    if len(order.items) == 1:
        return list(order.items)
    named = named_places(visit.turn.text, order.items)
    if named:
        return [order.items[place] for place in named]
    choices = [Choice(label=item.label, value=f"{_PLACE}{place}") for place, item in enumerate(order.items)]
    answer: str | list[int] = await visit.turn.ask(
        question,
        like=places_like(order.items),
        choices=[*choices, Choice(label="All of them", value="all")],
        help="Pick one, or name several: 1 and 2.",
    )
    if isinstance(answer, list):
        return [order.items[place] for place in answer]
    return list(order.items) if answer == "all" else [order.items[int(answer.removeprefix(_PLACE))]]


def places_like(items: Sequence[Item]) -> Callable[[str], list[int]]:
    """What an answer about items means: their places, from 0."""

    def places_in(text: str) -> list[int]:
        typed = [int(number) - 1 for number in re.findall(r"\b\d{1,2}\b", text)]
        if typed and not re.search(r"[^\W\d_]{4,}", text):
            places = sorted(set(typed))
            if all(0 <= place < len(items) for place in places):
                return places
        places = named_places(text, items)
        if not places:
            raise ValueError("Please pick one of the items, or name several, such as 1 and 2.")
        return places

    return places_in


def named_places(text: str, items: Sequence[Item]) -> list[int]:
    """The places of the items that a text names; of two of the same kind, the one whose option it names."""
    if _ALL.search(text):
        return list(range(len(items)))
    said = _words(text)
    named = [place for place, item in enumerate(items) if _names(said, item.name)]
    exact = [place for place in named if any(_says(said, value) for value in items[place].options.values())]
    kinds = {items[place].product for place in exact}
    return [place for place in named if place in exact or items[place].product not in kinds]


async def variant_meant(visit: Visit, item: Item) -> Variant | None:
    """The other option that the person wants for an item; None when there is no other, which has been said."""
    product = await visit.turn.step(visit.orders.product, item.product, effect=False)
    others = [each for each in (product.variants if product else ()) if each.available and each.id != item.id]
    if not others:
        await visit.turn.say(
            f"There is no other {safe(item.name)} available at the moment.", choices=["Talk to a person"]
        )
        return None
    others.sort(key=lambda each: (_differences(each, item), each.price, each.id))
    fitting = named_variants(visit.turn.text, item, others)
    if len(fitting) == 1:
        return fitting[0]
    near = [each for each in others if _differences(each, item) == _differences(others[0], item)]
    more = [each for each in others if each not in near]
    example = f" Or say what it should be like, such as “{safe(', '.join(more[0].options.values()))}”." if more else ""
    question = f"Which {safe(item.name)} would you like instead of {safe(', '.join(item.options.values()))}?{example}"
    fitting = await _picked(visit, question, item, others, fitting or near)
    while len(fitting) > 1:
        fitting = await _picked(visit, "There are several like that. Which one?", item, fitting, fitting)
    return fitting[0]


async def _picked(
    visit: Visit, question: str, item: Item, others: Sequence[Variant], shown: Sequence[Variant]
) -> list[Variant]:
    """The variants that an answer fits: one if it was picked, maybe several if it was described."""
    answer: str | list[str] = await visit.turn.ask(
        question,
        like=variants_like(item, others),
        choices=[Choice(label=_offer(visit, each, item), value=each.id) for each in shown[:_SHOWN]],
    )
    ids = [answer] if isinstance(answer, str) else answer
    return [each for each in others if each.id in ids]


def variants_like(item: Item, others: Sequence[Variant]) -> Callable[[str], list[str]]:
    """What an answer about options means: the ids of the variants that fit it."""

    def variants_in(text: str) -> list[str]:
        fitting = named_variants(text, item, others)
        if not fitting:
            options = "; ".join(
                f"{name}: {', '.join(sorted({each.options.get(name, '') for each in others}))}" for name in item.options
            )
            raise ValueError(f"I don't have that. There is {options}.")
        return [each.id for each in fitting]

    return variants_in


def named_variants(text: str, item: Item, others: Sequence[Variant]) -> list[Variant]:
    """The variants that a text describes. What it does not say stays as it is, if there is such a one."""
    said = _words(text)
    wishes: dict[str, set[str]] = {}
    for name, old in item.options.items():
        values = {each.options.get(name, "") for each in others} | {old}
        found = {value for value in values if _says(said, value)}
        found = {value for value in found if not any(_words(value) < _words(more) for more in found)}
        if found - {old}:
            wishes[name] = found - {old}
    if not wishes:
        return []
    fitting = [each for each in others if all(each.options.get(name) in values for name, values in wishes.items())]
    kept = [each for each in fitting if _differences(each, item) == len(wishes)]
    return kept if len(kept) == 1 else fitting


async def method_meant(visit: Visit, question: str, methods: Sequence[PaymentMethod]) -> str:
    """The id of one of these payment methods; asks if there are several."""
    if len(methods) == 1:
        return methods[0].id
    id: str = await visit.turn.ask(
        question, choices=[Choice(label=_described(visit, each), value=each.id) for each in methods], key="method"
    )
    return id


def _described(visit: Visit, method: PaymentMethod) -> str:
    name = method.label[0].upper() + method.label[1:]
    return name if method.balance is None else f"{name} ({amount(method.balance, visit.terms)} left)"


def _offer(visit: Visit, variant: Variant, item: Item) -> str:
    """What is different about it: "color blue, size L (+$2.00)"."""
    more = variant.price - item.price
    price = "same price" if not more else f"{'+' if more > 0 else '-'}{amount(abs(more), visit.terms)}"
    other = [f"{name} {value}" for name, value in variant.options.items() if item.options.get(name) != value]
    return f"{', '.join(other)} ({price})"


def _differences(variant: Variant, item: Item) -> int:
    return sum(variant.options.get(name) != value for name, value in item.options.items())


def _words(text: str) -> set[str]:
    """Its words and numbers, and each number joined with the unit behind it: "1 l" and "1l" are the same."""
    plain = text.casefold()
    return set(re.findall(r"\d+|[^\W\d_]+", plain))


def _says(said: set[str], value: str) -> bool:
    return bool(value) and _words(value) <= said


def _names(said: set[str], name: str) -> bool:
    """Whether "the kettle" may be a "Tea Kettle": the last word of a name is the one that people use."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    last = words[-1]
    return set(words) <= said or last in said or last.removesuffix("s") in said or f"{last}s" in said
