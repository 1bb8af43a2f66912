"""The workers of a storm: started from the nursery, watched, paused, killed by their own id. Knows no traffic."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.processes import ROOT, free_port
from benchmarks.storm.nursery import Order

STARTING = 30.0
"""Seconds that a worker may take until it is ready."""


class Vitals(NamedTuple):
    """What a worker says of itself: asyncio's tasks, bytes that SQLite holds, blocks that Python has in use."""

    tasks: int
    sqlite: int
    blocks: int


class Worker:
    """One process on one port. It may be gone; its slot then starts another one there."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port
        self.ready, self.gone = asyncio.Event(), asyncio.Event()
        self.status = 0
        self._counted: asyncio.Future[Vitals] | None = None

    async def vitals(self) -> Vitals:
        """What it says of itself."""
        self._counted = asyncio.get_running_loop().create_future()
        self.signal(signal.SIGUSR1)
        return await asyncio.wait_for(self._counted, 5.0)

    def counted(self, vitals: Vitals) -> None:
        """It has said so."""
        if self._counted is not None and not self._counted.done():
            self._counted.set_result(vitals)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self.gone.is_set()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens to one that is gone."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await self.gone.wait()

    async def stop(self, patience: float = 20.0) -> float:
        """SIGTERM, and kill -9 if that does not help; how many seconds it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience):
                await self.gone.wait()
        except TimeoutError:
            await self.kill()
        return time.monotonic() - began

    def memory(self) -> float:
        """Resident memory, in MB, without the parts of files that are mapped into it (SQLite's, libraries)."""
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return int(fields["RssAnon"].split()[0]) / 1024

    def files(self) -> int:
        """Open files and sockets."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - only how many

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Nursery:
    """Our end of the process that workers are forked from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokens = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._open = asyncio.Event()
        self._born: dict[str, asyncio.Future[int]] = {}
        self._children: dict[int, Worker] = {}
        self._early: dict[int, list[list[str]]] = {}

    async def start(self) -> None:
        """Wait until its imports are done."""
        with (self._folder / "nursery.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.storm.nursery"),
                cwd=ROOT,
                env={key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._hearing = asyncio.create_task(self._hear())
        opening = asyncio.create_task(self._open.wait())
        await asyncio.wait({opening, self._hearing}, timeout=60.0, return_when=asyncio.FIRST_COMPLETED)
        opening.cancel()
        if not self._open.is_set():
            raise RuntimeError((self._folder / "nursery.log").read_text()[-2000:])

    async def stop(self) -> None:
        """End it; whatever still runs dies with it."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._hearing is not None:
            await self._hearing

    async def spawn(self, port: int, options: Mapping[str, str]) -> Worker:
        """Fork a worker; does not wait until it is ready."""
        assert self._process is not None
        assert self._process.stdin is not None
        token = str(next(self._tokens))
        born = self._born[token] = asyncio.get_running_loop().create_future()
        given = {"server.port": str(port), **options}
        order = Order(token=token, options=given, log=str(self._folder / "workers.log"))
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        pid = await born
        worker = self._children[pid] = Worker(pid, port)
        for words in self._early.pop(pid, []):
            self._happened(worker, words)
        return worker

    async def _hear(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            words = line.decode().split()
            if words[0] == "open":
                self._open.set()
            elif words[0] == "born":
                self._born.pop(words[1]).set_result(int(words[2]))
            elif (child := self._children.get(int(words[1]))) is not None:
                self._happened(child, words)
            else:
                self._early.setdefault(int(words[1]), []).append(words)

    def _happened(self, worker: Worker, words: list[str]) -> None:
        if words[0] == "ready":
            worker.ready.set()
        elif words[0] == "vitals":
            worker.counted(Vitals(*map(int, words[2:])))
        else:
            worker.status = int(words[2])
            worker.gone.set()
            del self._children[worker.pid]


class Slots:
    """So many workers, each on a port that stays; the load balancer's list."""

    def __init__(self, nursery: Nursery, count: int, options: Mapping[str, str]) -> None:
        self._nursery, self._options = nursery, dict(options)
        self.ports = [free_port() for _ in range(count)]
        self.workers: list[Worker] = []
        self.starts: list[float] = []
        self._turn = itertools.count()

    async def start(self) -> None:
        """Start all of them; the first alone, since it makes the schema."""
        for place in range(len(self.ports)):
            self.workers.append(await self._spawn(place))
            await self.ready(place)

    async def restart(self, place: int) -> None:
        """Put a new process in the place of one that is gone; does not wait until it is ready."""
        self.workers[place] = await self._spawn(place)

    async def ready(self, place: int) -> None:
        """Wait until a worker is ready, or gone."""
        worker, began = self.workers[place], time.monotonic()
        waits = [asyncio.create_task(event.wait()) for event in (worker.ready, worker.gone)]
        await asyncio.wait(waits, timeout=STARTING, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if not worker.ready.is_set():
            raise RuntimeError(f"worker {worker.pid} did not start ({worker.status}); see workers.log")
        self.starts.append(time.monotonic() - began)

    def balance(self) -> int:
        """The port of one that was ready when last looked at, as a load balancer sees it; 0 if there is none."""
        ready = [worker.port for worker in self.workers if worker.ready.is_set() and worker.running]
        return ready[next(self._turn) % len(ready)] if ready else 0

    async def stop(self) -> list[float]:
        """Stop all of them as a deploy would; the seconds that each took."""
        return list(await asyncio.gather(*(worker.stop() for worker in self.workers)))

    async def _spawn(self, place: int) -> Worker:
        return await self._nursery.spawn(self.ports[place], self._options)
