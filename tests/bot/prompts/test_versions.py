"""Versions side by side: everybody keeps theirs, shares come out, a rollback reaches every process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import PromptMisused, StoreUnavailable
from bot.processes.bus import LocalBus
from bot.prompts import Prompts, Records
from bot.prompts.prompts import LOOKS
from bot.prompts.report import difference, wilson
from bot.prompts.versions import choose, shares
from bot.store.contract import Store
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from bot.testing.clock import VirtualClock
from tests.bot.prompts.folders import PLAIN, loaded
from tests.servers import PostgresServer, postgres

__all__ = ["postgres"]

SHOP = "answer/shop"
PEOPLE = [f"p{number}" for number in range(4000)]


def version(number: int, share: str = "") -> str:
    return PLAIN.replace("version: 1", f"version: {number}" + (f"\nshare: {share}" if share else ""))


def files(*, tried: str = "10") -> dict[str, str]:
    return {
        "answer/shop@1.md": version(1),
        "answer/shop.md": version(2),
        "answer/shop@3.md": version(3, tried),
    }


def test_shares_come_out_and_everybody_keeps_their_version(tmp_path: Path) -> None:
    ten = loaded(tmp_path / "a", files()).versions(SHOP)
    thirty = loaded(tmp_path / "b", files(tried="30")).versions(SHOP)
    assert shares(ten) == {2: 90.0, 3: 10.0}
    before = {person: choose(ten, person).version for person in PEOPLE}
    after = {person: choose(thirty, person).version for person in PEOPLE}
    assert before == {person: choose(ten, person).version for person in PEOPLE}
    assert 0.08 < sum(got == 3 for got in before.values()) / len(PEOPLE) < 0.12
    assert 0.28 < sum(got == 3 for got in after.values()) / len(PEOPLE) < 0.32
    assert all(after[person] == 3 for person, got in before.items() if got == 3), "a growing share takes nobody's away"
    assert choose(ten, "").version == 2


def test_a_withdrawal_moves_its_own_people_only(tmp_path: Path) -> None:
    both = files() | {"answer/shop@4.md": version(4, "20")}
    versions = loaded(tmp_path, both).versions(SHOP)
    before = {person: choose(versions, person).version for person in PEOPLE}
    after = {person: choose(versions, person, {3}).version for person in PEOPLE}
    assert {before[person] for person in PEOPLE if before[person] != after[person]} == {3}
    assert {after[person] for person in PEOPLE if before[person] == 3} == {2}
    assert 0.17 < sum(got == 4 for got in after.values()) / len(PEOPLE) < 0.23
    assert shares(versions, {3, 4}) == {2: 100.0}
    assert shares(versions, {2, 3, 4}) == {1: 100.0}


def test_a_version_for_everybody(tmp_path: Path) -> None:
    versions = loaded(tmp_path, files(tried="100")).versions(SHOP)
    assert shares(versions) == {3: 100.0}
    assert {choose(versions, person).version for person in PEOPLE[:500]} == {3}


@asynccontextmanager
async def opened(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    store: Store = SqliteStore(tmp_path / "db.sqlite")
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        store = PostgresStore(server.new_database())
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


async def got(prompts: Prompts, person: str) -> str:
    return (await prompts.render(SHOP, {"question": "?"}, person=person)).prompt


@BOTH
async def test_a_rollback_reaches_every_process_without_a_restart(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(kind, tmp_path, request) as store:
        clock, bus = VirtualClock(), LocalBus()
        here = loaded(tmp_path, files(tried="100"), clock=clock, records=Records(store), bus=bus)
        near = loaded(tmp_path, files(tried="100"), clock=clock, records=Records(store), bus=bus)
        far = loaded(tmp_path, files(tried="100"), clock=clock, records=Records(store))
        assert {await got(one, "p1") for one in (here, near, far)} == {f"{SHOP}@3"}
        assert await here.rollback(SHOP) == f"{SHOP}@3 goes to nobody any more. {SHOP}@2 goes to 100%."
        assert await got(here, "p1") == f"{SHOP}@2"
        assert await got(near, "p1") == f"{SHOP}@2", "by the bus, at once"
        assert await got(far, "p1") == f"{SHOP}@3"
        clock.move(clock.now() + LOOKS)
        assert await got(far, "p1") == f"{SHOP}@2", "by looking, soon"
        assert await here.rollback(SHOP) == f"{SHOP}@2 goes to nobody any more. {SHOP}@1 goes to 100%."
        with pytest.raises(PromptMisused, match=f"{SHOP}@1 is all there is"):
            await here.rollback(SHOP)
        assert await here.restore(f"{SHOP}@3") == f"{SHOP}@3 is back. {SHOP}@3 goes to 100%."
        assert await got(near, "p1") == f"{SHOP}@3"
        with pytest.raises(PromptMisused, match=f"{SHOP}@3 was not withdrawn"):
            await here.restore(f"{SHOP}@3")
        for one in (here, near, far):
            await one.stop()


@BOTH
async def test_outcomes_are_counted_by_people_once_each(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(kind, tmp_path, request) as store:
        clock, records = VirtualClock(), Records(store)
        prompts = loaded(tmp_path, files(tried="50"), clock=clock, records=records)
        seen = {person: await got(prompts, person) for person in PEOPLE[:60]}
        for _ in range(3):
            await got(prompts, "p1")
        for person in PEOPLE[:10]:
            await prompts.outcome("handed_off", person)
            await prompts.outcome("handed_off", person)
        await prompts.outcome("thumbs_up", "p1", seen["p1"])
        await prompts.outcome("thumbs_down", "p1", f"{SHOP}@7")
        await prompts.outcome("resolved", "nobody we know")
        tally = await records.tally()
        assert sum(one.people for one in tally.values()) == 60
        assert sum(one.times for one in tally.values()) == 63
        assert sum(one.outcomes["handed_off"] for one in tally.values()) == 10
        assert sum(one.outcomes["thumbs_up"] for one in tally.values()) == 1
        assert sum(one.outcomes["thumbs_down"] + one.outcomes["resolved"] for one in tally.values()) == 0
        await prompts.forget("p1")
        assert sum(one.people for one in (await records.tally()).values()) == 59
        told = await prompts.listed()
        assert told.startswith("answer/shop\n  @3  50%        The first one.\n")
        assert "handed off" in told
        assert "@3 against @2: handed off" in told
        assert "  @1  nobody     The first one." in told
        await prompts.stop()


@BOTH
async def test_what_was_gathered_is_written_when_the_bot_stops(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(kind, tmp_path, request) as store:
        records = Records(store)
        prompts = loaded(tmp_path, files(), clock=VirtualClock(), records=records)
        mine = await got(prompts, "p1")
        assert await records.tally() == {}
        await prompts.stop()
        assert list(await records.tally()) == [(SHOP, int(mine.partition("@")[2]))]


class Down(Records):
    """A database that is gone."""

    def __init__(self) -> None:
        pass

    async def withdrawn(self) -> dict[str, frozenset[int]]:
        raise StoreUnavailable("gone")

    async def shown(self, times: object, now: float) -> None:
        raise StoreUnavailable("gone")


async def test_an_answer_needs_no_database(tmp_path: Path) -> None:
    prompts = loaded(tmp_path, files(), clock=VirtualClock(), records=Down())
    assert (await got(prompts, "p1")).startswith(SHOP)
    await prompts.stop()


def test_intervals_are_those_of_the_books() -> None:
    # Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10: 56/70 - 48/80.
    low, high = difference(56, 70, 48, 80)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)
    # Wilson's interval of 81/263, as in Newcombe's companion paper on single proportions.
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0
