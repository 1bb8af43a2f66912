"""kill -9 and SIGSTOP at random moments, three workers on one PostgreSQL (T3)."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome
from benchmarks.storm.traffic import Crowd

EVERY = (0.15, 0.5)
PAUSE = (1.3, 2.5)


async def run(seed: int, folder: Path, seconds: float = 45.0, broken: str = "") -> Outcome:
    """Kill whichever is ready, start it again at once, and pause one now and then for longer than its lease."""
    async with Ground(seed, folder, workers=3, broken=broken) as ground:
        await ground.open()
        crowd = Crowd("K", rate=120.0, conversations=200)
        kills, pauses = await ground.people(crowd, seconds=seconds, meanwhile=lambda: _storm(ground, seconds))
        await ground.settle()
        outcome = await ground.outcome(
            "kill",
            done="kill -9 every 0.15-0.5 s, a quarter SIGSTOP for 1.3-2.5 s (lease 1 s); 3 workers, 120 msg/s",
            times=f"{kills} kills, {pauses} pauses",
        )
        outcome.limits = [
            Limit("kills", kills, 2 * seconds, least=True),
            Limit("turns drained in", outcome.turns_drained, 5.0, " s"),
        ]
        return outcome


async def _storm(ground: Ground, seconds: float) -> tuple[int, int]:
    kills = pauses = 0
    busy: dict[int, asyncio.Task[None]] = {}
    block: list[bool] = []  # one pause among four, so that chance does not decide how many kills there are
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        await asyncio.sleep(ground.chance.uniform(*EVERY))
        if len(busy) == len(ground.workers):
            await asyncio.wait(busy.values(), return_when=asyncio.FIRST_COMPLETED)
        places = [place for place in range(len(ground.workers)) if place not in busy or busy[place].done()]
        place = ground.chance.choice(places)
        if not block:
            block = [True, False, False, False]
            ground.chance.shuffle(block)
        if block.pop():
            pauses += 1
            busy[place] = asyncio.create_task(_pause(ground, place))
        else:
            kills += 1
            busy[place] = asyncio.create_task(_kill(ground, place))
    await asyncio.gather(*busy.values())
    return kills, pauses


async def _kill(ground: Ground, place: int) -> None:
    ground.note("killed", f"worker {place}")
    await ground.workers[place].kill()
    await ground.slots.restart(place)
    await ground.slots.ready(place)
    ground.note("ready", f"worker {place}")


async def _pause(ground: Ground, place: int) -> None:
    worker = ground.workers[place]
    ground.note("broke", f"worker {place} is paused")
    worker.signal(signal.SIGSTOP)
    await asyncio.sleep(ground.chance.uniform(*PAUSE))
    worker.signal(signal.SIGCONT)
    ground.note("healed", f"worker {place} goes on")
