"""Migrations: forward only, whole or not at all, and to the very schema that the code has."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from bot.errors import StartError
from bot.store.sqlite import SqliteStore
from bot.store.sqlite.migrate import migrate
from bot.store.sqlite.schema import metadata
from bot.store.sqlite.upgrade import upgrade
from bot.testing.store_kit import CHAT, NOW, PERSON, message, take

HERE = Path(__file__).parent


def test_the_migrated_schema_is_the_one_in_the_code(tmp_path: Path) -> None:
    upgrade(tmp_path / "x.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    migrate(tmp_path / "y.db")
    migrated, made = sqlite3.connect(tmp_path / "x.db"), sqlite3.connect(tmp_path / "y.db")
    # Alembic compares neither WITHOUT ROWID nor the WHERE of an index; the texts do.
    assert _texts(migrated) == _texts(made)
    migrated.close()
    made.close()


def _texts(raw: sqlite3.Connection) -> dict[str, list[str]]:
    rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'")
    return {
        name: sorted(part.strip() for part in sql.replace(",", "\n").split("\n") if part.strip()) for name, sql in rows
    }


async def test_a_file_of_the_first_version_still_opens(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "x.db")
    raw.executescript((HERE / "v0001.sql").read_text("utf-8"))
    raw.close()
    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    assert (await store.put(message("e1"), NOW)).duplicate
    assert [entry.text for entry in await store.history(CHAT)] == ["hello", "hi"]
    assert [row.outgoing.key for row in await store.unsent()] == ["waiting"]
    assert await store.recall(PERSON, "city") == b'"Bonn"'
    case = await store.case(desk="console", ref="77")
    assert case is not None
    assert (case.id, case.agent) == ("k1", "Kim")
    claim = await take(store)
    assert (claim.n, claim.message.text, claim.state, claim.conversation.person.name) == (2, "again", b"{}", "Ann")
    assert await store.fire(NOW + 100) == 1
    assert len(await store.dead_letters()) == 1
    assert await store.trace(CHAT, 1) is not None
    await store.stop()


async def test_starting_twice_migrates_once(tmp_path: Path) -> None:
    for _ in range(2):
        store = SqliteStore(tmp_path / "deep" / "x.db")
        await store.start()
        await store.stop()


async def test_a_newer_file_is_refused_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrate(path)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(StartError, match=r"written by a newer Frontdesk \(schema 9999; this one knows up to 0004\)"):
        await SqliteStore(path).start()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("dear diary, " * 100)
    with pytest.raises(StartError, match="not a database"):
        await SqliteStore(path).start()
    assert path.read_text() == "dear diary, " * 100


async def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="can't be written"):
        await SqliteStore(tmp_path / "file" / "x.db").start()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE traces (mine TEXT)")
    before = raw.execute("SELECT name FROM sqlite_master").fetchall()
    with pytest.raises(StartError, match="traces"):
        migrate(path)
    assert raw.execute("SELECT name FROM sqlite_master").fetchall() == before
    raw.close()
