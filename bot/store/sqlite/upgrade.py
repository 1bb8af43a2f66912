"""Brings an older database file to the newest schema by its migrations, forward only. Knows no data.

Every migration runs inside one real transaction: killed in the middle, the file is as it was before.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DatabaseError

from bot.errors import StartError
from bot.store.sqlite.migrate import MIGRATIONS


def upgrade(path: Path, revision: str = "head") -> None:
    """Bring the file at `path` to `revision`, making it if it is not there; raises StartError where that can't be."""
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            _upgrade(connection, path, revision)
    except (DatabaseError, sqlite3.Error) as exc:
        cause = exc.orig if isinstance(exc, DatabaseError) else exc
        raise StartError(f"{path} could not be opened as a database: {cause}.") from exc
    finally:
        engine.dispose()


def _connect(path: Path) -> sqlite3.Connection:
    raw = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    # Rebuilding a parent table with this on deletes its children, and it can't be changed inside a transaction.
    raw.execute("PRAGMA foreign_keys=OFF")
    return raw


def _upgrade(connection: Connection, path: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    _refuse_newer(connection, ScriptDirectory.from_config(config), path)
    # isolation_level=None sends no BEGIN of its own, and without one each statement would stand alone.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    command.upgrade(config, revision)
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        connection.rollback()
        raise StartError(f"{path} was not migrated: {len(broken)} rows would point at nothing.")
    connection.commit()


def _refuse_newer(connection: Connection, script: ScriptDirectory, path: Path) -> None:
    known = {each.revision for each in script.walk_revisions()}
    unknown = [head for head in MigrationContext.configure(connection).get_current_heads() if head not in known]
    if unknown:
        raise StartError(
            f"{path} was written by a newer Frontdesk (schema {unknown[0]}; this one knows up to "
            f"{script.get_current_head()}). Start the newer version, or name another file."
        )
