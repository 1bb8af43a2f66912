"""What may be spent on models in a day, and the ladder that is gone down as it is spent. Pure; knows no store.

    budgets:
      person: {per_day: 0.50}
      total:  {per_day: 20, cheaper_at: 0.6, shorter_at: 0.8, at_end: person}

Each budget holds for one person, one skill, one tenant, or for everything (`total`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from bot.messages import Value
from bot.ports.llm import Payer
from bot.settings.sections import Section

Level = Literal["free", "cheaper", "shorter"]
"""How a call that is allowed should be made: as routed, by cheaper models only, or by those and with less context."""

MILLION = 1_000_000


class Budget(Section):
    """So much may be spent in a day (UTC), in the currency of the prices; from which shares on it is spent sparingly.

    `at_end` is what the person gets once it is spent: a sentence of the house ("canned"), or a human agent ("person").
    """

    per_day: Annotated[Decimal, Field(gt=0)]
    cheaper_at: Annotated[float, Field(ge=0, le=1)] = 0.7
    shorter_at: Annotated[float, Field(ge=0, le=1)] = 0.9
    at_end: Literal["canned", "person"] = "canned"

    @property
    def limit(self) -> int:
        """In millionths."""
        return int(self.per_day * MILLION)


class BudgetSettings(Section):
    """Budgets of a day. `skills` and `tenants` name single ones; `skill` and `tenant` hold for each other one."""

    total: Budget | None = None
    tenant: Budget | None = None
    skill: Budget | None = None
    person: Budget | None = None
    skills: dict[str, Budget] = Field(default_factory=dict)
    tenants: dict[str, Budget] = Field(default_factory=dict)

    def of(self, payer: Payer) -> Iterator[tuple[Account, Budget]]:
        """The budgets that a payer's calls are counted against."""
        held: tuple[tuple[Scope, str, Budget | None], ...] = (
            ("total", "", self.total),
            ("tenant", payer.tenant, self.tenants.get(payer.tenant, self.tenant)),
            ("skill", payer.skill, self.skills.get(payer.skill, self.skill)),
            ("person", payer.person, self.person),
        )
        for scope, name, budget in held:
            if budget is not None and (name or scope in ("total", "tenant")):
                yield Account(scope=scope, name=name), budget


Scope = Literal["total", "tenant", "skill", "person"]


class Account(Value, frozen=True):
    """Whose money it is."""

    scope: Scope
    name: str


def level_of(budgets: Mapping[Account, Budget], used: Mapping[Account, int]) -> Level:
    """The rung that the tightest of these budgets asks for, `used` millionths into the day."""
    shares = {account: used.get(account, 0) / budget.limit for account, budget in budgets.items()}
    if any(shares[account] >= budget.shorter_at for account, budget in budgets.items()):
        return "shorter"
    if any(shares[account] >= budget.cheaper_at for account, budget in budgets.items()):
        return "cheaper"
    return "free"
