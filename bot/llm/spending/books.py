"""The books: what each call to a model may cost before it is made, and what it did cost afterwards.

Money is held before a call and settled after it, in the database, so that several processes keep to one budget: at most
the calls that are in the air at the same time can go over it, and they can't, because each holds the most it may cost.

Everybody's calls want the rows of the same accounts. So units are not alone: each locks first its hold, then its line
of usage, then its accounts in the order of their names.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, Row, String, bindparam, delete, func, select, text

from bot.clock import Clock, Entropy
from bot.errors import FrontdeskError
from bot.llm.spending.budgets import Account, Budget, BudgetSettings, Level, level_of
from bot.llm.spending.tables import accounts, holds, metadata, usage
from bot.messages import Value
from bot.ports.llm import Payer, Rung
from bot.ports.models import Usage
from bot.store.database import Database
from bot.store.own_tables import OwnTables

HOLD = 900.0
"""Seconds after which a call that was never settled counts as made: its process died."""

_ADD_USAGE = text(
    """
INSERT INTO llm_usage (day, tenant, person, skill, task, prompt, provider, model,
  calls, failed, prompt_tokens, cached_tokens, completion_tokens, cost, milliseconds)
VALUES (:day, :tenant, :person, :skill, :task, :prompt, :provider, :model,
  1, :failed, :prompt_tokens, :cached_tokens, :completion_tokens, :cost, :milliseconds)
ON CONFLICT (day, tenant, person, skill, task, prompt, provider, model) DO UPDATE SET
  calls = llm_usage.calls + 1, failed = llm_usage.failed + excluded.failed,
  prompt_tokens = llm_usage.prompt_tokens + excluded.prompt_tokens,
  cached_tokens = llm_usage.cached_tokens + excluded.cached_tokens,
  completion_tokens = llm_usage.completion_tokens + excluded.completion_tokens,
  cost = llm_usage.cost + excluded.cost, milliseconds = llm_usage.milliseconds + excluded.milliseconds"""
)

# Locks the row, so two processes can't both see the last cent; what of it is used then is the answer.
_MOVE = text(
    """
INSERT INTO llm_accounts (day, scope, name, spent, held) VALUES (:day, :scope, :name, :spent, :held)
ON CONFLICT (day, scope, name) DO UPDATE SET
  spent = llm_accounts.spent + excluded.spent, held = llm_accounts.held + excluded.held
RETURNING llm_accounts.spent + llm_accounts.held"""
)

# Whoever settles or forgets one of these at this moment has locked it: then it is no longer ours to forget.
_DEAD = select(holds).where(holds.c.until < bindparam("now")).order_by(holds.c.id).with_for_update(skip_locked=True)


class Spent(FrontdeskError):
    """A budget of the day is used up; `at_end` says what the person gets instead."""

    def __init__(self, account: Account, at_end: Literal["canned", "person"]) -> None:
        self.account, self.at_end = account, at_end
        super().__init__(f"the day's budget of {account.scope} {account.name or 'all'} is spent")


class Reservation(Value, frozen=True):
    """The right to make one call: `level` says how sparingly. Without an id no budget applies."""

    id: str = ""
    level: Level = "free"


class UsageEntry(Value, frozen=True):
    """What one attempt used. `problem` is empty when it worked; `cost` is in millionths."""

    payer: Payer
    task: str
    provider: str
    model: str
    prompt: str = ""
    usage: Usage = Usage()
    cost: int = 0
    milliseconds: float = 0.0
    problem: str = ""
    rung: Rung = "model"


class Total(Value, frozen=True):
    """A line of a report: the values of what it was grouped by, and the sums."""

    names: tuple[str, ...]
    calls: int
    failed: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost: int


class Books(ABC):
    """Holds and settles."""

    @abstractmethod
    async def reserve(self, payer: Payer, most: int) -> Reservation:
        """Hold `most` millionths, the highest cost that one attempt may have. Raises Spent, unless it is 0."""

    @abstractmethod
    async def settle(self, reservation: Reservation, entry: UsageEntry) -> None:
        """Write down what the attempt did cost, and give back what was held; also after failures and cancellation."""


class Ledger(Books):
    """The books in the bot's database, with tables of their own that are made when they are first needed."""

    def __init__(self, database: Database, clock: Clock, entropy: Entropy, budgets: BudgetSettings) -> None:
        self._tables = OwnTables(database, metadata)
        self._clock, self._entropy, self._budgets = clock, entropy, budgets

    async def reserve(self, payer: Payer, most: int) -> Reservation:
        """Hold `most` in every budget that applies; without one nothing is written. Raises Spent."""
        budgets = dict(self._budgets.of(payer))
        if not budgets:
            return Reservation()
        database = await self._tables.make()
        hold = self._entropy.token()
        now = self._clock.now()
        level = await database.write(_hold(hold, _day(now), budgets, most, now), alone=False)
        return Reservation(id=hold, level=level)

    async def settle(self, reservation: Reservation, entry: UsageEntry) -> None:
        """Add the attempt to the usage of the day, and to what its budgets have spent."""
        database = await self._tables.make()
        await database.write(_settle(reservation.id, _day(self._clock.now()), entry), alone=False)

    async def totals(self, by: Sequence[str], *, first: str = "", last: str = "9999") -> list[Total]:
        """What was used from the day `first` to the day `last`, by some of GROUPS, the dearest first."""
        if not await self._tables.there():
            return []
        return await self._tables.database.read(_totals(by, first, last))

    async def spent(self, payer: Payer) -> dict[Account, int]:
        """What of today's budgets is spent or held, in millionths."""
        if not await self._tables.there():
            return {}
        asked = [account for account, _ in self._budgets.of(payer)]
        return await self._tables.database.read(_used(_day(self._clock.now()), asked))


def _day(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date().isoformat()


def _hold(
    hold: str, day: str, budgets: Mapping[Account, Budget], most: int, now: float
) -> Callable[[Connection], Level]:
    asked = sorted(budgets, key=lambda account: (account.scope, account.name))

    def write(connection: Connection) -> Level:
        moves = _Moves()
        for held in connection.execute(_DEAD, {"now": now}).all():
            connection.execute(delete(holds).where(holds.c.id == held.id))
            moves.let_go(held, held.most)
        for account in asked:
            moves.add(day, account, held=most)
        names = msgspec.json.encode(asked).decode()
        connection.execute(holds.insert().values(id=hold, day=day, accounts=names, most=most, until=now + HOLD))
        after = moves.make(connection)
        used = {account: after[day, account.scope, account.name] - most for account in asked}
        for account in asked:
            if most and used[account] + most > budgets[account].limit:  # what costs nothing is never refused
                raise Spent(account, budgets[account].at_end)
        return level_of(budgets, used)

    return write


def _settle(hold: str, day: str, entry: UsageEntry) -> Callable[[Connection], None]:
    named = {
        "day": day,
        "tenant": entry.payer.tenant,
        "person": entry.payer.person,
        "skill": entry.payer.skill,
        "task": entry.task,
        "prompt": entry.prompt,
        "provider": entry.provider,
        "model": entry.model,
    }
    # What is too long for its column PostgreSQL would refuse: a long name must not cost the whole line.
    row = {name: value[: _longest(name)] for name, value in named.items()} | {
        "failed": int(bool(entry.problem)),
        "prompt_tokens": entry.usage.prompt,
        "cached_tokens": entry.usage.cached,
        "completion_tokens": entry.usage.completion,
        "cost": entry.cost,
        "milliseconds": round(entry.milliseconds),
    }

    def write(connection: Connection) -> None:
        ending = delete(holds).where(holds.c.id == hold).returning(*holds.c)
        held = connection.execute(ending).one_or_none() if hold else None
        connection.execute(_ADD_USAGE, row)
        if held is not None:
            moves = _Moves()
            moves.let_go(held, entry.cost)
            moves.make(connection)

    return write


def _longest(column: str) -> int | None:
    kind = usage.c[column].type
    return kind.length if isinstance(kind, String) else None


class _Moves:
    """What is to be added to accounts: each is touched once, in one order, so that no two units wait in a ring."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, str], tuple[int, int]] = {}

    def add(self, day: str, account: Account, *, spent: int = 0, held: int = 0) -> None:
        """So much more is spent, or held."""
        key = (day, account.scope, account.name)
        before = self._sums.get(key, (0, 0))
        self._sums[key] = (before[0] + spent, before[1] + held)

    def let_go(self, held: Row[tuple[object, ...]], cost: int) -> None:
        """A hold has ended: `cost` of it was spent."""
        for account in msgspec.json.decode(str(held.accounts), type=list[Account]):
            self.add(str(held.day), account, spent=cost, held=-held.most)

    def make(self, connection: Connection) -> dict[tuple[str, str, str], int]:
        """Write them; what of each account is spent or held now."""
        used = {}
        for key, (spent, held) in sorted(self._sums.items()):
            named = dict(zip(("day", "scope", "name"), key, strict=True))
            used[key] = int(connection.execute(_MOVE, {**named, "spent": spent, "held": held}).scalar_one())
        return used


def _used(day: str, asked: Sequence[Account]) -> Callable[[Connection], dict[Account, int]]:
    def read(connection: Connection) -> dict[Account, int]:
        rows = connection.execute(
            select(accounts.c.scope, accounts.c.name, accounts.c.spent + accounts.c.held).where(
                accounts.c.day == day, accounts.c.name.in_({account.name for account in asked})
            )
        )
        known = {(scope, name): used for scope, name, used in rows}
        return {account: known.get((account.scope, account.name), 0) for account in asked}

    return read


def _totals(by: Sequence[str], first: str, last: str) -> Callable[[Connection], list[Total]]:
    grouped = [usage.c[name] for name in by]
    names = ("calls", "failed", "prompt_tokens", "cached_tokens", "completion_tokens", "cost")
    sums = [func.sum(usage.c[name]) for name in names]

    def read(connection: Connection) -> list[Total]:
        wanted = select(*grouped, *sums).where(usage.c.day >= first, usage.c.day <= last)
        rows = connection.execute(wanted.group_by(*grouped).order_by(func.sum(usage.c.cost).desc(), *grouped))
        return [
            Total(
                names=tuple(str(value) for value in row[: len(grouped)]),
                **{name: int(value or 0) for name, value in zip(names, row[len(grouped) :], strict=True)},
            )
            for row in rows
        ]

    return read
