"""Brings a database file to the newest schema before the writer opens it. Knows no data.

Most starts find it there; a new file gets the schema as it is in the code. Only an older file needs the migrations, and
only then alembic is loaded: it costs a fifth of the start and of the memory.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import NullPool, create_engine

from bot.errors import StartError
from bot.store.sqlite.schema import metadata

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(path: Path) -> None:
    """Bring the file at `path` to the newest schema, making it if it is not there; StartError where that can't be."""
    try:
        raw = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        try:
            found, tables = _look(raw)
            if not tables:
                _make(raw)
                return
        finally:
            raw.close()
    except sqlite3.Error as exc:
        raise StartError(f"{path} could not be opened as a database: {exc}.") from exc
    if found != newest():
        from bot.store.sqlite.upgrade import upgrade  # noqa: PLC0415 - see above

        upgrade(path)


def newest() -> str:
    """The revision that the code knows; the names of the migrations begin with theirs."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _look(raw: sqlite3.Connection) -> tuple[str, int]:
    """The revision of a file, and how many tables it has."""
    names = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    revisions = raw.execute("SELECT version_num FROM alembic_version").fetchall() if "alembic_version" in names else []
    return (revisions[0][0] if len(revisions) == 1 else ""), len(names)


def _make(raw: sqlite3.Connection) -> None:
    """All tables at once, in one transaction: killed in the middle, the file is as empty as before."""
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=NullPool)
    connection = engine.connect()
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (newest(),))
    connection.commit()
    connection.close()
    engine.dispose()
