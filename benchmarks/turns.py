"""Turns per second and their price, beside a bare aiohttp handler and other people's bots, in the same run.

    .venv/bin/python benchmarks/turns.py [--part full|slow|paced|skills|processes|all] [--rounds 7] [--seconds 3]

A turn: a webhook as the platform sends and signs it over keep-alive HTTP in -> the bot's handler (ours stores first and
commits) -> one reply by the bot's own client to a platform on this machine. It counts when the reply with its own mark
arrives there. The server has one core, the load generator and the platform the other. Rounds are interleaved; figures
are medians, ratios are medians of paired ratios. Peers are installed on demand (peers/install.py); those that can't be
are named.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from benchmarks.peers import report, together
from benchmarks.peers.catalogue import ENTRIES, SKILLS, Entry
from benchmarks.peers.target import Target, running
from benchmarks.processes import ROOT, machine

IN_FLIGHT = 64
SLOW = ("frontdesk", "frontdesk-slack", "bare", "bare-uvloop", "bolt", "ptb")
SLOW_DELAY, SLOW_IN_FLIGHT = 0.1, 400


@dataclass
class Run:
    """What was asked for, and what went wrong."""

    folder: Path
    rounds: int
    seconds: float
    rate: float
    only: list[str]
    absent: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    lost: int = 0

    def chosen(self, names: Iterable[str] = ENTRIES) -> dict[str, Entry]:
        """The targets that were asked for, of these."""
        return {name: ENTRIES[name] for name in names if not self.only or name in self.only}

    def note(self, part: str, targets: Mapping[str, Target]) -> None:
        """Keep what went wrong, and say how busy the load itself was."""
        for target in targets.values():
            self.problems += [f"{part}, {target.entry.title}: {line}" for line in target.load.problems[:5]]
            if target.entry.durable:
                self.lost += target.load.lost
        busiest = max((max(target.own) for target in targets.values() if target.own), default=0.0)
        print(f"\nThe load used at most {busiest:.0%} of its core.\n" if busiest else "")


async def rounds(run: Run, part: str, targets: Mapping[str, Target], in_flight: int, shorter: int = 1) -> None:
    """Interleaved rounds at full load, forwards and backwards in turn; the first of each is not counted.

    With `shorter` they are so many times more, and each shorter: that finds small differences on a noisy machine.
    """
    for target in targets.values():
        await target.saturate(in_flight, run.seconds / 2)
    for number in range(run.rounds * shorter):
        order = list(targets.items())
        for _, target in order if number % 2 else reversed(order):
            await target.round(in_flight, run.seconds / shorter)
        seen = ", ".join(f"{name} {target.rates[-1]:.0f}/s {target.cpu[-1]:.0f} us" for name, target in order)
        print(f"{part}, round {number + 1}: {seen}", file=sys.stderr)


async def full(run: Run) -> None:
    """As much as each can."""
    async with running(run.chosen(), run.folder / "full", run.absent) as targets:
        await rounds(run, "full", targets, IN_FLIGHT)
        print(report.full(targets))
        run.note("full", targets)
        print(report.contested(targets))


async def slow(run: Run) -> None:
    """As much as each can while the platform takes its time, as real ones do."""
    async with running(run.chosen(SLOW), run.folder / "slow", run.absent) as targets:
        for target in targets.values():
            target.load.delay = SLOW_DELAY
        await rounds(run, "slow", targets, SLOW_IN_FLIGHT)
        print(report.slow(targets, SLOW_DELAY, SLOW_IN_FLIGHT))
        run.note("slow", targets)


async def paced(run: Run) -> None:
    """How long a reply takes at a steady load."""
    async with running(run.chosen(), run.folder / "paced", run.absent) as targets:
        overloaded = {}
        for name, target in list(targets.items()):
            most = (await target.saturate(IN_FLIGHT, run.seconds / 2)).rate
            if most < 1.3 * run.rate:
                overloaded[target.entry.title] = most
                await targets.pop(name).stop()
        for number in range(run.rounds):
            for target in targets.values():
                await target.pace(run.rate, run.seconds, seed=number)
            seen = ", ".join(f"{name} {t.p50[-1]:.2f} / {t.p99[-1]:.2f} ms" for name, t in targets.items())
            print(f"paced, round {number + 1}: {seen}", file=sys.stderr)
        print(report.paced(targets, run.rate, overloaded))
        run.note("paced", targets)


async def skills(run: Run) -> None:
    """What a turn costs with 1 and with 200 further skills that do not answer it."""
    entries = {name: entry for name, entry in SKILLS.items() if not run.only or entry.server in run.only}
    async with running(entries, run.folder / "skills", run.absent) as targets:
        await rounds(run, "skills", targets, IN_FLIGHT, shorter=3)
        print(report.skills(targets))
        run.note("skills", targets)


async def processes(run: Run) -> None:
    """Two processes on one shared store, beside one."""
    async with together.running(run.folder / "processes", (1, 2)) as targets:
        await rounds(run, "processes", targets, IN_FLIGHT)
        print(report.together(targets, together.THINKING))
        run.note("processes", targets)


PARTS: dict[str, Callable[[Run], Awaitable[None]]] = {
    "full": full,
    "slow": slow,
    "paced": paced,
    "skills": skills,
    "processes": processes,
}


async def measure(run: Run, part: str) -> int:
    """The parts that were asked for; 1 when ours lost something or anybody did something unexpected."""
    gc.freeze()  # or each full collection walks all that was imported, in the middle of a latency
    for name, measuring in PARTS.items():
        if part in (name, "all"):
            await measuring(run)
    print(
        f"{run.rounds} interleaved rounds of {run.seconds:g} s, {IN_FLIGHT} turns in flight at full load. {machine()}"
    )
    for title, why in run.absent.items():
        print(f"absent: {title}: {why}")
    print("\n".join(run.problems[:20]) or "answered twice: 0; every answer was a 2xx")
    return 1 if run.lost or run.problems else 0


def main() -> None:
    """Read the options and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--part", choices=[*PARTS, "all"], default="full")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--rate", type=float, default=200.0, help="turns/s of the paced part")
    options.add_argument("--only", nargs="*", default=[], choices=list(ENTRIES))
    options.add_argument("--folder", type=Path, default=ROOT / "var", help="where the database lies: a real disk")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="turns-", dir=chosen.folder))
    try:
        run = Run(folder, chosen.rounds, chosen.seconds, chosen.rate, chosen.only)
        code = uvloop.run(measure(run, chosen.part))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
