"""One run: nodes, people, platforms, a database and a nemesis, from one seed; and what must be true at its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVarTuple

import structlog

from bot.errors import FrontdeskError
from tests.simulation.breaking import without_amending, without_fence, without_silence
from tests.simulation.database import Database
from tests.simulation.desk import Helpdesk
from tests.simulation.ending import check_desk, check_end
from tests.simulation.invariants import Checker, Violation, open_rows, open_turns
from tests.simulation.loop import Chores, SimulatedLoop
from tests.simulation.nemesis import Nemesis
from tests.simulation.node import Node, Outside
from tests.simulation.people import People
from tests.simulation.platform import BLIND, SEEN, Platform
from tests.simulation.skills import Ledger, skills

Ts = TypeVarTuple("Ts")

Break = Literal["", "fencing", "reconcile", "gap", "silence", "amending", "editing"]
"""What is taken out, to see that the simulation would notice. With "gap", a send takes a while between the last look at
the clock and the network, which is what really happens: it shows what a pause in there costs. With "editing", what the
bot wants to be an edit becomes a second message."""

SWAPPED = {"fencing": without_fence, "silence": without_silence, "amending": without_amending}

LONGEST = 600.0
"""Virtual seconds after the mending in which everything must be done with."""


@dataclass(frozen=True)
class Run:
    """What came of a seed. `violation` is empty when all was well."""

    seed: int
    violation: str
    trace: int
    steps: int
    seconds: float
    counts: dict[str, int] = field(default_factory=dict)


class World:
    """Everything there is in a run."""

    def __init__(self, seed: int, loop: SimulatedLoop, broken: Break = "") -> None:
        self.loop = loop
        self.database = Database(loop, seed, swapped=SWAPPED.get(broken, dict)())
        self.checker = Checker(self.database)
        self.database.seen = self.checker.wrote
        bad = {"forgetful": broken == "reconcile", "stubborn": broken == "editing"}
        self.platforms = [
            Platform("seen", SEEN, loop, seed, **bad),
            Platform("blind", BLIND, loop, seed),
        ]
        for platform in self.platforms:
            platform.requested = self._guarded(self.checker.requested)
            platform.arrived = self._guarded(self.checker.arrived)
            platform.connecting = 0.05 if broken == "gap" else 0.0
        self.ledger = Ledger(seed)
        offered = skills(self.ledger)
        count = random.Random(f"{seed}/nodes").choice((2, 3))
        self.chores = Chores(loop)
        self.helpdesk = Helpdesk(loop, seed, self.chores)
        outside = Outside(self.database, self.platforms, self.helpdesk)
        self.nodes = [Node(name, loop, seed, outside, offered) for name in "abc"[:count]]
        names = [platform.name for platform in self.platforms]
        heard = self._guarded(self.checker.acknowledged)
        self.people = People(loop, seed, self.chores, self.nodes, names, heard)
        self.nemesis = Nemesis(loop, seed, self.nodes, outside)
        self.helpdesk.tell = self.people.tell

    async def main(self) -> None:
        """Live through it."""
        for node in self.nodes:
            node.start()
        self.people.start()
        await self.nemesis.rage()
        until = self.loop.time() + LONGEST
        while not await self._quiet():
            if self.loop.time() > until:
                turns, rows = open_turns(self.database.raw), open_rows(self.database.raw)
                raise Violation(f"never at rest: {turns} turns, {rows} rows, chores done: {self.chores.done}")
        for problem in self.loop.problems():
            if not isinstance(problem, FrontdeskError | ConnectionError):
                raise Violation(f"a task ended with {problem!r}") from problem
        check_end(self.database.raw, self.people.all, self.platforms, self.ledger, self.checker.in_time)
        check_desk(self.database.raw, self.helpdesk)

    async def _quiet(self) -> bool:
        """Whether nothing is left to do, and nothing came up for some seconds."""
        for _ in range(3):
            await asyncio.sleep(1.0)
            raw = self.database.raw
            if not self.chores.done or open_turns(raw) or open_rows(raw) or self._timers():
                return False
        return True

    def _timers(self) -> int:
        """Timers that go off soon; those that a wrong clock has set lie an hour or a day ahead."""
        query = "SELECT count(*) FROM timers WHERE at < ?"
        count: int = self.database.raw.execute(query, (self.database.now + 100.0,)).fetchone()[0]
        return count

    def _guarded(self, check: Callable[[*Ts], None]) -> Callable[[*Ts], None]:
        """A check that a node's own code can't swallow."""

        def guarded(*values: *Ts) -> None:
            try:
                check(*values)
            except Violation as violation:
                self.loop.fail(violation)

        return guarded

    def counts(self) -> dict[str, int]:
        """What happened, in numbers."""
        raw = self.database.raw
        counts = dict(self.nemesis.deeds) | {"operations": self.database.operations, "copies": self.people.copies}
        counts["fenced"] = self.checker.fenced
        counts["lost answers"] = self.database.lost_answers
        counts["messages"] = sum(len(person.said) for person in self.people.all)
        counts["said again where nobody could look"] = sum(self.checker.copies.values())
        counts["of these behind later replies"] = self.checker.late_copies
        for status, count in raw.execute("SELECT status, count(*) FROM outbox GROUP BY status ORDER BY status"):
            counts[f"rows {status}"] = count
        deeds = [person.deeds for person in self.people.all]
        counts["edits"] = sum(len(changes) for each in deeds for changes in each.changes.values())
        counts["edits in time"] = len(self.checker.in_time)
        counts["consents"] = sum(len(each.consents) for each in deeds)
        counts["under way at an opt-out"] = self.checker.under_way
        counts["answers replaced"] = sum(len(platform.edited) for platform in self.platforms)
        counts["tickets"] = len(self.helpdesk.tickets)
        counts["parked"] = raw.execute("SELECT count(*) FROM dead_letters").fetchone()[0]
        for platform in self.platforms:
            for way, count in sorted(platform.outcomes.items()):
                counts[f"sends {way}"] = counts.get(f"sends {way}", 0) + count
        return counts


def simulate(seed: int, broken: Break = "") -> Run:
    """Run one seed, silently. Odd ones keep asyncio's order within a node; even ones not even that."""
    loop = SimulatedLoop(seed, fair=seed % 2 == 1)
    violation, counts = "", dict[str, int]()
    with _silence():
        world = World(seed, loop, broken)
        try:
            loop.run(world.main())
        except Exception as problem:  # whatever it is, it belongs to this seed
            violation = f"{type(problem).__name__}: {problem}"
        counts = world.counts()
        world.database.raw.close()
    return Run(seed, violation, loop.trace, loop.steps, loop.now, counts)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """No log, and no collecting of garbage in the middle: it would come at another moment in every run."""
    before, collected = structlog.get_config(), gc.isenabled()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    gc.disable()
    try:
        yield
    finally:
        structlog.configure(**before)
        if collected:
            gc.enable()
