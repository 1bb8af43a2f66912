"""How many whole turns a second a store takes, without channels, skills and HTTP.

A long cycle = put, claim, commit with one reply, mark_sending, mark_sent. A short one is what most turns are: take,
commit that begins the send, mark_sent. Run: `python -m benchmarks.store`, with `--store postgres` for a PostgreSQL from
the wheel (its files in the folder, its settings its own), or `--url` for one that runs. Figures of a shared machine are
orders of magnitude; run it twice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvloop

from bot.messages import Address, Message, Sender, Text
from bot.replies import Reply
from bot.store.contract import Change, Claim, Outgoing, Store
from bot.store.sqlite import SqliteStore

Cycle = Callable[[Store, int, int], Awaitable[None]]
Open = Callable[[str], contextlib.AbstractAsyncContextManager[Store]]


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


def change(claim: Claim, sends: float = 0.0) -> Change:
    """The result of a turn that says one thing and keeps a small state."""
    return Change(
        conversation=claim.conversation.id,
        epoch=claim.epoch,
        n=claim.n,
        rev=claim.rev,
        owner_version=claim.conversation.owner_version,
        now=time.time(),
        sends=sends,
        state=b'{"frames":[],"rev":%d}' % claim.rev,
        outgoing=(Outgoing(key=f"t{claim.n}:0", body=Reply(text=f"Order {claim.n} comes tomorrow.")),),
    )


async def long_cycle(store: Store, client: int, number: int) -> None:
    """Put, then claim whatever turn is the oldest, commit it and send its reply."""
    await store.put(message(client, number), time.time())
    for claim in await store.claim("bench", 1, 30.0, time.time()):
        committed = await store.commit(change(claim))
        for row in committed.rows:
            await store.mark_sending(row, 15.0, time.time())
            await store.mark_sent(row, f"1700000001.{row.seq:06d}", time.time())


async def short_cycle(store: Store, client: int, number: int) -> None:
    """Take, commit and mark."""
    _, claim = await store.take(message(client, number), "bench", 30.0, time.time())
    assert claim is not None
    (row,) = (await store.commit(change(claim, 15.0))).rows
    assert row.status == "sending"
    await store.mark_sent(row, f"1700000001.{row.seq:06d}", time.time())


CYCLES: dict[str, Cycle] = {"long": long_cycle, "short": short_cycle}


async def client(store: Store, cycle: Cycle, number: int, until: float, took: list[float]) -> None:
    """One client, one cycle after another."""
    count = 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        count += 1
        await cycle(store, number, count)
        took.append(time.perf_counter() - began)


async def paced(store: Store, rate: float, seconds: float, took: list[float]) -> None:
    """Long cycles at a steady rate, timed from the moment at which each was due."""
    began, tasks = time.perf_counter(), set()

    async def one(number: int, due: float) -> None:
        await long_cycle(store, number % 500, number)
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
    print(f"{name:26}{rate:8.0f} cycles/s   {cpu / len(took) * 1e6:5.0f} us CPU   ", end="")
    print(f"p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   max {worst:7.1f} ms", flush=True)


async def measure(opened: Open, seconds: float, waiting: list[int], rates: list[float]) -> None:
    """Everything, one after the other, each on a store of its own."""
    for kind, cycle in CYCLES.items():
        for count in waiting:
            async with opened(f"{kind}{count}") as store:
                took: list[float] = []
                began, cpu = time.perf_counter(), time.process_time()
                await asyncio.gather(*(client(store, cycle, number, began + seconds, took) for number in range(count)))
                show(f"{kind}, {count} clients", took, time.perf_counter() - began, time.process_time() - cpu)
    for rate in rates:
        async with opened(f"paced{rate:.0f}") as store:
            took = []
            began, cpu = time.perf_counter(), time.process_time()
            await paced(store, rate, seconds, took)
            show(f"long, {rate:.0f} a second", took, time.perf_counter() - began, time.process_time() - cpu)


def on_sqlite(folder: Path) -> Open:
    """Stores in files of a folder."""

    @contextlib.asynccontextmanager
    async def opened(name: str) -> AsyncIterator[Store]:
        store = SqliteStore(folder / f"{name}.db")
        await store.start()
        try:
            yield store
            print(f"{'':26}log file {(folder / f'{name}.db-wal').stat().st_size / 1e6:.0f} MB")
        finally:
            await store.stop()

    return opened


def on_postgres(new: Callable[[], str], pool: int) -> Open:
    """Stores in databases."""
    from bot.store.postgres import PostgresStore  # noqa: PLC0415 - its driver may be missing

    @contextlib.asynccontextmanager
    async def opened(name: str) -> AsyncIterator[Store]:
        store = PostgresStore(new(), pool=pool)
        await store.start()
        try:
            yield store
        finally:
            await store.stop()

    return opened


def main() -> None:
    """Read the options and measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    options.add_argument("--url", default="", help="a PostgreSQL database that may be filled; one of our own otherwise")
    options.add_argument("--pool", type=int, default=10, help="connections to PostgreSQL")
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--clients", type=int, nargs="+", default=[1, 32, 256])
    options.add_argument(
        "--rates", type=float, nargs="*", default=[500.0, 2000.0], help="steady rates, cycles a second"
    )
    options.add_argument("--folder", default="", help="where to write; a temporary folder unless given")
    chosen = options.parse_args(sys.argv[1:])
    how = (chosen.seconds, chosen.clients, chosen.rates)
    if chosen.store == "sqlite":
        with tempfile.TemporaryDirectory(dir=chosen.folder or None) as folder:
            uvloop.run(measure(on_sqlite(Path(folder)), *how))
    elif chosen.url:
        uvloop.run(measure(on_postgres(lambda: chosen.url, chosen.pool), *how))
    else:
        from tests.servers import PostgresServer  # noqa: PLC0415 - its wheel may be missing

        server = PostgresServer()
        try:
            server.start()
            uvloop.run(measure(on_postgres(server.new_database, chosen.pool), *how))
        finally:
            server.throw_away()


if __name__ == "__main__":
    main()
