"""The network between the workers and PostgreSQL, Redis and the platform is cut, slowed and broken (T7)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.history import Record
from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome
from benchmarks.storm.proxy import FAIR, Proxy, Weather
from benchmarks.storm.traffic import Crowd

SIDES = ("postgres", "redis", "platform")

PHASES: Sequence[tuple[str, str, Weather, float, float]] = (
    # What, to whom, how, for how many seconds, and how many seconds of calm after that.
    ("cut to it", "postgres", Weather(cut="up"), 3.0, 6.0),
    ("cut from it", "postgres", Weather(cut="down"), 3.0, 6.0),
    ("slow and dripping", "postgres", Weather(latency=0.03, jitter=0.03, drip=20_000), 3.0, 3.0),
    ("resets", "postgres", Weather(reset=0.02), 3.0, 6.0),
    ("refusing", "postgres", Weather(refuse=True, reset=1.0), 3.0, 5.0),
    ("half-open", "postgres", Weather(deaf=True), 0.0, 14.0),
    ("cut", "redis", Weather(cut="both"), 3.0, 1.0),
    ("resets", "redis", Weather(reset=0.2), 2.0, 1.0),
    ("half-open", "redis", Weather(deaf=True), 0.0, 1.0),
    ("cut from it", "platform", Weather(cut="down"), 3.0, 10.0),
    ("dripping", "platform", Weather(drip=200), 3.0, 10.0),
    ("half-open", "platform", Weather(deaf=True), 0.0, 10.0),
)

CALM = 3.0
"""Seconds before the first of them."""

RECOVERY, NOTICED = 10.0, 30.0


class Phase(NamedTuple):
    """One thing that was done to the network; without a duration, lines went silent and new ones were fine."""

    what: str
    side: str
    broke: float
    healed: float


async def run(seed: int, folder: Path, seconds: float = 0.0, broken: str = "") -> Outcome:
    """One thing after the other, with calm between."""
    del seconds  # the phases have their own
    async with Ground(seed, folder, workers=2, broken=broken) as ground:
        assert ground.postgres is not None
        assert ground.redis is not None
        targets = (ground.postgres.port, ground.redis.port, ground.platform.port)
        proxies = {side: Proxy(ground.chance, port) for side, port in zip(SIDES, targets, strict=True)}
        for proxy in proxies.values():
            await proxy.start()
        try:
            ground.database_url = _through(ground.database_url, proxies["postgres"])
            ground.redis_url = _through(ground.redis_url, proxies["redis"])
            ground.sink = _through(ground.sink, proxies["platform"])
            await ground.open()
            crowd = Crowd("C", rate=60.0, conversations=150)
            whole = CALM + sum(duration + calm for _, _, _, duration, calm in PHASES)
            phases = await ground.people(crowd, seconds=whole, meanwhile=lambda: _storm(ground, proxies))
            await ground.settle()
            return await _judge(ground, phases, proxies)
        finally:
            for proxy in proxies.values():
                await proxy.stop()


async def _storm(ground: Ground, proxies: dict[str, Proxy]) -> list[Phase]:
    phases = []
    await asyncio.sleep(CALM)
    for what, side, weather, duration, calm in PHASES:
        broke = time.time()
        ground.note("broke", f"{side}: {what}")
        proxies[side].weather = weather
        if weather.reset:
            proxies[side].reset_all()
        await asyncio.sleep(duration)
        proxies[side].weather = FAIR
        ground.note("healed", f"{side}: {what}")
        phases.append(Phase(what, side, broke, time.time()))
        await asyncio.sleep(calm)
    return phases


async def _judge(ground: Ground, phases: Sequence[Phase], proxies: dict[str, Proxy]) -> Outcome:
    outcome = await ground.outcome(
        "cut",
        done="slow, cut one way, dripping, reset, refusing, half-open; to PostgreSQL, Redis and the platform",
        times=f"{len(phases)} kinds, {sum(proxy.resets for proxy in proxies.values())} resets",
    )
    waits = {phase: caught_up(ground.history, phase.healed) for phase in phases}
    silent = [wait for phase, wait in waits.items() if phase.what == "half-open"]
    others = [wait for phase, wait in waits.items() if phase.what != "half-open"]
    outcome.limits = [
        Limit("longest recovery after healing", max(others), RECOVERY, " s"),
        Limit("a half-open line noticed after", max(silent), NOTICED, " s"),
    ]
    outcome.notes += [f"{phase.side}, {phase.what}: caught up {wait:.1f} s after" for phase, wait in waits.items()]
    return outcome


def caught_up(history: Iterable[Record], healed: float) -> float:
    """Seconds after `healed` when everything that was due by then had been answered."""
    due: dict[str, float] = {}
    shown: dict[str, float] = {}
    for record in history:
        if record.op == "said":
            due.setdefault(record.text, record.due)
        elif record.op == "shown":
            shown.setdefault(record.text, record.at)
    last = max((shown[text] for text, at in due.items() if at <= healed and text in shown), default=healed)
    return max(0.0, last - healed)


def _through(url: str, proxy: Proxy) -> str:
    port = urlsplit(url).port
    return url.replace(f":{port}", f":{proxy.port}", 1)
