"""When the database is gone, silent, full or busy: refused in time, nothing half done, and well again by itself."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from bot.errors import StoreError, StoreUnavailable
from bot.store.contract import Effect, Store
from bot.store.postgres import PostgresStore, address, pool
from bot.store.postgres.faults import translate
from bot.testing.store_contract import insert, make_table, numbers
from bot.testing.store_kit import CHAT, NOW, message, result, take
from tests.bot.store.postgres.support import TEMPLATE, stores
from tests.servers import FAST, PostgresServer


@pytest.fixture(scope="module")
def own(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    server = PostgresServer(FAST)
    try:
        server.start()
        yield server
    finally:
        server.throw_away()


async def until_well(store: Store, event: str) -> None:
    """Ask until it answers; meanwhile it only says that it is unavailable."""
    for _ in range(200):
        try:
            await store.put(message(event), NOW)
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_restart_refuses_meanwhile_and_loses_nothing(own: PostgresServer, how: signal.Signals) -> None:
    store = PostgresStore(own.new_database(), own_clock=False)
    await store.start()
    await make_table(store)
    acknowledged: list[str] = []
    over = asyncio.Event()

    async def client(chat: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            event = f"{chat}.{number}"
            try:
                await store.put(message(event, chat=str(chat)), NOW)
                acknowledged.append(event)
            except StoreUnavailable:
                await asyncio.sleep(0.02)

    clients = [asyncio.create_task(client(chat)) for chat in range(8)]
    await asyncio.sleep(0.3)
    await asyncio.to_thread(own.stop, how)
    with pytest.raises(StoreUnavailable):
        await store.claim("w", 1, 30.0, NOW)
    with pytest.raises(StoreUnavailable):
        await store.write(insert(1))
    with pytest.raises(StoreUnavailable):
        await store.read(lambda connection: connection.execute(text("SELECT 1")).all())
    before = len(acknowledged)
    await asyncio.to_thread(own.start)
    await until_well(store, "after")
    await asyncio.sleep(0.3)
    over.set()
    await asyncio.gather(*clients)
    assert 0 < before < len(acknowledged)
    await store.write(insert(2))
    assert await numbers(store) == [2]
    again = [(await store.put(message(event, chat=event.split(".")[0]), NOW)).duplicate for event in acknowledged]
    assert all(again)
    await store.stop()


async def test_a_session_that_is_ended_is_replaced(postgres: PostgresServer) -> None:
    async with stores(postgres, 1) as (store,):
        await store.put(message("e1"), NOW)
        claim = await take(store)
        for _ in range(3):
            postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'frontdesk'")
            await asyncio.sleep(0.05)
            await until_well(store, "e2")
        await store.commit(result(claim))


@asynccontextmanager
async def silent(port: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A way to the server that can be made to swallow everything; its port, and the switch (set: it passes on)."""
    passes = asyncio.Event()
    passes.set()
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await passes.wait()
            writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, outer))
        await asyncio.gather(pump(reader, outer), pump(inner, writer), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], passes
    finally:
        passes.set()
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.05)


async def test_a_network_that_swallows_everything_is_noticed(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "COMMAND", 0.4)
    monkeypatch.setattr(address, "CONNECT", 0.4)
    monkeypatch.setattr(pool, "_PATIENCE", 0.4)
    async with silent(postgres.port) as (port, passes):
        url = postgres.new_database(TEMPLATE).replace(str(postgres.port), str(port))
        store = PostgresStore(url, pool=3)
        await store.start()
        await asyncio.gather(*(store.put(message(f"e{n}", chat=str(n)), NOW) for n in range(6)))
        passes.clear()
        began = time.monotonic()
        done = await asyncio.gather(
            *(store.put(message(f"f{n}", chat=str(n)), NOW) for n in range(6)), return_exceptions=True
        )
        assert all(isinstance(each, StoreUnavailable) for each in done)
        assert time.monotonic() - began < 10
        passes.set()
        await until_well(store, "e9")
        await store.stop()


async def test_whoever_finds_all_connections_busy_waits_and_is_refused(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_PATIENCE", 0.3)
    monkeypatch.setitem(address._HOT, "lock_timeout", "1500")
    async with locked(postgres) as (store, free):
        done = await asyncio.gather(
            *(store.apply(Effect(conversation=CHAT, now=NOW)) for n in range(4)), return_exceptions=True
        )
        words = sorted(str(each).split(":")[0] for each in done)
        assert words == ["no connection to the database within 0.3 s"] * 2 + ["the database refused"] * 2
        await free()
        assert await store.apply(Effect(conversation=CHAT, now=NOW)) is not None


async def test_a_lane_that_somebody_holds_for_long_keeps_no_other_waiting_for_long(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(address._HOT, "lock_timeout", "300")
    async with locked(postgres) as (store, free):
        puts = [store.put(message(f"f{n}", chat=str(n)), NOW) for n in range(5)]
        done = await asyncio.gather(*puts, return_exceptions=True)
        assert [isinstance(each, StoreUnavailable) for each in done] == [False, True, False, False, False]
        await free()
        assert not (await store.put(message("f1"), NOW)).duplicate, "what was refused was not stored"


@asynccontextmanager
async def locked(server: PostgresServer) -> AsyncIterator[tuple[Store, Callable[[], Awaitable[None]]]]:
    """A store with two connections, the lane of chat 1 locked by somebody else, and how that one lets go."""
    url = server.new_database(TEMPLATE)
    store = PostgresStore(url, pool=2)
    await store.start()
    await store.put(message("e1"), NOW)
    rival = await asyncpg.connect(url)
    transaction = rival.transaction()
    await transaction.start()
    await rival.execute("SELECT FROM lanes FOR UPDATE")
    try:
        yield store, transaction.rollback
    finally:
        await rival.close()
        await store.stop()


async def test_a_deadlock_is_tried_again(postgres: PostgresServer) -> None:
    async with stores(postgres, 1) as (store,):
        await make_table(store)
        await store.write(lambda connection: connection.execute(text("INSERT INTO mine VALUES (1), (2)")).rowcount)

        def crossing(one: int, other: int) -> Callable[[Connection], None]:
            def unit(connection: Connection) -> None:
                for number in (one, other):
                    connection.execute(text("UPDATE mine SET number = number WHERE number = :n"), {"n": number})
                    connection.execute(text("SELECT pg_sleep(0.05)"))

            return unit

        await asyncio.gather(*(store.write(crossing(*pair)) for pair in ((1, 2), (2, 1)) * 2))
        assert await numbers(store) == [1, 2]


async def test_units_that_cross_behave_as_if_they_were_alone(postgres: PostgresServer) -> None:
    def count(connection: Connection) -> None:
        found = connection.execute(text("SELECT count(*) FROM mine")).scalar_one()
        connection.execute(text("INSERT INTO mine VALUES (:n)"), {"n": found})

    async with stores(postgres) as opened:
        await make_table(opened[0])
        await asyncio.gather(*(opened[n % 2].write(count) for n in range(10)))
        assert await numbers(opened[0]) == list(range(10))


async def test_a_table_that_two_make_at_once_is_made_once(postgres: PostgresServer) -> None:
    async with stores(postgres, 3) as opened:
        for number in range(5):
            make = f"CREATE TABLE IF NOT EXISTS mine{number} (id serial PRIMARY KEY, name varchar(9) UNIQUE)"
            await asyncio.gather(*(store.write(lambda c, m=make: c.execute(text(m)).close()) for store in opened))  # type: ignore[misc]


async def test_a_unit_sees_its_own_errors_and_returns_rows_not_cursors(postgres: PostgresServer) -> None:
    async with stores(postgres, 1) as (store,):
        twice = "INSERT INTO facts (person, key, value) VALUES ('p', 'k', ''), ('p', 'k', '')"
        with pytest.raises(IntegrityError):
            await store.write(lambda connection: connection.exec_driver_sql(twice).rowcount)
        with pytest.raises(StoreError, match="rows, not a cursor"):
            await store.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
        with pytest.raises(StoreError, match="can't write"):
            await store.read(lambda connection: connection.exec_driver_sql("DELETE FROM facts").rowcount)


async def test_a_waiter_that_gives_up_leaves_the_store_well(postgres: PostgresServer) -> None:
    async with stores(postgres, 1) as (store,):
        for number in range(20):
            waiting = asyncio.ensure_future(store.put(message(f"e{number}"), NOW))
            await asyncio.sleep(0.001 * (number % 5))
            waiting.cancel()
        seqs = [(await store.put(message(f"f{number}"), NOW)).seq for number in range(3)]
        assert seqs == list(range(seqs[0], seqs[0] + 3))


async def test_before_the_start_and_after_the_stop_it_refuses(postgres: PostgresServer) -> None:
    store = PostgresStore(postgres.new_database(TEMPLATE))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.put(message("e1"), NOW)
        with pytest.raises(StoreUnavailable):
            await store.write(insert(1))
        await store.start()
        await store.stop()


@pytest.mark.parametrize(
    "name", ["DiskFullError", "AdminShutdownError", "TooManyConnectionsError", "QueryCanceledError"]
)
def test_what_says_something_about_the_server_is_unavailable(name: str) -> None:
    assert isinstance(translate(getattr(asyncpg, name)("no")), StoreUnavailable)


def test_what_says_something_about_the_statement_stays_what_it_is() -> None:
    for error in (asyncpg.UniqueViolationError("no"), asyncpg.UndefinedTableError("no"), asyncpg.DataError("no")):
        assert translate(error) is error
