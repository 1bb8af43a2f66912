"""The platform says 429, then 500, then hangs up after taking; another platform beside it is well (T11)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from benchmarks.fakes import Mood
from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome, latencies, milliseconds, quantile
from benchmarks.storm.traffic import Crowd

QUIET = 15.0
CLOSED, FAILING, DROPPING = 20.0, 10.0, 10.0
DELAY = 0.02


async def run(seed: int, folder: Path, seconds: float = 0.0, broken: str = "") -> Outcome:
    """First the healthy platform is measured with a well one beside it, then with a sick one."""
    del seconds  # the phases have their own
    async with Ground(seed, folder, workers=2, broken=broken) as ground:
        await ground.open()
        sick = Crowd("S", rate=50.0, conversations=200)
        well = Crowd("W", rate=50.0, conversations=200, account="second")
        whole = QUIET + CLOSED + FAILING + DROPPING
        began, stormed, healed = await ground.people(sick, well, seconds=whole, meanwhile=lambda: _storm(ground))
        await ground.settle()
        outcome = await ground.outcome(
            "refusals",
            done="429 with Retry-After 1-3 s for 20 s, 500 for 10 s (half of them taken), hangs up after 5% for 10 s",
            times=f"{ground.platform.refused} x 429, {ground.platform.failed} x 500, {ground.platform.dropped} hung up",
        )
        # The first seconds warm things up.
        before = quantile(latencies(ground.history, since=began + 3.0, until=stormed)["W"], 0.99)
        during = quantile(latencies(ground.history, since=stormed, until=healed)["W"], 0.99)
        early = outcome.verdict.counts["too early"]
        outcome.limits = [
            Limit("sends before Retry-After", early, 0),
            Limit("p99 of the other channel against its quiet time", during / before, 1.2, "x"),
        ]
        outcome.notes.append(f"the other channel's p99: {milliseconds(before)} before, {milliseconds(during)} during")
        return outcome


async def _storm(ground: Ground) -> tuple[float, float, float]:
    platform, began = ground.platform, time.time()
    await asyncio.sleep(QUIET)
    stormed = time.time()
    for mood, what, seconds in (
        (Mood(delay=DELAY, closes=(1.0, 3.0)), "the platform says 429", CLOSED),
        (Mood(delay=DELAY, errors=1.0), "the platform says 500", FAILING),
        (Mood(delay=DELAY, drop=0.05), "the platform hangs up", DROPPING),
    ):
        ground.note("broke", what)
        platform.mood = mood
        await asyncio.sleep(seconds)
    platform.mood = Mood(delay=DELAY)
    ground.note("healed", "the platform is well")
    return began, stormed, time.time()
