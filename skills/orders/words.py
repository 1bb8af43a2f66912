"""How a clerk says where an order stands, what it costs and when it comes. Pure: values in, CommonMark out.

Everything that comes from the shop or from a person passes through `safe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot import escape
from bot.ports import Customer, Item, Order, Payment, Shipment, State, Terms

_WEEK = 7


def safe(text: str) -> str:
    """Text from elsewhere, as it may stand in what we say."""
    return escape(text.replace("{", "(").replace("}", ")"))


def today(now: float, terms: Terms) -> date:
    """The shop's day."""
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(terms.time_zone)).date()


def day(when: date, now: date) -> str:
    """A day as people say it: "today", "tomorrow, Thursday 13 March", "on Monday 3 March"."""
    name = f"{when:%A} {when.day} {when:%B}"
    if abs((when - now).days) > 300:
        name += f" {when.year}"
    near = {0: "today", 1: f"tomorrow, {name}", -1: f"yesterday, {name}"}
    return near.get((when - now).days, f"on {name}")


def amount(money: Decimal, terms: Terms) -> str:
    """Money with the shop's sign: "$1,204.50"."""
    return f"{terms.currency}{money:,.2f}"


def listed(parts: Sequence[str], joint: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def pieces(items: Iterable[Item]) -> str:
    """What is in an order, in full."""
    return listed([safe(item.label) for item in items])


def short(order: Order) -> str:
    """An order in a few words, for a choice: "#W1000159: Rain Jacket and 1 more"."""
    more = len(order.items) - 1
    return f"{order.number}: {order.items[0].name}" + (f" and {more} more" if more else "")


def method(customer: Customer, id: str) -> str:
    """A payment method as the customer knows it: "your Visa ending in 4242"."""
    found = customer.method(id)
    return f"your {safe(found.label)}" if found else "the payment method you used"


def refund(payment: Payment, customer: Customer, terms: Terms) -> str:
    """Where money goes and when: "$42.00 goes back to your gift card at once"."""
    found = customer.method(payment.method)
    when = terms.refund_when.get(found.kind if found else "", "")
    return f"{amount(payment.amount, terms)} goes back to {method(customer, payment.method)}" + (
        f" {when}" if when else ""
    )


def money(payments: Iterable[Payment], customer: Customer, terms: Terms) -> str:
    """Every movement of money as a sentence; nothing for nothing."""
    sentences = []
    for payment in payments:
        if payment.amount == 0:
            sentences.append("The price stays the same.")
        elif payment.kind == "refund":
            sentences.append(f"{refund(payment, customer, terms)}.")
        else:
            sentences.append(f"{amount(payment.amount, terms)} will be charged to {method(customer, payment.method)}.")
    return " ".join(sentences)


def standing(order: Order, customer: Customer, terms: Terms, now: date) -> str:
    """Where an order stands, in one or two sentences that begin with its number."""
    return f"{_state(order, customer, terms, now)} In it: {pieces(order.items)}."


def _state(order: Order, customer: Customer, terms: Terms, now: date) -> str:
    subject = f"Order **{safe(order.number)}**"
    match order.state:
        case State.PENDING | State.MODIFIED:
            changed = ", with the changes you made" if order.state is State.MODIFIED else ""
            return f"{subject} is being prepared{changed}; it hasn't been sent yet.{_expected(order.expected_on, now)}"
        case State.PROCESSED:
            return f"{subject} {' '.join(_travelling(parcel, now) for parcel in order.shipments) or 'is packed.'}"
        case State.DELIVERED:
            return f"{subject} {_arrived(order, now)}"
        case State.CANCELLED:
            why = f" ({safe(order.cancel_reason)})" if order.cancel_reason else ""
            return f"{subject} was cancelled{why}. {refunds(order, customer, terms)}".rstrip()
        case State.RETURN_REQUESTED:
            return f"{subject}: a return is under way. {refunds(order, customer, terms)}"
        case State.EXCHANGE_REQUESTED:
            return f"{subject}: an exchange is under way for {_swapped(order)}."


def refunds(order: Order, customer: Customer, terms: Terms) -> str:
    """What money goes back for an order; nothing when none does."""
    if order.returned:
        prices = {item.id: item.price for item in order.items}
        total = sum((prices.get(item, Decimal(0)) for item in order.returned), Decimal("0.00"))
        back = Payment(kind="refund", amount=total, method=order.refund_to)
        return f"Once the items are back, {refund(back, customer, terms)}."
    paid_back = [paid for paid in order.payments if paid.kind == "refund" and paid.amount]
    return " ".join(_refunded(paid, customer, terms) for paid in paid_back)


def _refunded(payment: Payment, customer: Customer, terms: Terms) -> str:
    found = customer.method(payment.method)
    when = terms.refund_when.get(found.kind if found else "", "")
    arrives = f"; such a refund arrives {when}" if when else ""
    return f"{amount(payment.amount, terms)} was refunded to {method(customer, payment.method)}{arrives}."


def overdue(order: Order, now: date) -> bool:
    """Whether it should have arrived by now."""
    dates = [parcel.expected_on for parcel in order.shipments if parcel.expected_on and not parcel.delivered_on]
    return order.state is State.PROCESSED and any(each < now for each in dates)


def _expected(expected: date | None, now: date) -> str:
    if expected is None or expected < now:
        return ""
    return f" It should reach you {day(expected, now)}."


def _travelling(parcel: Shipment, now: date) -> str:
    if not parcel.tracking:
        due = f" and should reach you {day(parcel.expected_on, now)}" if parcel.expected_on else ""
        return f"is packed and waiting for the carrier{due}."
    carrier = f" with {safe(parcel.carrier)}" if parcel.carrier else ""
    if parcel.expected_on is None:
        when = "."
    elif parcel.expected_on < now:
        when = f". It was due {day(parcel.expected_on, now)}, so it is late; I'm sorry about that."
    else:
        when = f" and should arrive {day(parcel.expected_on, now)}."
    return f"is on its way{carrier}{when} Tracking number: {safe(', '.join(parcel.tracking))}."


def _arrived(order: Order, now: date) -> str:
    parcel = order.shipments[-1] if order.shipments else Shipment(items=())
    carrier = f" by {safe(parcel.carrier)}" if parcel.carrier else ""
    when = f" {day(parcel.delivered_on, now)}" if parcel.delivered_on else ""
    tracking = f" Tracking number: {safe(', '.join(parcel.tracking))}." if parcel.tracking else ""
    return f"was delivered{carrier}{when}.{tracking}"


def _swapped(order: Order) -> str:
    labels = {item.id: safe(item.label) for item in order.items}
    return listed([labels.get(swap.old, "an item") for swap in order.swapped] or ["its items"])
