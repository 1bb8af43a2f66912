"""Keeps lives: forks a process for each, and when it has died at its point, another one on what is left.

The process that forks has no threads and no event loop, and has imported everything, so that a life costs no start of
Python.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.crashes.life import PATIENCE, STUCK, Life, live, quiet
from tests.crashes.points import Break, Point, StoreKind
from tests.crashes.script import chats, dark_chat
from tests.crashes.tripwire import DIED
from tests.crashes.verdict import Seen, Verdict, judge
from tests.crashes.world import Acknowledged, Appended, Done, Ending, Ticket, World

AT_ONCE = 4
"""Runs side by side: most of the time they wait for leases and graces."""


class Plan(NamedTuple):
    """Deaths at one point, on one store, with a platform that can be asked or a blind one. No point: nobody dies."""

    store: StoreKind
    point: Point | None
    blind: bool = False
    broken: Break = ""
    patience: float = PATIENCE

    @property
    def name(self) -> str:
        """What it is called in folders and tables."""
        return f"{self.store}-{'blind-' if self.blind else ''}{self.point.name if self.point else 'nobody'}"


class Outcome(NamedTuple):
    """What became of a plan. `trouble` is for what ended otherwise than it should."""

    plan: Plan
    deaths: int
    verdict: Verdict
    passed: dict[str, int]
    seconds: float
    trouble: str = ""

    @property
    def wrong(self) -> tuple[str, ...]:
        """Everything that is wrong."""
        missing = len(self.plan.point.at) - self.deaths if self.plan.point else 0
        short = (f"{missing} lives did not come by the point",) if missing else ()
        return ((self.trouble,) if self.trouble else ()) + short + self.verdict.wrong


class Run:
    """A plan under way. `make` makes its database and says its address; "" is for a file."""

    def __init__(self, plan: Plan, folder: Path, make: Callable[[Path], str]) -> None:
        self.plan, self._folder = plan, folder
        folder.mkdir()
        self._database = make(folder)
        self._lives = self._planned()
        self._began = time.perf_counter()
        self._deaths = 0
        self.outcome: Outcome | None = None

    def begin(self) -> int:
        """Fork the next life; its process id."""
        life = self._life = next(self._lives)
        return fork(live(life), self._folder)

    def ended(self, status: int) -> None:
        """A life has ended: at its point, at the end of the script, or in trouble."""
        code = os.waitstatus_to_exitcode(status)
        if code == DIED:
            self._deaths += self._life.point == (self.plan.point.name if self.plan.point else "")
            return
        trouble = "" if code == 0 else "it is stuck" if code in (STUCK, -signal.SIGALRM) else f"exit code {code}"
        self.outcome = self._judged(trouble)

    def _planned(self) -> Iterator[Life]:
        life = Life(self._folder, self._database, self.plan.blind, broken=self.plan.broken, patience=self.plan.patience)
        point = self.plan.point
        if point is not None and point.setup:
            yield life._replace(point=point.setup)
        for at in point.at if point else ():
            yield life._replace(point=point.name if point else "", at=at)
        yield life

    def _judged(self, trouble: str) -> Outcome:
        world, point = World(self._folder), self.plan.point
        script = [dark_chat()] if self.plan.blind else chats()
        seen = Seen(
            shown={chat.name: world.shown(chat.name) for chat in script},
            acknowledged=tuple(each.event for each in world.all(Acknowledged)),
            tickets=tuple(world.all(Ticket)),
            appended=tuple(world.all(Appended)),
            done=tuple(world.all(Done)),
            ending=world.all(Ending)[-1] if world.all(Ending) else None,
        )
        # Wherever it dies, a reply may be on its way just then, to a platform that can't be asked.
        repeats = self._deaths if self.plan.blind and point is not None else 0
        verdict = judge(script, seen, repeats=repeats)
        if not self._database and not trouble:
            trouble = _integrity(self._folder / "frontdesk.db")
        passed = seen.ending.passed if seen.ending else {}
        return Outcome(self.plan, self._deaths, verdict, passed, time.perf_counter() - self._began, trouble)


def run_all(
    plans: Sequence[Plan], folder: Path, make: Callable[[Plan, Path], str], at_once: int = AT_ONCE
) -> Iterator[Outcome]:
    """Run plans, some side by side; their outcomes as they come."""
    waiting, alive = list(reversed(plans)), dict[int, Run]()
    gc.collect()
    gc.freeze()
    while waiting or alive:
        while waiting and len(alive) < at_once:
            plan = waiting.pop()
            run = Run(plan, folder / plan.name, lambda place, plan=plan: make(plan, place))  # type: ignore[misc]
            alive[run.begin()] = run
        pid, status = os.wait()
        run = alive.pop(pid)
        run.ended(status)
        if run.outcome is None:
            alive[run.begin()] = run
        else:
            yield run.outcome


def fork(work: Coroutine[Any, Any, int], folder: Path) -> int:
    """Run a coroutine in a process of its own; the process id."""
    pid = os.fork()
    if pid:
        work.close()
        return pid
    code = 1
    try:
        signal.alarm(int(2 * PATIENCE))
        quiet(folder)
        code = asyncio.run(work)
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def copy_file(template: Path) -> Callable[[Path], str]:
    """Makes databases by copying a migrated file."""

    def make(folder: Path) -> str:
        shutil.copy(template, folder / "frontdesk.db")
        return ""

    return make


def _integrity(path: Path) -> str:
    raw = sqlite3.connect(path)
    (said,) = raw.execute("PRAGMA integrity_check").fetchone()
    raw.close()
    return "" if said == "ok" else f"integrity_check: {said}"
