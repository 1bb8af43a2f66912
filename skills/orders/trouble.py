"""Something went wrong with an order: a person takes over, with the order attached. Knows no rules."""

from __future__ import annotations

import re

from bot.ports import Order
from skills.orders.choosing import arrived, orders_meant, sent
from skills.orders.confirming import next_steps
from skills.orders.identity import Visit
from skills.orders.words import safe

# What people write, and what the shop's list of troubles calls it; the first that fits counts.
_KINDS = (
    (re.compile(r"\b(?:wrong|different|not what|other)\b.*", re.IGNORECASE), "wrong item"),
    (
        re.compile(r"\b(?:missing|never (?:came|arrived|got)|not (?:here|received)|didn.t (?:get|receive))\b", re.I),
        "parcel missing",
    ),
    (re.compile(r"\b(?:late|overdue|delayed)\b", re.IGNORECASE), "parcel late"),
)
_BROKEN = "arrived broken"
_AT_HOME = (_BROKEN, "wrong item")  # troubles that only what has arrived can have


def kind_of(text: str) -> str:
    """What the trouble is, in the words of the shop's list."""
    if re.search(r"\b(?:broken|damaged|cracked|smashed|torn|defective|faulty)\b", text, re.IGNORECASE):
        return _BROKEN
    return next((kind for pattern, kind in _KINDS if pattern.search(text)), _BROKEN)


async def trouble(visit: Visit) -> None:
    """Find out which order it is about, and pass it on."""
    kind = kind_of(visit.turn.text)
    there = arrived if kind in _AT_HOME else sent
    orders = await orders_meant(visit, "I'm sorry to hear that. Which order is it about?", there, strict=True)
    if not orders:
        return
    if kind not in visit.terms.to_a_person:
        await visit.turn.say("I'm sorry about that. Here is what I can do:", choices=next_steps(orders[0]))
        return
    named = " and ".join(safe(order.number) for order in orders)
    # Not a promise yet: that there is somebody is said only once the ticket exists.
    await visit.turn.say(
        f"I'm sorry about that. Let me find a person for order {named}; they will see all its details."
    )
    await visit.turn.hand_off(
        "support", f"{kind}: {', '.join(order.number for order in orders)}", _facts(visit, orders)
    )


def _facts(visit: Visit, orders: list[Order]) -> dict[str, str]:
    """What an agent wants to see at a glance, beside who it is."""
    facts: dict[str, str] = {}
    for order in orders:
        parcels = [parcel for parcel in order.shipments if parcel.tracking]
        facts[f"order {order.number}"] = f"{order.state.value}; {pieces_plain(order)}"
        if parcels:
            facts[f"parcel of {order.number}"] = " ".join(
                part
                for parcel in parcels
                for part in (
                    parcel.carrier,
                    *parcel.tracking,
                    f"delivered {parcel.delivered_on}" if parcel.delivered_on else "",
                )
                if part
            )
    facts["they wrote"] = visit.turn.text
    return facts


def pieces_plain(order: Order) -> str:
    """What is in an order, as plain text with prices."""
    return ", ".join(f"{item.label} {item.price}" for item in order.items)
