"""kill -9 in the middle of conversations, in short; benchmarks/kills.py is the long form. And the checker itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.history import Record, check
from benchmarks.kills import Plan, storm


async def test_nothing_is_lost_or_said_twice_when_the_server_is_killed(tmp_path: Path) -> None:
    plan = Plan(
        seed=11, kills=6, conversations=20, orders=1, drop=0.01, during_start=0.0, longest_life=0.6, longest_pause=0.2
    )
    _, outcome = await storm(plan, tmp_path)
    counts = outcome.verdict.counts
    assert outcome.verdict.violations == []
    assert outcome.integrity == "ok"
    assert (counts["killed"], counts["finished"]) == (6, 20)
    assert counts["shown"] == 20 * 14
    # The storm did rage: webhooks had to come again, and outcomes were unknown.
    assert counts["sent"] > counts["acknowledged"]
    assert outcome.looked > 0


SCRIPT = Record(op="script", chat="C1", expected=["one", "two", "three"], steps=["bake"])
FINISHED = Record(op="finished", chat="C1")
LEDGER = ["run k1 bake", "durable bake"]


def shown(*texts: str) -> list[Record]:
    """Replies that the platform took, in this order."""
    return [Record(op="shown", chat="C1", text=text) for text in texts]


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        (("one", "three"), "lost"),
        (("one", "two", "two", "three"), "answered twice"),
        (("two", "one", "three"), "out of order"),
        (("one", "two", "sorry", "three"), "unexpected"),
    ],
)
def test_the_checker_finds(replies: tuple[str, ...], kind: str) -> None:
    verdict = check([SCRIPT, *shown(*replies), FINISHED], LEDGER)
    assert [violation.partition(":")[0] for violation in verdict.violations] == [kind]


@pytest.mark.parametrize(
    ("ledger", "kind"),
    [
        ([*LEDGER, "run k1 bake"], "steps run again"),
        (["run k1 bake", "run k2 bake", "durable bake"], "steps run again"),
        (["run k1 bake"], "steps not run"),
    ],
)
def test_the_checker_finds_steps(ledger: list[str], kind: str) -> None:
    verdict = check([SCRIPT, *shown("one", "two", "three"), FINISHED], ledger)
    assert [violation.partition(":")[0] for violation in verdict.violations] == [kind]


def test_the_checker_lets_a_step_be_cut_off_and_run_again() -> None:
    verdict = check([SCRIPT, *shown("one", "two", "three"), FINISHED], ["run k1 bake", *LEDGER, "durable bake"])
    assert verdict.violations == []
    assert verdict.counts["steps cut off, run again"] == 1


def test_the_checker_misses_whoever_did_not_finish() -> None:
    verdict = check([SCRIPT, *shown("one", "two", "three")], LEDGER)
    assert verdict.violations == ["unfinished: C1"]
