"""What became of those who got a version of a prompt, and which versions were withdrawn: in tables of its own.

Counted are people, each once: a version's share of people who were handed off is a rate with an interval, which a count
of messages would not be. Who got what is written a little later, together; a process that is killed loses some seconds
of it. Outcomes and withdrawals are written at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

from sqlalchemy import Column, Connection, Float, Integer, MetaData, String, Table, Text, text

from bot.messages import Value
from bot.store.database import Database
from bot.store.own_tables import OwnTables

T = TypeVar("T")

Outcome = Literal["handed_off", "thumbs_up", "thumbs_down", "resolved"]

OUTCOMES: tuple[Outcome, ...] = ("resolved", "handed_off", "thumbs_up", "thumbs_down")

FRESH = 24 * 3600.0
"""Seconds for which an outcome is put down to a prompt that somebody got, unless it names the prompt."""

metadata = MetaData()

people = Table(
    "prompts_people",
    metadata,
    Column("prompt", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("person", String(40), primary_key=True),
    Column("times", Integer, nullable=False),
    Column("at", Float, nullable=False, index=True),
    Column("resolved", Integer, nullable=False, default=0),
    Column("handed_off", Integer, nullable=False, default=0),
    Column("thumbs_up", Integer, nullable=False, default=0),
    Column("thumbs_down", Integer, nullable=False, default=0),
)

withdrawals = Table(
    "prompts_withdrawn",
    metadata,
    Column("prompt", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Float, nullable=False),
)

_SHOWN = text(
    """INSERT INTO prompts_people (prompt, version, person, times, at, resolved, handed_off, thumbs_up, thumbs_down)
VALUES (:prompt, :version, :person, :times, :at, 0, 0, 0, 0) ON CONFLICT (prompt, version, person) DO UPDATE SET
times = prompts_people.times + excluded.times, at = excluded.at"""
)

_TALLY = text(
    """SELECT prompt, version, COUNT(*) AS people, SUM(times) AS times, SUM(resolved) AS resolved,
SUM(handed_off) AS handed_off, SUM(thumbs_up) AS thumbs_up, SUM(thumbs_down) AS thumbs_down
FROM prompts_people GROUP BY prompt, version"""
)

_WITHDRAW = text(
    "INSERT INTO prompts_withdrawn (prompt, version, at) VALUES (:prompt, :version, :at) ON CONFLICT DO NOTHING"
)

_RESTORE = text("DELETE FROM prompts_withdrawn WHERE prompt = :prompt AND version = :version")

_FORGET = text("DELETE FROM prompts_people WHERE person = :person")


class Shown(Value, frozen=True):
    """A version that somebody got."""

    prompt: str
    version: int
    person: str


class Tally(Value, frozen=True):
    """What became of the people who got a version."""

    people: int = 0
    times: int = 0
    outcomes: Mapping[Outcome, int] = {}


class Records:
    """The two tables; they are made when they are first needed."""

    def __init__(self, database: Database) -> None:
        self._tables = OwnTables(database, metadata)

    async def shown(self, times: Mapping[Shown, int], now: float) -> None:
        """Add to how often people got a version."""
        rows = [
            {"prompt": one.prompt, "version": one.version, "person": one.person, "times": many, "at": now}
            for one, many in sorted(times.items(), key=lambda item: (item[0].prompt, item[0].version, item[0].person))
        ]
        if rows:
            await self._write(lambda db: _done(db.execute(_SHOWN, rows)))

    async def became(self, outcome: Outcome, person: str, now: float, prompt: str = "", version: int = 0) -> int:
        """Put an outcome down to a version that the person got, or to all that they got of late; to how many."""
        where = "person = :person AND at > :since" if not prompt else "person = :person AND prompt = :prompt"
        if version:
            where += " AND version = :version"
        # The names of columns are ours: OUTCOMES has them all.
        statement = text(f"UPDATE prompts_people SET {OUTCOMES[OUTCOMES.index(outcome)]} = 1 WHERE {where}")  # noqa: S608
        values = {"person": person, "since": now - FRESH, "prompt": prompt, "version": version}
        return await self._write(lambda db: db.execute(statement, values).rowcount)

    async def tally(self) -> dict[tuple[str, int], Tally]:
        """The counts of every version."""
        if not await self._tables.there():
            return {}
        rows = await self._tables.database.read(lambda db: db.execute(_TALLY).all())
        return {
            (row.prompt, row.version): Tally(
                people=row.people,
                times=int(row.times),
                outcomes={outcome: int(getattr(row, outcome)) for outcome in OUTCOMES},
            )
            for row in rows
        }

    async def withdraw(self, prompt: str, version: int, now: float) -> None:
        """Give a version to nobody from now on."""
        await self._write(
            lambda db: _done(db.execute(_WITHDRAW, {"prompt": prompt, "version": version, "at": now})),
        )

    async def restore(self, prompt: str, version: int) -> bool:
        """Take a withdrawal back; whether there was one."""
        values = {"prompt": prompt, "version": version}
        return await self._write(lambda db: db.execute(_RESTORE, values).rowcount == 1)

    async def withdrawn(self) -> dict[str, frozenset[int]]:
        """The versions that nobody gets."""
        if not await self._tables.there():
            return {}
        rows = await self._tables.database.read(lambda db: db.execute(withdrawals.select()).all())
        return _by_name([(row.prompt, row.version) for row in rows])

    async def forget(self, person: str) -> None:
        """Delete what is known of a person."""
        if await self._tables.there():
            await self._tables.database.write(lambda db: _done(db.execute(_FORGET, {"person": person})))

    async def _write(self, unit: Callable[[Connection], T]) -> T:
        return await (await self._tables.make()).write(unit)


def _by_name(rows: Sequence[tuple[str, int]]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for prompt, version in rows:
        found[prompt] = found.get(prompt, frozenset()) | {version}
    return found


def _done(_: object) -> None:
    """A unit of work must not return its cursor."""
