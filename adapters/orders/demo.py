"""The embedded shop: the Orders port over a SQLite file of its own. Knows no conversations and no channels.

The rules are in the policy file, their meaning in `rules`. SQLite blocks, so every call runs on a thread, one at a
time; each change and its idempotency key are stored in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
import structlog
from msgspec.structs import replace

from adapters.orders.codes import OneTimeCodes
from adapters.orders.database import ShopFile, Stock
from adapters.orders.policy import Policy
from adapters.orders.rules import Rules, allowed, not_found
from adapters.orders.seed import SIGN_IN_HINT, seeded_stock
from adapters.orders.tau2 import load_stock
from bot import Clock, Entropy, Lifecycle
from bot.ports import (
    Change,
    ChangeOwnAddress,
    Claim,
    CodeSent,
    Customer,
    Done,
    Order,
    Orders,
    Plan,
    Product,
    Refusal,
    Variant,
)

log = structlog.get_logger()
T = TypeVar("T")
Answer = TypeVar("Answer", Done, CodeSent, Customer)


class DemoShop(Orders, Lifecycle):
    """A shop in one SQLite file, filled at first use: with the seeded shop, or with the public one from `folder`."""

    def __init__(
        self,
        path: str | Path,
        policy: Policy,
        clock: Clock,
        entropy: Entropy,
        *,
        folder: Path | None = None,
    ) -> None:
        self._path, self._policy, self._clock, self._folder = path, policy, clock, folder
        self._codes = OneTimeCodes(policy.identity, policy.shop, entropy)
        self._zone = ZoneInfo(policy.time_zone)
        self._lock = Lock()
        self._file: ShopFile | None = None
        self.terms = policy.terms(SIGN_IN_HINT if policy.identity.show_codes and folder is None else "")

    async def start(self) -> None:
        """Open the shop now, and fill it if it is new; otherwise the first call does."""
        await self._run(lambda file: None)

    async def stop(self) -> None:
        """Close the file; a later call opens it again."""
        await asyncio.to_thread(self._close)

    async def find_customer(self, claim: Claim) -> Customer | None:
        """The one customer whom the claim names."""
        return await self._run(lambda file: file.claimed(claim))

    async def send_code(self, claim: Claim, key: str) -> CodeSent | Refusal:
        """Make a code; "sending" it is a row in the outbox table."""
        now = self._clock.now()
        answer = await self._once(CodeSent, key, claim, lambda file: self._codes.send(file, claim, now))
        if isinstance(answer, CodeSent):
            log.info("code_sent", code_id=answer.id)
        return answer

    async def check_code(self, code_id: str, code: str, key: str) -> Customer | Refusal:
        """Who it is, if the code is right; each try counts."""
        now = self._clock.now()
        return await self._once(
            Customer, key, (code_id, code), lambda file: self._codes.check(file, code_id, code, now)
        )

    async def customer(self, customer: str) -> Customer | None:
        """The customer of that id."""
        return await self._run(lambda file: file.customer(customer))

    async def find(self, number: str, customer: str) -> Order | None:
        """The customer's own order of that number."""
        return await self._run(lambda file: self._own(file, number, customer))

    async def recent(self, customer: str, limit: int = 5) -> list[Order]:
        """The customer's orders, newest first."""
        return await self._run(lambda file: [self._shown(order) for order in file.orders_of(customer, limit)])

    async def product(self, product: str) -> Product | None:
        """The product of that id."""
        return await self._run(lambda file: file.product(product))

    async def variant(self, item: str) -> Variant | None:
        """The variant of that item id."""
        return await self._run(lambda file: file.variant(item))

    async def plan(self, customer: str, change: Change) -> Plan | Refusal:
        """What the change would do."""
        return await self._run(lambda file: self._decide(file, customer, change))

    async def perform(self, customer: str, change: Change, key: str) -> Done | Refusal:
        """Do it, once per key."""
        return await self._once(Done, key, (customer, change), lambda file: self._change(file, customer, change))

    async def everything(self) -> Stock:
        """The whole shop as it is now, for exports and tests."""
        return await self._run(lambda file: file.everything())

    async def outbox(self) -> list[tuple[str, str]]:
        """What the shop has sent: recipient and body, oldest first."""
        return await self._run(lambda file: file.outbox())

    def _own(self, file: ShopFile, number: str, customer: str) -> Order | None:
        order = file.order(number)
        return self._shown(order) if order is not None and order.customer == customer else None

    def _shown(self, order: Order) -> Order:
        return replace(order, can=allowed(self._policy, order, self._today()))

    def _decide(self, file: ShopFile, customer: str, change: Change) -> Plan | Refusal:
        who = file.customer(customer)
        number = "" if isinstance(change, ChangeOwnAddress) else change.order
        if who is None:
            return not_found(number)
        order = file.order(number) if number else None
        plan = Rules(self._policy, file.variant, self._today()).decide(who, order, change)
        if isinstance(plan, Plan) and plan.order is not None:
            return replace(plan, order=self._shown(plan.order))
        return plan

    def _change(self, file: ShopFile, customer: str, change: Change) -> Done | Refusal:
        plan = self._decide(file, customer, change)
        if isinstance(plan, Refusal):
            return plan
        file.save(replace(plan.order, can=()) if plan.order else None, plan.customer)
        return Done(order=plan.order, customer=plan.customer, money=plan.money, notes=plan.notes)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now(), self._zone).date()

    async def _once(
        self, type_: type[Answer], key: str, request: object, do: Callable[[ShopFile], Answer | Refusal]
    ) -> Answer | Refusal:
        """Do it in one transaction with its key; a key that was answered before answers the same."""
        asked = msgspec.json.encode(request)

        def once(file: ShopFile) -> Answer | Refusal:
            with file.transaction():
                if known := file.answered(key):
                    if known[0] != asked:
                        return Refusal(
                            code="key_reused", sentence="Something went wrong on our side; nothing was changed."
                        )
                    return msgspec.json.decode(known[1], type=type_)
                answer = do(file)
                if not isinstance(answer, Refusal):
                    file.remember(key, asked, msgspec.json.encode(answer))
                return answer

        return await self._run(once)

    async def _run(self, work: Callable[[ShopFile], T]) -> T:
        return await asyncio.to_thread(self._locked, work)

    def _locked(self, work: Callable[[ShopFile], T]) -> T:
        with self._lock:
            if self._file is None:
                file = ShopFile(self._path)
                if file.empty:
                    file.fill(load_stock(self._folder) if self._folder else seeded_stock(self._today()))
                self._file = file
            return work(self._file)

    def _close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
