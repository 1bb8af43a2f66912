"""The disk runs full under SQLite and gets space again; nobody restarts anything (T8).

The home folder lies on a tmpfs of its own, where that may be mounted. Elsewhere the limit is one of the process
(RLIMIT_FSIZE), which SQLite meets as an I/O error instead of a full disk.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.storm.ground import Ground
from benchmarks.storm.outcome import Limit, Outcome
from benchmarks.storm.traffic import Crowd

SMALL, LARGE = 6, 128
"""MB of the disk, before and after somebody cleans up."""

FULL = 10.0
"""Seconds that it stays full."""

WAIT = 25.0
"""Seconds until it should be."""


class Disk:
    """The disk under the home folder."""

    def __init__(self, home: Path, *, mounted: bool) -> None:
        self._home, self.mounted = home, mounted

    def grow(self, pid: int, megabytes: int) -> None:
        """Give it another size."""
        if self.mounted:
            subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(self._home)], check=True)
        else:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (megabytes * 1024 * 1024 // 2, hard))


@contextmanager
def small_disk(home: Path) -> Iterator[Disk]:
    """One that is soon full."""
    home.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m", "tmpfs", str(home)]
    mounted = subprocess.run(mounting, check=False, capture_output=True).returncode == 0
    try:
        yield Disk(home, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(home)], check=False)


async def run(seed: int, folder: Path, seconds: float = 45.0, broken: str = "") -> Outcome:
    """Write until webhooks are refused, stay so for a while, make room, and see them taken again."""
    with small_disk(folder / "home") as disk:
        async with Ground(seed, folder, workers=1, postgres=False, broken=broken) as ground:
            await ground.open()
            worker = ground.workers[0]
            disk.grow(worker.pid, SMALL)
            crowd = Crowd("F", rate=150.0, conversations=200)
            full, healed = await ground.people(crowd, seconds=seconds, meanwhile=lambda: _storm(ground, disk))
            await ground.settle()
            outcome = await ground.outcome(
                "disk",
                done=f"disk of {SMALL} MB ({'tmpfs' if disk.mounted else 'RLIMIT_FSIZE'}) full for {FULL:g} s, SQLite",
                times="once",
            )
            again = [at for at in ground.traffic.acknowledged_at if at > healed]
            refused = ground.traffic.answers.get("503", 0)
            others = sum(count for what, count in ground.traffic.answers.items() if what not in ("200", "503"))
            outcome.limits = [
                Limit("webhooks answered 503", refused, 1, least=True),
                Limit("answered otherwise, or not at all", others, 0),
                Limit("first taken after there was room", min(again) - healed if again else 1e9, 5.0, " s"),
                Limit("the same process", float(worker.running), 1, least=True),
            ]
            outcome.notes.append(f"full after {full - ground.began:.0f} s of the run")
            return outcome


async def _storm(ground: Ground, disk: Disk) -> tuple[float, float]:
    deadline = time.monotonic() + WAIT
    while (  # noqa: ASYNC110 - nobody says when it is full
        not ground.traffic.answers.get("503") and time.monotonic() < deadline
    ):
        await asyncio.sleep(0.1)
    full = time.time()
    ground.note("broke", "the disk is full")
    await asyncio.sleep(FULL)
    await asyncio.to_thread(disk.grow, ground.workers[0].pid, LARGE)
    ground.note("healed", "the disk has room")
    return full, time.time()
