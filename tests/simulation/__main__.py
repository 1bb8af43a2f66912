"""Runs seeds on command: `python -m tests.simulation --seeds 5000`; `--seed N` replays one of them exactly."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from functools import partial
from typing import get_args

from tests.simulation.world import Break, Run, simulate


def main() -> int:
    """Run what was asked for; 1 if anything was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5000, help="how many (5000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--seed", type=int, help="only this one, with everything that happened in it")
    parser.add_argument(
        "--break", dest="broken", choices=[name for name in get_args(Break) if name], default="", help="take this out"
    )
    parser.add_argument("--processes", type=int, default=1, help="side by side (1)")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _one(asked.seed, asked.broken)
    return _many(range(asked.first, asked.first + asked.seeds), asked.broken, asked.processes)


def _one(seed: int, broken: Break) -> int:
    run = simulate(seed, broken)
    _say(f"seed {seed}: {run.violation or 'all is well'}")
    _say(f"{run.steps} steps, {run.seconds:.1f} virtual seconds, trace {run.trace:016x}")
    for name, count in run.counts.items():
        _say(f"{count:8} {name}")
    return 1 if run.violation else 0


def _many(seeds: range, broken: Break, processes: int) -> int:
    began, counts, violations, virtual = time.perf_counter(), Counter[str](), list[Run](), 0.0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        runs = pool.imap_unordered(partial(simulate, broken=broken), seeds, chunksize=10)
        for done, run in enumerate(runs, 1):
            if done % 1000 == 0:
                _say(f"{done} seeds in {time.perf_counter() - began:.0f} s")
            counts.update(run.counts)
            virtual += run.seconds
            if run.violation:
                violations.append(run)
                _say(f"seed {run.seed}: {run.violation}")
    took = time.perf_counter() - began
    _say(f"{len(seeds)} seeds ({seeds.start} to {seeds.stop - 1}), {len(violations)} with a violation")
    _say(f"{took:.1f} s, {len(seeds) / took:.1f} seeds a second, {virtual / 3600:.1f} virtual hours")
    for name, count in sorted(counts.items()):
        _say(f"{count:10} {name}")
    return 1 if violations else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
