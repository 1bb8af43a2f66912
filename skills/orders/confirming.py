"""Say, then do: a change is spelled out, and made only after a clear yes. Does not know how the wish came up."""

from __future__ import annotations

from collections.abc import Sequence

from bot import Choice
from bot.ports import Action, Change, Done, Order, Refusal
from skills.orders.identity import Visit
from skills.orders.words import money, safe

_LABELS: dict[Action, str] = {
    "cancel": "Cancel {}",
    "address": "Change the address of {}",
    "items": "Change the items of {}",
    "payment": "Change the payment of {}",
    "return": "Return items of {}",
    "exchange": "Exchange items of {}",
}
_SHOWN = 3


async def settled(visit: Visit, change: Change, would: str, yes: str, order: Order | None = None) -> Done | None:
    """Plan the change, spell it out, ask, and make it; None when it was refused or not wanted, which has been said.

    `would` says in CommonMark what would happen, without the money; `yes` is the label of the button that agrees.
    """
    turn, orders, customer = visit.turn, visit.orders, visit.customer
    plan = await turn.step(orders.plan, customer.id, change, effect=False)
    if isinstance(plan, Refusal):
        await refused(visit, plan, order)
        return None
    paid = money(plan.money, customer, visit.terms)
    parts = [would, paid, *map(safe, plan.notes), "Shall I do that?"]
    agreed = await turn.ask(
        " ".join(part for part in parts if part),
        like=bool,
        choices=[Choice(label=yes, value="yes"), Choice(label="No, leave it as it is", value="no")],
        key="agreed",
        help="Nothing has been changed yet. I do it only if you say yes.",
    )
    if agreed not in (True, "yes"):
        await turn.say("All right, I've left everything as it was.")
        return None
    done = await turn.step(orders.perform, customer.id, change, turn.uuid())
    if isinstance(done, Refusal):
        await refused(visit, done, order)
        return None
    return done


async def refused(visit: Visit, refusal: Refusal, order: Order | None) -> None:
    """Say why not, and what can be done instead."""
    await visit.turn.say("{sentence}", sentence=refusal.sentence, choices=[*next_steps(order), "Talk to a person"])


def next_steps(order: Order | None, *, without: Sequence[Action] = ()) -> list[str]:
    """What can be done with an order, as things to say; each names its order, so it works at any time."""
    if order is None:
        return []
    return [_LABELS[action].format(order.number) for action in order.can if action not in without][:_SHOWN]


async def possible(visit: Visit, change: Change, order: Order, *fine: str) -> bool:
    """Whether the order's state allows such a change, before anything is asked; if not, that has been said.

    The change is only a probe: refusals that depend on answers still to come are `fine`.
    """
    plan = await visit.turn.step(visit.orders.plan, visit.customer.id, change, effect=False)
    if isinstance(plan, Refusal) and plan.code not in fine:
        await refused(visit, plan, order)
        return False
    return True
