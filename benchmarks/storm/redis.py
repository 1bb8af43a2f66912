"""Redis is killed, emptied, and stays away (T6)."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome, latencies, milliseconds, quantile
from benchmarks.storm.traffic import Crowd
from bot.turns.engine import POLL

AWAY = 20.0


async def run(seed: int, folder: Path, seconds: float = 55.0, broken: str = "") -> Outcome:
    """A quiet time, three times kill -9 and restart, three times FLUSHALL, then nothing there for 20 seconds."""
    async with Ground(seed, folder, workers=3, broken=broken) as ground:
        await ground.open()
        crowd = Crowd("R", rate=100.0, conversations=200)
        gone, back = await ground.people(crowd, seconds=seconds, meanwhile=lambda: _storm(ground))
        await ground.settle()
        outcome = await ground.outcome(
            "redis", done="kill -9 and restart; FLUSHALL; absent for 20 s", times="3 kills, 3 flushes, 1 absence"
        )
        began = min(record.due for record in ground.history if record.op == "said")
        quiet = latencies(ground.history, since=began + 2.0, until=began + 8.0)["R"]
        absent = latencies(ground.history, since=gone, until=back)["R"]
        p99 = quantile(absent, 0.99)
        outcome.limits = [Limit("p99 while it was absent", p99 * 1e3, (POLL + 0.1) * 1e3, " ms")]
        before = milliseconds(quantile(quiet, 0.99))
        outcome.notes.append(f"p99 before {before}, while absent {milliseconds(p99)} ({len(absent)} answers)")
        return outcome


async def _storm(ground: Ground) -> tuple[float, float]:
    server = ground.redis
    assert server is not None
    await asyncio.sleep(8.0)
    for _ in range(3):
        ground.note("broke", "Redis was killed")
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(ground.chance.uniform(0.1, 1.0))
        await asyncio.to_thread(server.start)
        ground.note("healed", "Redis is back")
        await asyncio.sleep(2.0)
    for _ in range(3):
        ground.note("broke", "Redis was emptied")
        await asyncio.to_thread(_flush, server.port)
        await asyncio.sleep(1.0)
    ground.note("broke", "Redis is absent")
    await asyncio.to_thread(server.stop)
    gone = time.time()
    await asyncio.sleep(AWAY)
    back = time.time()
    await asyncio.to_thread(server.start)
    ground.note("healed", "Redis is back")
    return gone, back


def _flush(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 1.0) as line:
        line.sendall(b"FLUSHALL\r\n")
        assert line.recv(16).startswith(b"+OK")
