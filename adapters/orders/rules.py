"""What a change does to an order, or why it can't be done: pure functions over the policy. Does no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from adapters.orders.policy import AfterDelivery, Policy
from bot.ports import (
    Action,
    Cancel,
    Change,
    ChangeAddress,
    ChangeItems,
    ChangeOwnAddress,
    ChangePayment,
    Customer,
    ExchangeItems,
    Item,
    Order,
    Payment,
    PaymentMethod,
    Plan,
    Refusal,
    ReturnItems,
    ShopAddress,
    State,
    Swap,
    Variant,
)

OrderChange = Cancel | ChangeAddress | ChangePayment | ChangeItems | ReturnItems | ExchangeItems
FindVariant = Callable[[str], Variant | None]

_IS = {
    State.PENDING: "hasn't been sent yet",
    State.MODIFIED: "has already been changed once",
    State.PROCESSED: "is already packed or on its way",
    State.DELIVERED: "has already been delivered",
    State.CANCELLED: "is already cancelled",
    State.RETURN_REQUESTED: "already has a return under way",
    State.EXCHANGE_REQUESTED: "already has an exchange under way",
}
_DONE_TO_IT: dict[Action, str] = {
    "cancel": "it can't be cancelled",
    "address": "its address can't be changed",
    "payment": "its payment can't be changed",
    "items": "its items can't be changed",
    "return": "nothing in it can be returned",
    "exchange": "nothing in it can be exchanged",
}
_ZERO = Decimal("0.00")


def allowed(policy: Policy, order: Order, today: date) -> tuple[Action, ...]:
    """What may be done with the order now."""
    actions = _actions(policy)
    return tuple(action for action in actions if _forbidden(policy, order, action, today) is None)


def not_found(number: str) -> Refusal:
    """The answer for an order that does not exist, and for somebody else's."""
    return Refusal(code="not_found", sentence=f"I can't find order {number} under your account.")


@dataclass(frozen=True, slots=True)
class Rules:
    """The shop's rules on one day; `variant` finds what the shop sells by item id."""

    policy: Policy
    variant: FindVariant
    today: date

    def decide(self, customer: Customer, order: Order | None, change: Change) -> Plan | Refusal:
        """What the change would make of the customer's order; nothing is changed."""
        if isinstance(change, ChangeOwnAddress):
            return _bad_address(change.address) or Plan(customer=replace(customer, address=change.address))
        if order is None or order.customer != customer.id:
            return not_found(change.order)
        return _forbidden(self.policy, order, _action(change), self.today) or self._effect(customer, order, change)

    def _effect(self, customer: Customer, order: Order, change: OrderChange) -> Plan | Refusal:
        match change:
            case Cancel():
                return _cancel(self.policy, customer, order, change)
            case ChangeAddress():
                bad = _bad_address(change.address)
                return bad or Plan(order=replace(order, address=change.address), customer=customer)
            case ChangePayment():
                return _change_payment(self.policy, customer, order, change)
            case ChangeItems():
                return _change_items(self, customer, order, change)
            case ReturnItems():
                return _return(self.policy, customer, order, change)
            case ExchangeItems():
                return _exchange(self, customer, order, change)


def _actions(policy: Policy) -> dict[Action, tuple[State, ...]]:
    return {
        "cancel": policy.cancel.states,
        "address": policy.change_address.states,
        "payment": policy.change_payment.states,
        "items": policy.change_items.states,
        "return": policy.return_.states,
        "exchange": policy.exchange.states,
    }


def _action(change: OrderChange) -> Action:
    match change:
        case Cancel():
            return "cancel"
        case ChangeAddress():
            return "address"
        case ChangePayment():
            return "payment"
        case ChangeItems():
            return "items"
        case ReturnItems():
            return "return"
        case ExchangeItems():
            return "exchange"


def _forbidden(policy: Policy, order: Order, action: Action, today: date) -> Refusal | None:
    if order.state not in _actions(policy)[action]:
        changed = order.state in (State.MODIFIED, State.RETURN_REQUESTED, State.EXCHANGE_REQUESTED)
        if action in ("return", "exchange") and order.state in (State.PENDING, State.MODIFIED, State.PROCESSED):
            sentence = f"Order {order.number} hasn't arrived yet, so {_DONE_TO_IT[action]} so far."
        else:
            sentence = f"Order {order.number} {_IS[order.state]}, so {_DONE_TO_IT[action]}."
        if action == "cancel" and order.state is State.PROCESSED and State.DELIVERED in policy.return_.states:
            sentence += " Once it has arrived, you can send it back."
        return Refusal(code="already_changed" if changed else "wrong_state", sentence=sentence)
    if action in ("return", "exchange"):
        return _too_late(policy.return_ if action == "return" else policy.exchange, order, action, today)
    if action == "payment" and [payment.kind for payment in order.payments] != ["payment"]:
        return Refusal(
            code="already_changed", sentence=f"The payment of order {order.number} has already been changed once."
        )
    return None


def _too_late(rule: AfterDelivery, order: Order, action: Action, today: date) -> Refusal | None:
    arrived = max((parcel.delivered_on for parcel in order.shipments if parcel.delivered_on), default=None)
    if rule.window_days is None or arrived is None or today <= arrived + timedelta(days=rule.window_days):
        return None
    return Refusal(
        code="too_late",
        sentence=f"Order {order.number} arrived on {arrived.day} {arrived:%B}, more than {rule.window_days} days ago, "
        f"so {_DONE_TO_IT[action]} any more.",
    )


def _cancel(policy: Policy, customer: Customer, order: Order, change: Cancel) -> Plan | Refusal:
    if change.reason not in policy.cancel.reasons:
        reasons = " or ".join(f'"{reason}"' for reason in policy.cancel.reasons)
        return Refusal(code="wrong_reason", sentence=f"I can cancel an order only for {reasons}.")
    paid: dict[str, Decimal] = {}
    for payment in order.payments:
        sign = 1 if payment.kind == "payment" else -1
        paid[payment.method] = paid.get(payment.method, _ZERO) + sign * payment.amount
    refunds = tuple(Payment(kind="refund", amount=sum_, method=method) for method, sum_ in paid.items() if sum_ > 0)
    after = replace(
        order, state=State.CANCELLED, cancel_reason=change.reason, payments=order.payments + refunds, can=()
    )
    return Plan(order=after, customer=_settle(customer, refunds), money=refunds)


def _change_payment(policy: Policy, customer: Customer, order: Order, change: ChangePayment) -> Plan | Refusal:
    method = customer.method(change.method)
    if method is None:
        return _unknown_payment()
    first = order.payments[0]
    if first.method == method.id:
        return Refusal(code="same_payment", sentence=f"Order {order.number} is already paid with that.")
    if short := _too_short(policy, method, first.amount):
        return short
    money = (
        Payment(kind="payment", amount=first.amount, method=method.id),
        Payment(kind="refund", amount=first.amount, method=first.method),
    )
    return Plan(order=replace(order, payments=order.payments + money), customer=_settle(customer, money), money=money)


def _priced(
    rules: Rules, customer: Customer, order: Order, change: ChangeItems | ExchangeItems
) -> tuple[tuple[Item, ...], PaymentMethod, Decimal] | Refusal:
    """The items after the swap, who pays or gets the difference, and how much it is."""
    swapped = _swap(order, change.swaps, rules.variant)
    if isinstance(swapped, Refusal):
        return swapped
    method = customer.method(change.method)
    if method is None:
        return _unknown_payment()
    difference = sum((item.price for item in swapped), _ZERO) - order.total
    return _too_short(rules.policy, method, difference) or (swapped, method, difference)


def _change_items(rules: Rules, customer: Customer, order: Order, change: ChangeItems) -> Plan | Refusal:
    priced = _priced(rules, customer, order, change)
    if isinstance(priced, Refusal):
        return priced
    swapped, method, difference = priced
    money = (_owed(difference, method.id),)
    after = replace(order, items=swapped, payments=order.payments + money, state=State.MODIFIED)
    notes = (rules.policy.notes.change_items,) if rules.policy.notes.change_items else ()
    return Plan(order=after, customer=_settle(customer, money), money=money, notes=notes)


def _return(policy: Policy, customer: Customer, order: Order, change: ReturnItems) -> Plan | Refusal:
    method = customer.method(change.method)
    if method is None:
        return _unknown_payment()
    if method.id != order.payments[0].method and method.kind not in policy.return_.other_refund_kinds:
        others = " or ".join(f"a {kind.replace('_', ' ')}" for kind in policy.return_.other_refund_kinds)
        more = f", or on {others} of yours" if others else ""
        return Refusal(
            code="wrong_refund",
            sentence=f"I can refund order {order.number} only to what it was paid with{more}.",
        )
    if missing := _missing(order, change.items):
        return missing
    amount = sum((_piece(order, item).price for item in change.items), _ZERO)
    after = replace(
        order, state=State.RETURN_REQUESTED, returned=tuple(sorted(change.items)), refund_to=method.id, can=()
    )
    notes = (policy.notes.return_,) if policy.notes.return_ else ()
    return Plan(
        order=after,
        customer=customer,
        money=(Payment(kind="refund", amount=amount, method=method.id),),
        notes=notes,
    )


def _exchange(rules: Rules, customer: Customer, order: Order, change: ExchangeItems) -> Plan | Refusal:
    priced = _priced(rules, customer, order, change)
    if isinstance(priced, Refusal):
        return priced
    _, method, difference = priced
    after = replace(
        order,
        state=State.EXCHANGE_REQUESTED,
        swapped=change.swaps,
        difference=difference,
        difference_by=method.id,
        can=(),
    )
    notes = (rules.policy.notes.exchange,) if rules.policy.notes.exchange else ()
    return Plan(order=after, customer=customer, money=(_owed(difference, method.id),), notes=notes)


def _swap(order: Order, swaps: tuple[Swap, ...], variant: FindVariant) -> tuple[Item, ...] | Refusal:
    """The order's items after the swaps; every piece is swapped at most once."""
    if missing := _missing(order, [swap.old for swap in swaps]):
        return missing
    items, free = list(order.items), set(range(len(order.items)))
    for swap in swaps:
        place = next(place for place in sorted(free) if items[place].id == swap.old)
        old, new = items[place], variant(swap.new)
        if new is None:
            return Refusal(code="no_such_item", sentence="I can't find that option in the shop.")
        if no := _unfit(old, new):
            return no
        free.discard(place)
        items[place] = Item(id=new.id, product=new.product, name=new.name, options=new.options, price=new.price)
    return tuple(items)


def _unfit(old: Item, new: Variant) -> Refusal | None:
    if new.product != old.product:
        return Refusal(
            code="other_product",
            sentence=f"The {old.name} can only become another {old.name}, not a different product.",
        )
    if new.id == old.id:
        return Refusal(code="same_item", sentence=f"That is the {old.label} you already have.")
    if not new.available:
        return Refusal(code="unavailable", sentence=f"The {new.label} is not available at the moment.")
    return None


def _missing(order: Order, wanted: Iterable[str]) -> Refusal | None:
    asked = Counter(wanted)
    if not asked:
        return Refusal(code="no_items", sentence="Please tell me which items.")
    if asked - Counter(item.id for item in order.items):
        return Refusal(code="no_such_item", sentence=f"That item is not in order {order.number}.")
    return None


def _piece(order: Order, item: str) -> Item:
    return next(piece for piece in order.items if piece.id == item)


def _owed(difference: Decimal, method: str) -> Payment:
    return Payment(kind="payment" if difference > 0 else "refund", amount=abs(difference), method=method)


def _too_short(policy: Policy, method: PaymentMethod, amount: Decimal) -> Refusal | None:
    if method.balance is None or method.balance >= amount:
        return None
    left, asked = f"{policy.currency}{method.balance:,.2f}", f"{policy.currency}{amount:,.2f}"
    return Refusal(code="gift_card_short", sentence=f"The gift card has {left} left, which doesn't cover {asked}.")


def _unknown_payment() -> Refusal:
    return Refusal(code="unknown_payment", sentence="I can't find that payment method on your account.")


def _bad_address(address: ShopAddress) -> Refusal | None:
    if address.line1.strip() and address.city.strip() and address.postcode.strip() and address.country.strip():
        return None
    return Refusal(code="bad_address", sentence="An address needs a street, a city, a postcode and a country.")


def _settle(customer: Customer, money: Iterable[Payment]) -> Customer:
    """Gift cards are charged and refilled at once; the other methods are the bank's business."""
    balances = {method.id: method.balance for method in customer.payment_methods if method.balance is not None}
    for payment in money:
        if payment.method in balances:
            balances[payment.method] += payment.amount if payment.kind == "refund" else -payment.amount
    methods = tuple(
        replace(method, balance=balances[method.id]) if method.id in balances else method
        for method in customer.payment_methods
    )
    return replace(customer, payment_methods=methods)
