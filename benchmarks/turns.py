"""Turns per second of the whole durable path, beside a bare aiohttp handler and slack-bolt's echo, in the same run.

    .venv/bin/python benchmarks/turns.py [--rounds 7] [--seconds 3]

A turn: a signed Slack event over keep-alive HTTP in -> stored, skill, committed -> one reply POSTed over HTTP to a
platform on this machine. It counts when the reply with its own mark arrives there. The server has one core, the load
generator and the platform the other. Rounds are interleaved; figures are medians, ratios are medians of paired ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from benchmarks.load import Load
from benchmarks.processes import ROOT, ServerProcess, free_port, machine, table

NAMES = {"frontdesk": "Frontdesk, durable", "bare": "bare aiohttp, in and out", "bolt": "slack-bolt echo"}
IN_FLIGHT = 64


class Target:
    """One server and the load on it."""

    def __init__(self, name: str, server: ServerProcess, load: Load) -> None:
        self.name, self.server, self.load = name, server, load
        self.rates: list[float] = []
        self.cpu: list[float] = []
        self.p50: list[float] = []
        self.p99: list[float] = []

    @classmethod
    async def start(cls, name: str, folder: Path, core: int) -> Target:
        """Start the server on its core."""
        load = Load(free_port())
        await load.listen()
        options = ["--port", str(load.port), "--sink", load.sink, "--home", str(folder / name)]
        if core >= 0:
            options += ["--core", str(core)]
        server = await ServerProcess.spawn(name, *options, python=sys.executable, log=folder / f"{name}.log")
        await server.ready()
        return cls(name, server, load)

    async def stop(self) -> None:
        """End it."""
        await self.server.stop()
        self.load.close()


async def saturate(targets: Sequence[Target], rounds: int, seconds: float) -> None:
    """Interleaved rounds at full load."""
    for number in range(rounds):
        for target in targets:
            rate, cpu = await target.load.saturate(IN_FLIGHT, 0.7, seconds, target.server.cpu)
            target.rates.append(rate)
            target.cpu.append(cpu)
        print(f"round {number + 1}: " + ", ".join(f"{t.name} {t.rates[-1]:.0f}/s" for t in targets), file=sys.stderr)


async def pace(targets: Sequence[Target], rate: float, rounds: int, seconds: float) -> None:
    """Interleaved rounds at a steady load."""
    for number in range(rounds):
        for target in targets:
            took = await target.load.paced(rate, seconds, seed=number)
            target.p50.append(took[len(took) // 2] * 1e3)
            target.p99.append(took[int((len(took) - 1) * 0.99)] * 1e3)
        seen = ", ".join(f"{t.name} {t.p50[-1]:.2f} / {t.p99[-1]:.2f} ms" for t in targets)
        print(f"round {number + 1} at {rate:.0f}/s: {seen}", file=sys.stderr)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of paired ratios."""
    return f"{statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"


def report(targets: Sequence[Target]) -> str:
    """What was measured at full load."""
    by_name = {target.name: target for target in targets}
    rows = []
    for target in targets:
        rows.append(
            [
                NAMES[target.name],
                "yes" if target.name == "frontdesk" else "no",
                f"{statistics.median(target.rates):,.0f}",
                *(ratio(target.rates, by_name[other].rates) if other in by_name else "-" for other in ("bare", "bolt")),
                f"{statistics.median(target.cpu):.0f}",
                str(target.load.lost),
            ]
        )
    return table(["target", "durable", "turns/s", "x bare", "x bolt", "CPU us/turn", "lost"], rows)


def report_pace(ours: Target, bare: Target, rate: float) -> str:
    """What was measured at a steady load."""
    rows = [
        [NAMES[target.name], f"{statistics.median(target.p50):.2f}", f"{statistics.median(target.p99):.2f}", *ratios]
        for target, ratios in (
            (ours, (ratio(ours.p50, bare.p50), ratio(ours.p99, bare.p99))),
            (bare, ("1", "1")),
        )
    ]
    return table([f"at {rate:.0f} turns/s", "p50 ms", "p99 ms", "x bare p50", "x bare p99"], rows)


async def measure(names: Sequence[str], folder: Path, rounds: int, seconds: float, rate: float) -> int:
    """Everything; 1 when something was lost."""
    cores = sorted(os.sched_getaffinity(0))
    apart = len(cores) > 1
    if apart:
        os.sched_setaffinity(0, {cores[1]})
    async with contextlib.AsyncExitStack() as ending:
        targets = []
        for name in names:
            target = await Target.start(name, folder, cores[0] if apart else -1)
            ending.push_async_callback(target.stop)
            targets.append(target)
        await saturate(targets, rounds, seconds)
        print(report(targets) + "\n")
        steady = [target for target in targets if target.name != "bolt"]
        if len(steady) == 2:
            half = rate or statistics.median(steady[0].rates) / 2
            await pace(steady, half, rounds, seconds)
            print(report_pace(steady[0], steady[1], half) + "\n")
        print(f"{rounds} interleaved rounds of {seconds:g} s, {IN_FLIGHT} turns in flight at full load. {machine()}")
        problems = [f"{target.name}: {line}" for target in targets for line in target.load.problems]
        lost = sum(target.load.lost for target in targets)
        print("\n".join(problems[:10]) if problems else f"lost: {lost}; answered twice: 0; every answer was a 200")
        return 1 if lost or problems else 0


def main() -> None:
    """Read the options and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument(
        "--rate", type=float, default=0.0, help="turns/s for latencies; half of the measured otherwise"
    )
    options.add_argument("--only", nargs="*", default=list(NAMES), choices=list(NAMES))
    options.add_argument("--folder", type=Path, default=ROOT / "var", help="where the database lies: a real disk")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="turns-", dir=chosen.folder))
    try:
        code = uvloop.run(measure(chosen.only, folder, chosen.rounds, chosen.seconds, chosen.rate))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
