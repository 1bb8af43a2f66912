"""How many whole turns a second the SQLite store takes, without channels, skills and HTTP.

One cycle = put, claim, commit with one reply, mark_sending, mark_sent. Run: `python -m benchmarks.store`. Figures of a
shared machine are orders of magnitude; run it twice.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bot.messages import Address, Message, Sender, Text
from bot.replies import Reply
from bot.store.contract import Change, Claim, Outgoing, Store
from bot.store.sqlite import SqliteStore


def message(client: int, number: int) -> Message:
    """A message as a webhook brings it."""
    return Message(
        event_id=f"Ev{client:04d}{number:08d}",
        address=Address(channel="bench", account="main", chat=f"C{client:08d}", thread="1700000000.000100"),
        sender=Sender(id=f"U{client:08d}", name="Somebody", language="en"),
        content=Text(text=f"Where is my order {number}? It should have come on Monday."),
        at=time.time(),
        platform_id=f"1700000000.{number:06d}",
    )


def change(claim: Claim) -> Change:
    """The result of a turn that says one thing and keeps a small state."""
    return Change(
        conversation=claim.conversation.id,
        epoch=claim.epoch,
        n=claim.n,
        rev=claim.rev,
        owner_version=claim.conversation.owner_version,
        now=time.time(),
        state=b'{"frames":[],"rev":%d}' % claim.rev,
        outgoing=(Outgoing(key=f"t{claim.n}:0", body=Reply(text=f"Order {claim.n} comes tomorrow.")),),
    )


async def finish(store: Store, claim: Claim) -> None:
    """Commit a turn and send its reply."""
    committed = await store.commit(change(claim))
    for row in committed.rows:
        await store.mark_sending(row, time.time())
        await store.mark_sent(row, f"1700000001.{row.seq:06d}", time.time())


async def client(store: Store, number: int, until: float, took: list[float]) -> None:
    """One client after another cycle; it claims whatever turn is the oldest."""
    count = 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        count += 1
        await store.put(message(number, count), time.time())
        claims = await store.claim("bench", 1, 30.0, time.time())
        for claim in claims:
            await finish(store, claim)
        took.append(time.perf_counter() - began)


async def paced(store: Store, rate: float, seconds: float, took: list[float]) -> None:
    """Cycles at a steady rate, timed from the moment at which each was due."""
    began, tasks = time.perf_counter(), set()

    async def one(number: int, due: float) -> None:
        await store.put(message(number % 500, number), time.time())
        for claim in await store.claim("bench", 1, 30.0, time.time()):
            await finish(store, claim)
        took.append(time.perf_counter() - due)

    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(number, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    while tasks:
        await asyncio.wait(tasks)


def show(name: str, took: list[float], seconds: float, cpu: float) -> None:
    """One line of figures; the CPU time is of this whole process, clients included, and stands noise best."""
    took.sort()
    p50, p99, worst = (took[int((len(took) - 1) * part)] * 1000 for part in (0.5, 0.99, 1.0))
    rate = len(took) / seconds
    print(f"{name:24}{rate:8.0f} cycles/s   {cpu / len(took) * 1e6:5.0f} us CPU   ", end="")
    print(f"p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   max {worst:7.1f} ms")


async def measure(folder: Path, seconds: float, clients: int) -> None:
    """Everything, one after the other."""
    for count in (1, clients, 4 * clients):
        store = SqliteStore(folder / f"saturated{count}.db")
        await store.start()
        took: list[float] = []
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(client(store, number, began + seconds, took) for number in range(count)))
        show(f"saturated, {count} clients", took, time.perf_counter() - began, time.process_time() - cpu)
        log = (folder / f"saturated{count}.db-wal").stat().st_size
        print(f"{'':24}log file {log / 1e6:.0f} MB")
        await store.stop()
    for rate in (500.0, 2000.0):
        store = SqliteStore(folder / f"paced{rate}.db")
        await store.start()
        took = []
        began, cpu = time.perf_counter(), time.process_time()
        await paced(store, rate, seconds, took)
        show(f"paced, {rate:.0f} a second", took, time.perf_counter() - began, time.process_time() - cpu)
        await store.stop()


def main() -> None:
    """Read the options and measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--clients", type=int, default=64)
    options.add_argument("--folder", default="", help="where to write; a temporary folder unless given")
    chosen = options.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(dir=chosen.folder or None) as folder:
        uvloop.run(measure(Path(folder), chosen.seconds, chosen.clients))


if __name__ == "__main__":
    main()
