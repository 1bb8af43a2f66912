"""PostgreSQL dies as by a power cut and is started again, ten times under load (T5)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome
from benchmarks.storm.traffic import Crowd, longest_gap

CRASHES = 10
AWAY = 2.0
"""Seconds, at most, that it stays away after every other crash."""


async def run(seed: int, folder: Path, seconds: float = 40.0, broken: str = "") -> Outcome:
    """Evenly spread crashes; every process of the server is killed at once."""
    async with Ground(seed, folder, workers=3, broken=broken) as ground:
        await ground.open()
        crowd = Crowd("P", rate=120.0, conversations=200)
        restarts = await ground.people(crowd, seconds=seconds, meanwhile=lambda: _storm(ground, seconds))
        await ground.settle()
        times = ground.traffic.acknowledged_at
        gap = longest_gap(times, min(times), max(times))
        outcome = await ground.outcome(
            "postgres",
            done="kill -9 of the whole database server, back at once or within 2 s",
            times=f"{len(restarts)} crashes",
        )
        outcome.limits = [Limit("longest time without an acknowledgement", gap, 5.0, " s")]
        outcome.notes.append("the server itself was away for " + ", ".join(f"{away:.1f}" for away in restarts) + " s")
        return outcome


async def _storm(ground: Ground, seconds: float) -> list[float]:
    assert ground.postgres is not None
    loop, away = asyncio.get_running_loop(), []
    every = seconds / (CRASHES + 1)
    for crash in range(CRASHES):
        began = loop.time()
        ground.note("broke", "the database server was killed")
        await asyncio.to_thread(ground.postgres.crash)
        await asyncio.sleep(ground.chance.uniform(0, AWAY) if crash % 2 else 0)
        await asyncio.to_thread(ground.postgres.start)
        ground.note("healed", "the database server is back")
        away.append(loop.time() - began)
        await asyncio.sleep(max(0.5, every * ground.chance.uniform(0.7, 1.3) - away[-1]))
    return away
