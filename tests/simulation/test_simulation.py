"""The real bot on several nodes, through kills, pauses, wrong clocks, bad networks: nothing lost or said twice.

Each seed is one run and always the same one. More of them: `python -m tests.simulation --seeds 5000`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.world import Break, simulate

BLOCK = 50


@pytest.mark.parametrize("first", range(0, 300, BLOCK))
def test_nothing_is_violated(first: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, first + BLOCK):
        run = simulate(seed)
        assert not run.violation, f"{run.violation}\nagain: python -m tests.simulation --seed {seed}"
        counts.update(run.counts)
    # Without these, nothing would have been tried.
    trouble = ("kill", "pause", "stop", "clock", "outage", "fenced", "lost answers", "tickets", "parked", "copies")
    whims = ("edits", "edits in time", "answers replaced", "consents", "rows suppressed")
    assert min(counts[name] for name in (*trouble, *whims)) >= 3, counts
    ways = ("answer lost", "swallowed", "slow", "500 after", "500 before", "later", "not reached", "refused")
    assert min(counts[f"sends {way}"] for way in ways) >= 3, counts
    assert counts["rows sent"] > 1000


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("fencing", "a commit that does not fit"),
        ("reconcile", "said twice"),
        ("silence", "to somebody who opted out"),
        ("amending", "answered"),
        ("editing", "has the answers to"),
    ],
)
def test_what_is_taken_out_is_missed_within_50_seeds(broken: Break, what: str) -> None:
    # It may show in other ways first: a reply whose outcome nobody looks up may also count as held back.
    found = (simulate(seed, broken).violation or "" for seed in range(50))
    assert any(what in violation for violation in found), f"nobody noticed that {broken} was missing"


def test_a_seed_is_always_the_same_run() -> None:
    first, again, other = simulate(7), simulate(7), simulate(8)
    assert first == again
    assert first.trace != other.trace


def test_the_hash_seed_of_python_does_not_matter() -> None:
    code = "from tests.simulation.world import simulate; print(simulate(11))"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "4711")
    }
    assert runs == {f"{simulate(11)}\n"}
