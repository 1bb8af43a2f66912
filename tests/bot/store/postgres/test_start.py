"""Starting: the schema is made once by whoever comes first, and what is wrong is said in a sentence."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import LargeBinary

from bot.errors import StartError, StoreUnavailable
from bot.store.postgres import PostgresStore, migrate
from bot.store.sqlite.schema import metadata
from bot.testing.store_contract import insert, make_table
from bot.testing.store_kit import NOW, message
from tests.servers import PostgresServer, free_port

COLUMNS = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(collation_name, '')
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"""


async def test_several_processes_may_start_at_once(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    stores = [PostgresStore(url, pool=2) for _ in range(4)]
    await asyncio.gather(*(store.start() for store in stores))
    accepted = await asyncio.gather(*(store.put(message("e1"), NOW) for store in stores))
    assert sum(not each.duplicate for each in accepted) == 1
    await asyncio.gather(*(store.stop() for store in stores))
    assert postgres.sql("SELECT version_num FROM alembic_version", url) == "0003"


def test_the_tables_are_those_of_the_other_store(postgres: PostgresServer) -> None:
    types = {"TEXT": "text C", "INTEGER": "bigint ", "FLOAT": "double precision"}
    expected = {
        f"{column.table.name}.{column.name} "
        + ("bytea " if isinstance(column.type, LargeBinary) else types[str(column.type)])
        for table in metadata.tables.values()
        for column in table.columns
    }
    found = postgres.sql(COLUMNS, postgres.url("migrated")).splitlines()
    assert {line.rstrip() for line in found} == {line.rstrip() for line in expected}


async def test_a_database_that_is_ready_is_not_migrated_again(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_migrate", None)
    store = PostgresStore(postgres.new_database("migrated"))
    await store.start()
    await store.stop()


async def test_functions_that_are_missing_are_installed(postgres: PostgresServer) -> None:
    url = postgres.new_database("migrated")
    drop = "DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid FROM pg_proc WHERE proname LIKE 'fd\\_%' LOOP "
    postgres.sql(drop + "EXECUTE 'DROP FUNCTION ' || f; END LOOP; END $$", url)
    store = PostgresStore(url)
    await store.start()
    assert not (await store.put(message("e1"), NOW)).duplicate
    await store.stop()


async def test_a_newer_schema_is_refused(postgres: PostgresServer) -> None:
    url = postgres.new_database("migrated")
    postgres.sql("UPDATE alembic_version SET version_num = '9999'", url)
    with pytest.raises(StartError, match=r"newer Frontdesk \(schema 9999; this one knows up to 0003\)"):
        await PostgresStore(url).start()
    assert postgres.sql("SELECT version_num FROM alembic_version", url) == "9999"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:hidden@h/d", "postgresql://u:hidden@host:port/d"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(StartError, match="DATABASE_URL is not the address") as problem:
        PostgresStore(url)
    assert "hidden" not in str(problem.value)


async def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    port = free_port()
    with pytest.raises(StartError, match=rf"127\.0\.0\.1:{port}/desk could not be reached") as problem:
        await PostgresStore(f"postgresql://me:hidden@127.0.0.1:{port}/desk").start()
    assert "hidden" not in str(problem.value)


async def test_a_wrong_password_is_told_and_not_shown(postgres: PostgresServer) -> None:
    postgres.sql("CREATE ROLE secretive LOGIN PASSWORD 'right'")
    url = postgres.new_database().replace("postgres@", "secretive:hidden@")
    with pytest.raises(StartError, match='does not let the user "secretive" in') as problem:
        await PostgresStore(url).start()
    assert "hidden" not in str(problem.value)


async def test_a_database_that_is_not_there_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(StartError, match='CREATE DATABASE "nowhere"'):
        await PostgresStore(postgres.url("nowhere")).start()


async def test_rights_that_are_missing_are_told_with_what_to_grant(postgres: PostgresServer) -> None:
    postgres.sql("CREATE ROLE guest LOGIN")
    empty, full = postgres.new_database(), postgres.new_database("migrated")
    with pytest.raises(StartError, match=r'GRANT CREATE, USAGE ON SCHEMA public TO "guest"'):
        await PostgresStore(empty.replace("postgres@", "guest@")).start()
    with pytest.raises(StartError, match=r"GRANT SELECT, INSERT, UPDATE, DELETE"):
        await PostgresStore(full.replace("postgres@", "guest@")).start()
    postgres.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest", full)
    store = PostgresStore(full.replace("postgres@", "guest@"))
    await store.start()
    assert not (await store.put(message("e1"), NOW)).duplicate
    await store.stop()


async def test_a_database_that_only_reads_is_refused(postgres: PostgresServer) -> None:
    url = postgres.new_database("migrated")
    store = PostgresStore(url)
    await store.start()
    postgres.sql(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'frontdesk'")
    with pytest.raises(StartError, match="is read only"):
        await PostgresStore(url).start()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.put(message("e1"), NOW)
    await store.stop()


async def test_tables_of_somebody_else_are_left_alone(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    postgres.sql("CREATE TABLE traces (mine text)", url)
    with pytest.raises(StartError, match="tables of somebody else"):
        await PostgresStore(url).start()
    assert re.findall(
        r"\w+",
        postgres.sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace", url),
    ) == ["traces"]


async def test_another_encoding_is_refused(postgres: PostgresServer) -> None:
    postgres.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    with pytest.raises(StartError, match="LATIN1"):
        await PostgresStore(postgres.url("latin")).start()


async def test_who_only_looks_makes_nothing_and_writes_nothing(postgres: PostgresServer) -> None:
    empty, full = postgres.new_database(), postgres.new_database("migrated")
    with pytest.raises(StartError, match="nothing to see"):
        await PostgresStore(empty, looks_only=True).start()
    store, watcher = PostgresStore(full), PostgresStore(full, looks_only=True)
    await store.start()
    await watcher.start()
    await make_table(store)
    conversation = (await store.put(message("e1"), NOW)).conversation
    assert [entry.text for entry in await watcher.history(conversation)] == ["hello"]
    with pytest.raises(StoreUnavailable):
        await watcher.put(message("e2"), NOW)
    with pytest.raises(StoreUnavailable):
        await watcher.write(insert(1))
    await watcher.stop()
    await store.stop()
