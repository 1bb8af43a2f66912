"""A deploy: three workers are stopped and started one after another, five times, under load (T16)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome, quantile
from benchmarks.storm.traffic import Crowd

ROUNDS = 5


async def run(seed: int, folder: Path, seconds: float = 45.0, broken: str = "") -> Outcome:
    """SIGTERM, wait, start anew, wait until it is ready, the next one."""
    async with Ground(seed, folder, workers=3, broken=broken) as ground:
        await ground.open()
        crowd = Crowd("D", rate=100.0, conversations=200)
        exits = await ground.people(crowd, seconds=seconds, meanwhile=lambda: _storm(ground, seconds))
        await ground.settle()
        outcome = await ground.outcome(
            "rolling", done="SIGTERM and start, one worker after another, 100 msg/s", times=f"{len(exits)} restarts"
        )
        outcome.limits = [
            Limit("restarts", len(exits), ROUNDS * 3, least=True),
            Limit("p99", quantile(outcome.latencies, 0.99), 1.0, " s"),
            Limit("longest exit", max(exits), 10.0, " s"),
        ]
        return outcome


async def _storm(ground: Ground, seconds: float) -> list[float]:
    exits = []
    pause = max(0.2, (seconds - 2.0) / (ROUNDS * 3) - 2.0)
    for _ in range(ROUNDS):
        for place in range(3):
            ground.note("broke", f"worker {place} is stopped")
            worker = ground.workers[place]
            worker.ready.clear()  # a deploy takes it out of the balancer first
            exits.append(await worker.stop())
            await ground.slots.restart(place)
            await ground.slots.ready(place)
            ground.note("healed", f"worker {place} is new")
            await asyncio.sleep(pause)
    return exits
