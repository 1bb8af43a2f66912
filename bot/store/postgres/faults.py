"""Tells a database that is full, busy or gone from a statement that is wrong. Knows no statements."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.errors import StoreError, StoreUnavailable

# What says something about the server rather than about the statement, by class (two letters) or code: connection,
# sign-in, resources (53100 is a full disk), shut-down and time-outs, system errors, broken files, a standby or a
# database that only reads, a lock that did not come, conflicts that stayed after several tries, no such database.
_UNAVAILABLE = ("08", "28", "53", "57", "58", "XX", "25006", "55P03", "40001", "40P01", "3D000")

AGAIN = ("40001", "40P01", "FD001")
"""Taken back as a whole, so that it may be tried again: a conflict, a deadlock, our own "the same event at once"."""

MADE_AT_ONCE = ("42P07", "42710", "23505")
"""What two processes that make the same table get: it exists, its type exists, or so says the catalogue's index."""


LOCKED = "55P03"
"""Somebody else held a lock for too long; nothing was written."""


def code(exc: BaseException | None) -> str:
    """The SQLSTATE of an error, "" if it has none."""
    return str(getattr(None if exc is None else _cause(exc), "sqlstate", None) or "")


def catalogue(exc: BaseException) -> bool:
    """Whether another process made the same table at the same time."""
    cause = _cause(exc)
    state = code(exc)
    return state in MADE_AT_ONCE[:2] or (state == MADE_AT_ONCE[2] and cause.schema_name == "pg_catalog")  # type: ignore[attr-defined]  # asyncpg's


def translate(exc: BaseException) -> BaseException:
    """The error that a caller should see: ours where the database refused, else the very same."""
    if isinstance(exc, StoreError):
        return exc
    cause = _cause(exc)
    gone = isinstance(cause, OSError | TimeoutError | PoolTimeout | asyncpg.InternalClientError) or (
        # A DataError is an InterfaceError too, but says that a value is wrong.
        isinstance(cause, asyncpg.InterfaceError) and not isinstance(cause, ValueError)
    )
    if gone or code(exc).startswith(_UNAVAILABLE):
        error = StoreUnavailable(f"the database refused: {_words(cause)}")
        error.__cause__ = exc
        return error
    return exc


def _cause(exc: BaseException) -> BaseException:
    """The driver's own error inside SQLAlchemy's."""
    if isinstance(exc, DBAPIError) and exc.orig is not None:
        return exc.orig.__cause__ or exc.orig
    return exc


def _words(exc: BaseException) -> str:
    return str(exc) or type(exc).__name__
