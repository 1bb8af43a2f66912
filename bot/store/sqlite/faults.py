"""Tells a database that is full, locked or gone from a statement that is wrong. Knows no statements."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from bot.errors import StoreError, StoreUnavailable

# The primary result codes that say something about the database rather than about the statement.
_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}


def translate(exc: BaseException) -> BaseException:
    """The error that a caller should see: ours where the database refused, else the very same."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if not isinstance(cause, sqlite3.Error):
        return exc
    # An extended code has the primary one in its lowest byte; errors of the Python module itself have none.
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _UNAVAILABLE:
        return _because(StoreUnavailable(f"the database refused: {cause}"), exc)
    if code == sqlite3.SQLITE_AUTH:
        return _because(StoreError(f"a unit of work can't begin, commit, attach or change settings: {cause}"), exc)
    return exc


def _because(error: StoreError, cause: BaseException) -> StoreError:
    error.__cause__ = cause
    return error
