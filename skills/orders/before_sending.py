"""What can be done with an order before it is sent: cancel it, send it elsewhere, pay otherwise. Knows no rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot import Choice
from bot.ports import Cancel, ChangeAddress, ChangeOwnAddress, ChangePayment, Order, ShopAddress
from skills.orders.addresses import address_meant
from skills.orders.choosing import can, orders_meant
from skills.orders.confirming import next_steps, possible, settled
from skills.orders.identity import Visit
from skills.orders.pieces import method_meant
from skills.orders.words import method, money, pieces, safe

_OTHER = "Another reason"


async def cancel(visit: Visit) -> None:
    """Cancel each order that is meant."""
    for order in await orders_meant(visit, "Which order would you like to cancel?", can("cancel")):
        await _cancel(visit, order)


async def _cancel(visit: Visit, order: Order) -> None:
    reasons = visit.terms.cancel_reasons
    if not await possible(visit, Cancel(order=order.number, reason=reasons[0]), order):
        return
    reason = next((each for each in reasons if reason_said(each, visit.turn.text)), "")
    if not reason:
        reason = await visit.turn.ask(
            f"Why would you like to cancel order {safe(order.number)}?",
            like=reason_in(reasons),
            choices=[*(Choice(label=each.capitalize(), value=each) for each in reasons), _OTHER],
            key="reason",
        )
    would = f"I would cancel order **{safe(order.number)}** with {pieces(order.items)}."
    done = await settled(visit, Cancel(order=order.number, reason=reason), would, "Yes, cancel it", order)
    if done is not None:
        paid = money(done.money, visit.customer, visit.terms)
        await visit.turn.say(f"Done: order **{safe(order.number)}** is cancelled. {paid}".rstrip())


def reason_in(reasons: Sequence[str]) -> Callable[[str], str | None]:
    """Reads one of the shop's reasons from an answer; has a hint for who only says again that it is to be cancelled."""

    def reason(text: str) -> str | None:
        if re.search(r"\bcancel", text, re.IGNORECASE):
            raise ValueError("I can do that, I just need to know why.")
        return next((each for each in reasons if reason_said(each, text)), None)

    return reason


def reason_said(reason: str, text: str) -> bool:
    """Whether a message gives a reason by itself: "I don't need it any more" is "no longer needed"."""
    said, wanted = text.casefold(), reason.casefold()
    if wanted in said:
        return True
    if "need" in wanted:
        return bool(re.search(r"\b(?:no longer|don'?t|don’t|do not|not)\s+need", said))
    return "mistake" in wanted and "mistake" in said


async def change_address(visit: Visit) -> None:
    """Send each order that is meant elsewhere; the account's own address follows if that is wanted too."""
    address: ShopAddress | None = None
    for order in await orders_meant(visit, "Which order should go to another address?", can("address")):
        if not await possible(visit, ChangeAddress(order=order.number, address=order.address), order):
            continue
        address = address or await address_meant(visit, f"Where should order {safe(order.number)} go?", order.address)
        change = ChangeAddress(order=order.number, address=address)
        places = f"{safe(str(address))} instead of {safe(str(order.address))}"
        would = f"I would send order **{safe(order.number)}** to {places}."
        if await settled(visit, change, would, "Yes, send it there", order):
            await visit.turn.say(f"Done: order **{safe(order.number)}** will go to {safe(str(address))}.")
    if address is not None and address != visit.customer.address:
        await _keep(visit, address, "Shall I also use that address for your next orders?")
    elif address is None and not visit.named:
        await own_address(visit)


async def own_address(visit: Visit) -> None:
    """Change the address that the shop has for the customer's next orders."""
    address = await address_meant(
        visit,
        f"For your next orders I have {safe(str(visit.customer.address))}. What is the new address?",
        visit.customer.address,
    )
    await _keep(visit, address, f"I would use {safe(str(address))} for your next orders. Shall I do that?")


async def _keep(visit: Visit, address: ShopAddress, question: str) -> None:
    agreed = await visit.turn.ask(
        question,
        like=bool,
        choices=[Choice(label="Yes, please", value="yes"), Choice(label="No, thanks", value="no")],
        key="keep address",
    )
    if agreed not in (True, "yes"):
        await visit.turn.say("All right, the address on your account stays as it is.")
        return
    change = ChangeOwnAddress(address=address)
    done = await visit.turn.step(visit.orders.perform, visit.customer.id, change, visit.turn.uuid())
    sentence = getattr(done, "sentence", "Done: your next orders will go there.")
    await visit.turn.say("{sentence}", sentence=sentence)


async def change_payment(visit: Visit) -> None:
    """Pay for each order that is meant with another method of the customer's."""
    for order in await orders_meant(visit, "Which order would you like to pay for differently?", can("payment")):
        others = [each for each in visit.customer.payment_methods if each.id != order.payments[0].method]
        if not others:
            await visit.turn.say(
                "There is only one payment method on your account, so there is nothing to change to.",
                choices=["Talk to a person"],
            )
            return
        if not await possible(visit, ChangePayment(order=order.number, method=others[0].id), order, "gift_card_short"):
            continue
        chosen = await method_meant(visit, f"How would you like to pay for order {safe(order.number)}?", others)
        would = f"I would move the payment of order **{safe(order.number)}** to {method(visit.customer, chosen)}."
        change = ChangePayment(order=order.number, method=chosen)
        if await settled(visit, change, would, "Yes, move it", order):
            await visit.turn.say(
                f"Done: order **{safe(order.number)}** is now paid with {method(visit.customer, chosen)}.",
                choices=next_steps(order, without=("payment",)),
            )
