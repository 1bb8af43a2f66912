"""Dies at every durable boundary, five times each: `python -m tests.crashes [--store sqlite] [--point before_send]`.

Prints a row for each point; with `--json` a line for each, for the tests. Exit code 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import msgspec

from tests.crashes.keeper import AT_ONCE, Outcome, Plan, copy_file, fork, run_all
from tests.crashes.life import PATIENCE, Life, prepare, warm_up
from tests.crashes.points import Break, StoreKind, points_of
from tests.servers import FAST, PostgresServer

STORES: tuple[StoreKind, ...] = ("sqlite", "postgres")


def main() -> int:
    """Run what was asked for; 1 if anything was wrong."""
    asked = _parser().parse_args()
    chosen = [plan for store in asked.store or STORES for plan in _plans(store, asked.point or ())]
    plans = [plan._replace(broken=asked.broken, patience=asked.patience) for plan in chosen]
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-crashes-"))
    say = _say_json if asked.json else _say_row
    began, wrong = time.perf_counter(), 0
    if not asked.json:
        _say("| point | deaths | lost | twice | out of order | took |\n|---|---|---|---|---|---|")
    try:
        with _databases(folder, {plan.store for plan in plans}) as make:
            for outcome in run_all(plans, folder, make, asked.at_once):
                say(outcome)
                wrong += bool(outcome.wrong)
    finally:
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
    if not asked.json:
        kept = f"; kept in {folder}" if asked.keep else ""
        _say(f"{len(plans)} runs in {time.perf_counter() - began:.0f} s, {wrong} with something wrong{kept}")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--store", choices=STORES, action="append", help="this one only")
    parser.add_argument("--point", action="append", help="this one only; may be given several times")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="runs side by side")
    parser.add_argument("--json", action="store_true", help="a line for each point")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all runs")
    parser.add_argument("--break", dest="broken", choices=get_args(Break)[1:], default="", help="take this out")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds after which a life is stuck")
    return parser


def _plans(store: StoreKind, names: Sequence[str]) -> list[Plan]:
    plans = [Plan(store, None), Plan(store, None, blind=True)]
    plans += [Plan(store, point) for point in points_of(store)]
    plans += [Plan(store, point, blind=True) for point in points_of(store, blind=True)]
    return [plan for plan in plans if not names or (plan.point.name if plan.point else "nobody") in names]


@contextlib.contextmanager
def _databases(folder: Path, stores: set[str]) -> Iterator[Callable[[Plan, Path], str]]:
    """Makes a migrated database for a plan."""
    template = folder / "template"
    template.mkdir()
    made: dict[str, Callable[[Path], str]] = {}
    with contextlib.ExitStack() as stack:
        if "sqlite" in stores:
            _prepare(Life(template, "", blind=False))
            made["sqlite"] = copy_file(template / "frontdesk.db")
        if "postgres" in stores:
            warm_up()
            server = PostgresServer(FAST)
            stack.callback(server.throw_away)
            server.start()
            server.sql("CREATE DATABASE migrated TEMPLATE template0")
            _prepare(Life(template, server.url("migrated"), blind=False))
            made["postgres"] = lambda _: server.new_database("migrated")
        yield lambda plan, place: made[plan.store](place)


def _prepare(life: Life) -> None:
    _, status = os.waitpid(fork(prepare(life), life.folder), 0)
    assert status == 0, "the template could not be made"


def _say_json(outcome: Outcome) -> None:
    point = outcome.plan.point
    _say(
        msgspec.json.encode(
            {
                "name": outcome.plan.name,
                "point": point.name if point else "",
                "deaths": outcome.deaths,
                "wrong": outcome.wrong,
                "passed": outcome.passed,
                "seconds": outcome.seconds,
            }
        ).decode()
    )


def _say_row(outcome: Outcome) -> None:
    verdict = outcome.verdict
    cells = (outcome.plan.name, outcome.deaths, verdict.lost, verdict.twice, verdict.reordered)
    _say("| " + " | ".join(map(str, cells)) + f" | {outcome.seconds:.1f} s |")
    for line in outcome.wrong:
        _say(f"    {line}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
