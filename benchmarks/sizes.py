"""How long a start takes, how much memory a process needs, and what 10,000 conversations at once do to it.

    .venv/bin/python benchmarks/sizes.py [--starts 5] [--conversations 10000]

A start lasts from the birth of the process to the first 200 of /readyz. Memory is what is resident.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from benchmarks.load import WORDS, Load, Webhooks
from benchmarks.processes import ROOT, ServerProcess, free_port, machine, table

CONNECTIONS = 1000
CROWD = 2000  # conversations that come first: what a crowd costs once (connections, buffers) is not each one's own
WAITING = "ask hello MARK"  # answered by a question, so that a handler waits in memory


def program(port: int, home: Path) -> list[str]:
    """The whole program, as an operator starts it."""
    return [sys.executable, "run.py", "--set", f"server.port={port}", "--set", f"server.home={home}"]


async def until_ready(port: int, began: float, seconds: float = 60.0) -> float:
    """Seconds until /readyz says 200."""
    while time.perf_counter() < began + seconds:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            head = await reader.readline()
            writer.close()
            if b" 200 " in head:
                return time.perf_counter() - began
        except OSError:
            pass
        await asyncio.sleep(0.01)
    raise TimeoutError("the server does not get ready; its log says why")


async def starts(folder: Path, count: int) -> list[list[str]]:
    """The whole program on an empty home, and again on what it left."""
    rows = []
    for name, fresh in (("first start, empty folder", True), ("start on its own database", False)):
        took, memory = [], []
        for number in range(count):
            home = folder / (f"home{number}" if fresh else "home0")
            port = free_port()
            began = time.perf_counter()
            server = await ServerProcess.command(*program(port, home), log=folder / "program.log")
            try:
                took.append(await until_ready(port, began))
                await asyncio.sleep(1.0)
                memory.append(server.memory())
            finally:
                await server.stop()
        rows.append([f"run.py, {name}: ready after", f"{statistics.median(took):.2f} s"])
        rows.append([f"run.py, {name}: idle memory", f"{statistics.median(memory):.0f} MB"])
    return rows


async def crowd(folder: Path, conversations: int, words: str, name: str) -> tuple[list[list[str]], int]:
    """One message each of very many conversations, as fast as they come; returns rows and how many were lost."""
    port = free_port()
    load = Load(port, Webhooks(port, conversations=conversations + CROWD, words=words))
    await load.listen()
    options = ["--port", str(port), "--sink", load.sink, "--home", str(folder / name)]
    server = await ServerProcess.spawn("frontdesk", *options, python=sys.executable, log=folder / f"{name}.log")
    try:
        await server.ready()
        await asyncio.sleep(1.0)
        idle = server.memory()
        await load.burst(CROWD, CONNECTIONS, 180.0)
        await asyncio.sleep(3.0)
        before = server.memory()
        stored, answered = await load.burst(conversations, min(CONNECTIONS, conversations), 180.0)
        peak = server.memory()
        await asyncio.sleep(3.0)
        after = server.memory()
        rows = [
            [f"{conversations:,} {name}: all stored and acknowledged after", f"{stored:.1f} s"],
            [f"{conversations:,} {name}: all answered after", f"{answered:.1f} s"],
            [f"{conversations:,} {name}: lost", str(load.lost)],
            [
                f"{conversations:,} {name}: memory idle, after a first crowd of {CROWD:,}, at the end, 3 s later",
                f"{idle:.0f}, {before:.0f}, {peak:.0f}, {after:.0f} MB",
            ],
            [f"{conversations:,} {name}: memory for each", f"{(after - before) * 1024 / conversations:.1f} kB"],
        ]
        return rows, load.lost + len(load.problems)
    finally:
        await server.stop()
        load.close()


async def measure(folder: Path, count: int, conversations: int) -> int:
    """Everything; 1 when something was lost."""
    rows = await starts(folder, count) if count else []
    more, lost = await crowd(folder, conversations, WORDS, "conversations at once, one message each")
    again, waiting_lost = await crowd(folder, 2000, WAITING, "conversations with an open question")
    print(report([*rows, *more, *again]))
    print(f"\n{machine()}")
    return 1 if lost or waiting_lost else 0


def report(rows: Sequence[Sequence[str]]) -> str:
    """The table."""
    return table(["what", "measured"], rows)


def main() -> None:
    """Read the options and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--starts", type=int, default=5)
    options.add_argument("--conversations", type=int, default=20_000)
    options.add_argument("--folder", type=Path, default=ROOT / "var", help="where the database lies: a real disk")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sizes-", dir=chosen.folder))
    try:
        code = uvloop.run(measure(folder, chosen.starts, chosen.conversations))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
