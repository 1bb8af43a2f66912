"""Ten times what one worker can take, nearly all of it from one tenant (T17).

What it can take is set by a skill that lets three turns in at a time, as a slow model would.
"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome, latencies, milliseconds, quantile
from benchmarks.storm.traffic import Crowd

TOGETHER, WORK = 3, 0.05
CAPACITY = TOGETHER / WORK
SMALL = 8
QUIET, STORM = 8.0, 8.0


def work(_: random.Random, mark: str) -> str:
    """What takes a place behind the narrow door."""
    return f"work {mark}"


async def run(seed: int, folder: Path, seconds: float = STORM, broken: str = "") -> Outcome:
    """The small tenants alone, then all of them, then until everything is done."""
    options = {"bench.together": str(TOGETHER), "bench.work": str(WORK)}
    ground = Ground(seed, folder, workers=1, postgres=False, options=options, broken=broken, drain=110.0)
    async with ground:
        await ground.open()
        small = [_tenant(number) for number in range(SMALL)]
        big = Crowd("B", rate=CAPACITY * 10 - SMALL * 5.0, conversations=1500, words=work, tenant="big")
        memory = [ground.workers[0].memory()]
        quiet = time.time()
        await ground.people(*small, seconds=QUIET, meanwhile=lambda: _watch(ground, QUIET, memory))
        before, storm = max(memory), time.time()
        await ground.people(*small, big, seconds=seconds, meanwhile=lambda: _watch(ground, seconds, memory))
        ended = time.time()
        await ground.settle()
        outcome = await ground.outcome(
            "overload",
            done=f"10 x what one worker can take ({CAPACITY:g}/s) for {seconds:g} s, 93% from one tenant",
            times=f"{int(big.rate * seconds)} messages too many",
        )
        alone = _p99(ground, quiet + 2.0, storm)
        during = _p99(ground, storm, ended)
        taken = sum(arrived.post.channel.startswith("B") and arrived.at < ended for arrived in ground.platform.arrived)
        outcome.limits = [
            Limit("memory against before", max(memory) / before, 1.5, "x"),
            Limit("small tenants' p99 against before", during / alone, 2.0, "x"),
            Limit("big tenant served", taken / seconds, CAPACITY / (SMALL + 1), "/s", least=True),
        ]
        outcome.notes.append(f"small tenants' p99: {milliseconds(alone)} alone, {milliseconds(during)} in the storm")
        outcome.notes.append(f"memory {before:.0f} MB before, {max(memory):.0f} MB at most")
        return outcome


def _tenant(number: int) -> Crowd:
    return Crowd(f"T{chr(97 + number)}", rate=5.0, conversations=20, words=work, tenant=f"small{number}")


def _p99(ground: Ground, since: float, until: float) -> float:
    found = latencies(ground.history, since=since, until=until)
    return quantile([value for name, values in found.items() if name != "B" for value in values], 0.99)


async def _watch(ground: Ground, seconds: float, memory: list[float]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        memory.append(ground.workers[0].memory())
