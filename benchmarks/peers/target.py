"""One measured server with the load on it: started, proved to answer what it was asked, then measured in rounds."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from benchmarks.load import Load, Measured
from benchmarks.peers.catalogue import Entry
from benchmarks.peers.install import NotInstalled, python_of
from benchmarks.peers.platforms import BotConnector
from benchmarks.processes import ServerProcess, free_port


class Target:
    """One target. Usually it is one process; it may be several that share a store and take turns with the webhooks."""

    def __init__(self, entry: Entry, servers: Sequence[ServerProcess], load: Load) -> None:
        self.entry, self.servers, self.load = entry, servers, load
        self.refuses = False
        self.reply = b""
        """The first reply as it came to the platform."""
        self.rates: list[float] = []
        self.cpu: list[float] = []
        self.own: list[float] = []
        self.p50: list[float] = []
        self.p99: list[float] = []

    @classmethod
    async def start(cls, entry: Entry, folder: Path, core: int) -> Target:
        """Start the server on its core, and prove it."""
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        platform = entry.platform()
        load = Load(free_port(), platform)
        await load.listen()
        server = await _spawn(entry, load, folder, core)
        target = cls(entry, [server], load)
        try:
            if entry.packages:
                await server.listening(load.port)
            else:
                await server.ready()
            if isinstance(platform, BotConnector):
                platform.token, platform.keys = (folder / "token").read_text(), (folder / "keys").read_text()
            await target.prove()
            if entry.meets:
                await load.burst(entry.meets, 16, 120.0)
        except BaseException:
            await target.stop()
            raise
        return target

    async def stop(self) -> None:
        """End it."""
        for server in self.servers:
            await server.stop(5.0)
        self.load.close()

    def used(self) -> float:
        """Seconds of processor time of all its processes."""
        return sum(server.cpu() for server in self.servers)

    def memory(self) -> float:
        """Resident memory of all its processes, in MB."""
        return sum(server.memory() for server in self.servers)

    async def saturate(self, in_flight: int, seconds: float, *, warm: float = 0.7) -> Measured:
        """One round at full load, not counted."""
        return await self.load.saturate(in_flight, warm, seconds, self.used)

    async def pace(self, rate: float, seconds: float, seed: int) -> None:
        """One round at a steady load."""
        took = await self.load.paced(rate, seconds, seed)
        self.p50.append(took[len(took) // 2] * 1e3 if took else math.inf)
        self.p99.append(took[int((len(took) - 1) * 0.99)] * 1e3 if took else math.inf)

    async def round(self, in_flight: int, seconds: float) -> None:
        """One round at full load, counted."""
        measured = await self.saturate(in_flight, seconds)
        self.rates.append(measured.rate)
        self.cpu.append(measured.cpu)
        self.own.append(measured.own)

    async def prove(self) -> None:
        """Wait for its first right answer; see whether it refuses what the platform did not send."""
        for _ in range(40):  # a stranger may listen before it has made itself known to its platform
            self.reply = await self.load.one(1.0)
            if b"echo" in self.reply:
                break
            await asyncio.sleep(0.25)
        else:
            raise RuntimeError(f"{self.entry.title} does not answer: {self.load.problems[-1:]}")
        self.load.problems.clear()
        forged = await self.load.one(0.5, forged=True)
        self.refuses = not forged and bool(self.load.problems)
        self.load.problems.clear()
        if self.refuses == self.entry.check.startswith("none"):
            raise RuntimeError(f"{self.entry.title} was to check: {self.entry.check}; it refuses: {self.refuses}")


@contextlib.asynccontextmanager
async def running(
    entries: Mapping[str, Entry], folder: Path, absent: dict[str, str]
) -> AsyncIterator[dict[str, Target]]:
    """All of them started, on one core while this process has the other. Peers that can't be go to `absent`."""
    cores = sorted(os.sched_getaffinity(0))
    apart = len(cores) > 1
    if apart:
        os.sched_setaffinity(0, {cores[1]})
    targets: dict[str, Target] = {}
    try:
        for name, entry in entries.items():
            try:
                targets[name] = await Target.start(entry, folder / name, cores[0] if apart else -1)
            except (NotInstalled, RuntimeError) as problem:
                if not entry.packages:
                    raise
                absent[entry.title] = str(problem)
        yield targets
    finally:
        for target in targets.values():
            await target.stop()
        os.sched_setaffinity(0, cores)


async def _spawn(entry: Entry, load: Load, folder: Path, core: int) -> ServerProcess:
    words = ["--port", str(load.port), "--sink", load.sink, "--home", str(folder)]
    if core >= 0:
        words += ["--core", str(core)]
    if entry.bystanders:
        words += ["--bystanders", str(entry.bystanders)]
    log = folder / "log"
    if entry.packages:
        command = [str(python_of(entry.packages)), "-m", "benchmarks.peers.serve", entry.server, *words]
        return await ServerProcess.command(*command, log=log)
    return await ServerProcess.spawn(entry.server, *words, python=sys.executable, log=log)
