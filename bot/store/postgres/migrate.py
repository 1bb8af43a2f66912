"""Looks at the database before it is used, and brings it to the newest schema. Knows no data.

One process migrates at a time, in one transaction; those that start beside it wait and find the work done.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
from sqlalchemy import Connection

from bot.errors import StartError
from bot.store.postgres.address import DatabaseAddress
from bot.store.postgres.functions import NAMES, STATEMENTS

MIGRATIONS = Path(__file__).parent / "migrations"

_OLDEST = 13
_LOCK = 4_871_203_355_172_601  # any number that nobody else locks

_LOOK = """
SELECT current_setting('transaction_read_only') = 'on',
       current_setting('server_version_num')::integer / 10000,
       current_setting('server_encoding'),
       to_regclass('alembic_version') IS NOT NULL,
       (SELECT count(DISTINCT proname) FROM pg_proc
        WHERE proname = ANY ($1::text[]) AND pronamespace = current_schema()::regnamespace)"""

_FORBIDDEN = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY ($1::text[])
  AND relnamespace = current_schema()::regnamespace
  AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
           AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')) LIMIT 1"""

_TABLES = [
    "alembic_version",
    "lanes",
    "states",
    "inbox",
    "outbox",
    "leases",
    "people",
    "timers",
    "facts",
    "cases",
    "effects",
    "traces",
    "dead_letters",
    "unreadable",
    "notes",
    "consents",
]


async def prepare(address: DatabaseAddress) -> None:
    """Make the database ready; raises StartError, with what to do, where that can't be."""
    try:
        await _prepare(address)
    except asyncpg.PostgresError as exc:
        raise StartError(_explained(address, exc)) from exc
    except (OSError, TimeoutError, asyncpg.InterfaceError, ValueError) as exc:
        why = str(exc) or "no answer"
        raise StartError(
            f"The database at {address} could not be reached: {why}. Check the host and the port in DATABASE_URL, and "
            "that PostgreSQL is running there and lets this machine in."
        ) from exc


async def _prepare(address: DatabaseAddress) -> None:
    connection = await address.connect(patient=True)
    try:
        readonly, version, encoding, migrated, functions = await connection.fetchrow(_LOOK, NAMES)
        if address.looks_only:
            _refuse_empty(address, empty=not migrated)
            return
        _refuse(address, version=version, encoding=encoding, readonly=readonly)
        _refuse_guest(address, await connection.fetchval(_FORBIDDEN, _TABLES))
        found = await connection.fetchval("SELECT version_num FROM alembic_version") if migrated else None
        if found != _newest() or functions < len(NAMES):
            await _migrate(address)
    finally:
        await connection.close(timeout=5.0)


def _refuse_empty(address: DatabaseAddress, *, empty: bool) -> None:
    if empty:
        raise StartError(f"No Frontdesk has used the database at {address} yet, so there is nothing to see.")


def _refuse_guest(address: DatabaseAddress, table: str | None) -> None:
    if table is not None:
        raise StartError(
            f'The database user "{address.user}" may not read and write the table {table} at {address}. Grant it, as '
            f'the owner: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{address.user}".'
        )


def _refuse(address: DatabaseAddress, *, version: int, encoding: str, readonly: bool) -> None:
    if version < _OLDEST:
        raise StartError(f"The database at {address} is PostgreSQL {version}; Frontdesk needs {_OLDEST} or newer.")
    if encoding != "UTF8":
        raise StartError(
            f"The database at {address} stores text as {encoding}, which has no room for every language. Make one "
            "with: CREATE DATABASE frontdesk ENCODING 'UTF8' TEMPLATE template0."
        )
    if readonly:
        raise StartError(f"The database at {address} is read only (a standby?). Name the primary in DATABASE_URL.")


def _newest() -> str:
    """The newest version that this code knows, without loading alembic."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


async def _migrate(address: DatabaseAddress) -> None:
    from sqlalchemy import NullPool, text  # noqa: PLC0415 - most starts find nothing to do
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    async def connect() -> Any:
        return await address.connect(patient=True)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
            await connection.run_sync(_upgrade, address)
            for statement in STATEMENTS:
                await connection.exec_driver_sql(statement)
    except DBAPIError as exc:
        cause = exc.orig.__cause__ if exc.orig is not None else None
        raise (cause or exc) from None
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, address: DatabaseAddress) -> None:
    from alembic import command  # noqa: PLC0415 - it is large, and only needed when there is something to do
    from alembic.config import Config  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    known = {each.revision for each in script.walk_revisions()}
    unknown = [head for head in MigrationContext.configure(connection).get_current_heads() if head not in known]
    if unknown:
        raise StartError(
            f"The database at {address} was written by a newer Frontdesk (schema {unknown[0]}; this one knows up to "
            f"{script.get_current_head()}). Start the newer version, or name another database."
        )
    command.upgrade(config, "head")


def _explained(address: DatabaseAddress, exc: asyncpg.PostgresError) -> str:
    state = str(exc.sqlstate)
    if state in ("28P01", "28000"):
        return (
            f'The database at {address} does not let the user "{address.user}" in: {exc}. Check the user and the '
            "password in DATABASE_URL."
        )
    if state == "3D000":
        return f'There is no such database at {address}. Make it: CREATE DATABASE "{address.database}".'
    if state == "42501":
        return (
            f'The database user "{address.user}" may not make tables at {address}: {exc}. Grant it, as the owner: '
            f'GRANT CREATE, USAGE ON SCHEMA public TO "{address.user}".'
        )
    if state.startswith(("42P07", "42710")):
        return f"The database at {address} has tables of somebody else: {exc}. Give Frontdesk a database of its own."
    return f"The database at {address} could not be made ready: {exc} ({state})."
