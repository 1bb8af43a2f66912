"""One turn in a hundred takes three seconds; the others must not feel it (T12)."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome, latencies, milliseconds, quantile
from benchmarks.storm.traffic import Crowd, Words

SLOW = 3.0
SHARE = 0.01


def sometimes_slow() -> Words:
    """Small talk, now and then something that takes long; nothing else is said in a conversation that naps."""

    def words(chance: random.Random, mark: str) -> str:
        del chance
        return f"nap {SLOW:g} {mark}"

    return words


async def run(seed: int, folder: Path, seconds: float = 25.0, broken: str = "") -> Outcome:
    """A run without slow turns, then one with them, of the same length."""
    async with Ground(seed, folder, workers=2, broken=broken) as ground:
        await ground.open()
        quick = Crowd("Q", rate=99.0, conversations=200)
        slow = Crowd("N", rate=1.0, conversations=1000, words=sometimes_slow())
        await ground.people(quick, seconds=3.0, meanwhile=_nothing)  # warms things up
        middle = time.time()
        await ground.people(quick, seconds=seconds, meanwhile=_nothing)
        storm = time.time()
        await ground.people(quick, slow, seconds=seconds, meanwhile=_nothing)
        await ground.settle()
        outcome = await ground.outcome(
            "slow", done=f"1% of the turns take {SLOW:g} s, 100 msg/s", times=f"{int(seconds * slow.rate)} slow turns"
        )
        before = latencies(ground.history, since=middle, until=storm)["Q"]
        during = latencies(ground.history, since=storm)["Q"]
        p99, without = quantile(during, 0.99), quantile(before, 0.99)
        outcome.latencies = during
        outcome.limits = [Limit("p99 of the others over a run without", (p99 - without) * 1e3, 50.0, " ms")]
        outcome.notes.append(f"p99 of the others: {milliseconds(without)} without, {milliseconds(p99)} with slow turns")
        return outcome


async def _nothing() -> None:
    await asyncio.sleep(0)
