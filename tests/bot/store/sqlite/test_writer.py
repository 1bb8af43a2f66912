"""The one writer: what happens when the disk is full, a unit misbehaves, or the process is killed."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from bot.errors import StartError, StoreError, StoreUnavailable
from bot.store.sqlite import SqliteStore
from bot.testing.store_contract import insert, make_table, numbers
from bot.testing.store_kit import NOW, message, result, take

ROOT = Path(__file__).resolve().parents[4]


async def test_a_full_disk_refuses_and_the_writer_lives_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.db", max_bytes=400_000)
    await store.start()
    await make_table(store)
    accepted, refused = 0, 0
    for number in range(200):
        try:
            await store.put(message(f"e{number}", "x" * 20_000), NOW)
            accepted += 1
        except StoreUnavailable:
            refused += 1
            break
    assert accepted > 3
    assert refused == 1
    await store.write(lambda connection: connection.execute(text("DELETE FROM inbox WHERE seq > 2")).rowcount)
    await store.write(insert(1))
    assert not (await store.put(message("after"), NOW)).duplicate
    assert await numbers(store) == [1]
    await store.stop()


async def test_one_that_is_too_big_fails_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.db", max_bytes=400_000)
    await store.start()
    await make_table(store)
    sizes = [10] * 8 + [600_000] + [10] * 8
    puts = [store.put(message(f"e{number}", "x" * size), NOW) for number, size in enumerate(sizes)]
    units = [store.write(insert(number)) for number in range(3)]
    done = await asyncio.gather(*puts, *units, return_exceptions=True)
    assert [number for number, each in enumerate(done) if isinstance(each, BaseException)] == [8]
    assert isinstance(done[8], StoreUnavailable)
    assert await numbers(store) == [0, 1, 2]
    claim = await take(store)
    seen = [claim.n]
    while (following := (await store.commit(result(claim))).next) is not None:
        claim = following
        seen.append(claim.n)
    assert seen == list(range(1, 17))
    await store.stop()


async def test_an_interrupt_takes_the_group_back_and_it_is_repeated(tmp_path: Path) -> None:
    runs: list[int] = []

    def interrupted(connection: Connection) -> None:
        runs.append(1)
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        if len(runs) == 1:
            raw.set_progress_handler(lambda: 1, 1)
        try:
            insert(5)(connection)
        finally:
            raw.set_progress_handler(None, 0)

    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    await make_table(store)
    await asyncio.gather(
        store.write(insert(1)), store.write(interrupted), store.write(insert(2)), return_exceptions=True
    )
    assert await numbers(store) in ([1, 2], [1, 2, 5])
    await store.write(insert(7))
    assert (await numbers(store))[-1] == 7
    await store.stop()


@pytest.mark.parametrize(
    "words",
    [
        "COMMIT",
        "/* so */ commit",
        "END",
        "ROLLBACK",
        "BEGIN",
        "ATTACH ':memory:' AS other",
        "VACUUM",
        "RELEASE sa_unit",
        "ROLLBACK TO sa_unit",
        "PRAGMA synchronous=OFF",
        "PRAGMA journal_mode(DELETE)",
    ],
)
async def test_a_unit_can_not_end_the_group(tmp_path: Path, words: str) -> None:
    def bold(connection: Connection) -> None:
        insert(99)(connection)
        connection.exec_driver_sql(words)

    await _surrounded(tmp_path, bold)


@pytest.mark.parametrize("how", ["commit", "rollback", "script"])
async def test_a_unit_can_not_end_the_group_with_the_raw_connection(tmp_path: Path, how: str) -> None:
    def bold(connection: Connection) -> None:
        insert(99)(connection)
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        if how == "script":
            raw.executescript("COMMIT")
        else:
            getattr(raw, how)()

    await _surrounded(tmp_path, bold)


async def _surrounded(folder: Path, bold: Callable[[Connection], None]) -> None:
    """Run a bad unit between good ones: only it fails."""
    store = SqliteStore(folder / "x.db")
    await store.start()
    await make_table(store)
    jobs = [store.write(bold if number == 2 else insert(number)) for number in range(5)]
    done = await asyncio.gather(*jobs, return_exceptions=True)
    assert [number for number, each in enumerate(done) if each is not None] == [2]
    assert await numbers(store) == [0, 1, 3, 4]
    await store.stop()


async def test_nested_transactions_and_closed_connections_stay_inside_their_unit(tmp_path: Path) -> None:
    def nested(connection: Connection) -> None:
        with connection.begin_nested():
            insert(1)(connection)
        inner = connection.begin_nested()
        insert(2)(connection)
        inner.rollback()
        connection.begin_nested()
        insert(3)(connection)

    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    await make_table(store)
    await store.write(nested)
    await asyncio.gather(store.write(insert(4)), store.write(Connection.close), store.write(insert(5)))
    assert await numbers(store) == [1, 3, 4, 5]
    await store.stop()


async def test_a_unit_sees_its_own_error_and_returns_rows_not_cursors(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    twice = "INSERT INTO facts (person, key, value) VALUES ('p', 'k', x'00'), ('p', 'k', x'00')"
    with pytest.raises(IntegrityError):
        await store.write(lambda connection: connection.exec_driver_sql(twice).rowcount)
    with pytest.raises(StoreError, match="rows, not a cursor"):
        await store.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
    await store.stop()


async def test_a_unit_that_raises_what_no_future_can_carry_harms_nobody(tmp_path: Path) -> None:
    def empty(_: Connection) -> int:
        return next(iter(()))

    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    await make_table(store)
    jobs = (store.write(empty), store.write(insert(1)))
    done = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), 5)
    assert [type(each) for each in done] == [RuntimeError, type(None)]
    await store.stop()


async def test_a_stop_never_waits_for_a_checkpoint_that_missed_it(tmp_path: Path) -> None:
    for number in range(10):
        store = SqliteStore(tmp_path / "x.db")
        await store.start()
        # So many that the checkpoint begins just before the stop: it once forgot that it should end.
        await asyncio.gather(*(store.put(message(f"{number}.{each}"), NOW) for each in range(2_001)))
        await asyncio.wait_for(store.stop(), 10)


async def test_a_slow_unit_is_named(tmp_path: Path) -> None:
    def slow_report(_: Connection) -> None:
        time.sleep(0.03)

    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    with capture_logs() as logs:
        await store.write(slow_report)
    await store.stop()
    (entry,) = [entry for entry in logs if entry["event"] == "slow_unit"]
    assert "slow_report" in entry["unit"]
    assert entry["milliseconds"] >= 30


async def test_a_read_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    store = SqliteStore(tmp_path / "x.db", longest_read=0.05)
    await store.start()
    with pytest.raises(StoreUnavailable):
        await store.read(lambda connection: connection.exec_driver_sql(endless).all())
    assert await store.next_due() is None
    await store.stop()


async def test_a_waiter_that_gives_up_does_not_undo(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    await make_table(store)
    waiting = asyncio.ensure_future(store.write(insert(1)))
    await asyncio.sleep(0)
    waiting.cancel()
    await store.write(insert(2))
    assert await numbers(store) == [1, 2]
    await store.stop()


def _salt(log: Path) -> bytes:
    with log.open("rb") as file:
        return file.read(24)[16:]


async def test_the_log_begins_again_although_somebody_always_writes(tmp_path: Path) -> None:
    log, beginnings = tmp_path / "x.db-wal", set[bytes]()
    store = SqliteStore(tmp_path / "x.db")
    await store.start()

    async def client(chat: int) -> None:
        for number in range(3_000):
            await store.put(message(f"e{chat}.{number}", chat=str(chat)), NOW)
            # The salt in the log's header is a new one each time that SQLite starts it from its beginning.
            if number % 50 == 0:
                beginnings.add(_salt(log))
            if len(beginnings) > 1:
                return

    await asyncio.gather(*(client(chat) for chat in range(32)))
    await store.stop()
    assert len(beginnings) > 1
    assert not log.exists()


async def test_what_waits_is_finished_at_the_stop_and_later_calls_are_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.db")
    with pytest.raises(StoreUnavailable):
        await store.put(message("early"), NOW)
    await store.start()
    puts = [asyncio.ensure_future(store.put(message(f"e{number}"), NOW)) for number in range(500)]
    await asyncio.sleep(0)
    await store.stop()
    assert len({each.seq for each in await asyncio.gather(*puts)}) == 500
    with pytest.raises(StoreUnavailable):
        await store.put(message("late"), NOW)


# A process that forks writers and kills each: so ten kills cost one start of Python. What a writer was told is stored,
# it says on the pipe at once, in writes that a kill can't cut in two.
KILLER = """
import asyncio, os, signal, sys, time
from bot.store.sqlite import SqliteStore
from bot.testing.store_kit import NOW, message

async def write(path, run, started):
    store = SqliteStore(path)
    await store.start()
    async def client(chat):
        number = 0
        while True:
            number += 1
            event = f"{run}.{chat}.{number}"
            accepted = await store.put(message(event, chat=str(chat)), NOW)
            os.write(1, f"{event} {accepted.seq}\\n".encode())
            if number == 1:
                os.write(started, b"!")
    await asyncio.gather(*(client(chat) for chat in range(8)))

for run in range(int(sys.argv[2])):
    alive, started = os.pipe()
    pid = os.fork()
    if pid == 0:
        asyncio.run(write(sys.argv[1], run, started))
    os.close(started)
    assert os.read(alive, 1) == b"!"
    time.sleep(0.02 + 0.02 * run)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(alive)
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    killer = [sys.executable, "-c", KILLER, str(path), "10"]
    done = subprocess.run(killer, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    acknowledged = set(done.stdout.splitlines())
    assert {line.split(".")[0] for line in acknowledged} == set("0123456789")
    raw = sqlite3.connect(path)
    stored = {f"{event} {seq}" for event, seq in raw.execute("SELECT event_id, seq FROM inbox")}
    assert len(acknowledged) > 100
    assert acknowledged <= stored
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    counted = (
        "SELECT count(*), min(n), max(n), max(tail) FROM inbox JOIN lanes USING (conversation) GROUP BY conversation"
    )
    for count, first, last, tail in raw.execute(counted):
        assert (first, last, tail) == (1, count, count)
    raw.close()


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = SqliteStore(path)
    await store.start()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLER, str(path), "1", cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await child.communicate()
    assert f"StartError: {path} is in use by another Frontdesk".encode() in said
    with pytest.raises(StartError, match="in use"):
        await SqliteStore(path).start()
    await store.put(message("e1"), NOW)
    await store.stop()
    await store.start()
    assert (await store.put(message("e1"), NOW)).duplicate
    await store.stop()
