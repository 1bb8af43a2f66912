"""What can be done with items: send them back, or take other options of them. Knows no rules."""

from __future__ import annotations

from decimal import Decimal

from bot.ports import ChangeItems, ExchangeItems, Item, Order, ReturnItems, Swap, Variant
from skills.orders.choosing import can, orders_meant
from skills.orders.confirming import next_steps, possible, settled
from skills.orders.identity import Visit
from skills.orders.pieces import items_meant, method_meant, variant_meant
from skills.orders.words import listed, money, pieces, safe


async def give_back(visit: Visit) -> None:
    """Return items of each order that is meant."""
    for order in await orders_meant(visit, "Which order would you like to return something from?", can("return")):
        probe = ReturnItems(order=order.number, items=(order.items[0].id,), method=order.payments[0].method)
        if await possible(visit, probe, order):
            await _give_back(visit, order)


async def _give_back(visit: Visit, order: Order) -> None:
    items = await items_meant(visit, order, f"What would you like to return from order {safe(order.number)}?")
    original = order.payments[0].method
    methods = [
        each for each in visit.customer.payment_methods if each.id == original or each.kind in visit.terms.refund_kinds
    ]
    chosen = await method_meant(visit, "Where should the refund go?", methods)
    change = ReturnItems(order=order.number, items=tuple(item.id for item in items), method=chosen)
    would = f"I would request a return of {pieces(items)} from order **{safe(order.number)}**."
    done = await settled(visit, change, would, "Yes, return it" if len(items) == 1 else "Yes, return them", order)
    if done is not None:
        told = [money(done.money, visit.customer, visit.terms), *map(safe, done.notes)]
        await visit.turn.say(f"Done: the return of {pieces(items)} is requested. {' '.join(told)}")


async def exchange(visit: Visit) -> None:
    """Exchange items of each order that is meant: of a delivered one for others, or in one that is not sent yet."""
    for order in await orders_meant(visit, "Which order is it about?", can("exchange")):
        await _swap(visit, order)


async def change_items(visit: Visit) -> None:
    """Change items of each order that is meant before it is sent."""
    for order in await orders_meant(visit, "Which order would you like to change?", can("items")):
        await _swap(visit, order)


async def _swap(visit: Visit, order: Order) -> None:
    """Collect all swaps of an order, since it can be done only once; then settle them together."""
    first, method = order.items[0], order.payments[0].method
    before = "items" in order.can
    kind = ChangeItems if before else ExchangeItems
    if not before and "exchange" not in order.can:
        await possible(
            visit, ExchangeItems(order=order.number, swaps=(Swap(old=first.id, new=""),), method=method), order
        )
        return
    swaps = await _swaps(visit, order, "change" if before else "exchange")
    if not swaps:
        return
    more = sum((new.price - old.price for old, new in swaps), Decimal(0))
    methods = visit.customer.payment_methods
    if more:
        asked = "pay the difference" if more > 0 else "get the difference back"
        method = await method_meant(visit, f"How would you like to {asked}?", methods)
    change = kind(order=order.number, swaps=tuple(Swap(old=old.id, new=new.id) for old, new in swaps), method=method)
    steps = listed([f"{safe(old.label)} for {safe(new.label)}" for old, new in swaps])
    would = f"In order **{safe(order.number)}** I would exchange {steps}."
    done = await settled(visit, change, would, "Yes, exchange it" if len(swaps) == 1 else "Yes, exchange them", order)
    if done is not None:
        notes = "" if before else " ".join(safe(note) for note in done.notes)
        await visit.turn.say(f"Done: {steps}. {money(done.money, visit.customer, visit.terms)} {notes}".rstrip())


async def _swaps(visit: Visit, order: Order, verb: str) -> list[tuple[Item, Variant]]:
    """Every item that is to be swapped, with what it becomes."""
    swaps: list[tuple[Item, Variant]] = []
    question = (
        f"What would you like to {verb} in order {safe(order.number)}? It works only once, so please name everything."
    )
    for item in await items_meant(visit, order, question):
        variant = await variant_meant(visit, item)
        if variant is None:
            await visit.turn.say("So nothing has been changed.", choices=next_steps(order))
            return []
        swaps.append((item, variant))
    return swaps
