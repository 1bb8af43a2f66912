"""Many conversations in one process on SQLite for a while: what it holds must not grow (T14)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome
from benchmarks.storm.traffic import Crowd

EVERY = 2.0

KEPT = 32.0
"""Seconds after which connections that were kept alive are closed (aiohttp looks every 15 s for those of 15 s)."""


class Sample(NamedTuple):
    """One look at the process."""

    at: float
    memory: float
    files: int
    tasks: int
    sqlite: float
    blocks: int


async def run(seed: int, folder: Path, seconds: float = 95.0, broken: str = "") -> Outcome:
    """Look at memory, files and tasks all the time, and once more when everybody has gone."""
    async with Ground(seed, folder, workers=1, postgres=False, broken=broken) as ground:
        await ground.open()
        before = await _look(ground)
        crowd = Crowd("M", rate=300.0, conversations=50_000)
        samples = await ground.people(crowd, seconds=seconds, meanwhile=lambda: _watch(ground, seconds))
        await ground.settle()
        await asyncio.sleep(KEPT)
        after = await _look(ground)
        outcome = await ground.outcome(
            "soak", done="300 msg/s over 50,000 conversations, SQLite, one process", times=f"{seconds:g} s"
        )
        half = [sample for sample in samples if sample.at > samples[0].at + seconds / 2]
        outcome.limits = [
            Limit("memory of the last half grows", slope(half) * 60, 1.0, " MB/min"),
            Limit("files left open", after.files - before.files, 2),
            Limit("tasks left", after.tasks - before.tasks, 2),
        ]
        # The page caches fill once, and the allocators keep what a moment's crowd has needed; only the blocks that
        # Python has in use can be ours to grow with each conversation.
        parts = [f"{each.sqlite:.1f} MB, {each.blocks:,}" for each in (before, half[0], samples[-1], after)]
        outcome.notes.append(f"SQLite's own memory, Python's blocks (first, half, end, quiet): {'; '.join(parts)}")
        outcome.notes.append(f"memory {before.memory:.1f} MB at first, {samples[-1].memory:.1f} at the end of the load")
        outcome.notes.append("every 10 s: " + " ".join(f"{sample.memory:.1f}" for sample in samples[::5]) + " MB")
        return outcome


async def _watch(ground: Ground, seconds: float) -> list[Sample]:
    samples = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        await asyncio.sleep(EVERY)
        samples.append(await _look(ground))
    return samples


async def _look(ground: Ground) -> Sample:
    worker = ground.workers[0]
    tasks, sqlite, blocks = await worker.vitals()
    return Sample(time.monotonic(), worker.memory(), worker.files(), tasks, sqlite / 2**20, blocks)


def slope(samples: Sequence[Sample]) -> float:
    """MB a second, by least squares."""
    count = len(samples)
    mean_at = sum(sample.at for sample in samples) / count
    mean = sum(sample.memory for sample in samples) / count
    above = sum((sample.at - mean_at) * (sample.memory - mean) for sample in samples)
    return above / sum((sample.at - mean_at) ** 2 for sample in samples)
