"""Where the database is. Knows how to connect to it and how to name it without its password."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import StartError

CONNECT = 5.0
"""Seconds that connecting may take."""

COMMAND = 10.0
"""Seconds after which a statement that got no answer is given up, with its connection."""

# The server ends what takes longer, or has lost its client, a little before we would have to.
_SETTINGS = {
    "application_name": "frontdesk",
    "statement_timeout": "8000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "5000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",
}

# Statements of the hot path find everything by an index; plans made while the tables were still empty would not. And
# whoever holds a lane's lock for long is dead or asleep: others need not wait for it.
_HOT = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "3000",
}

_READ_ONLY = {"default_transaction_read_only": "on"}

# The same on our side: a server that is gone without a word is noticed also by connections that are idle.
_OPTIONS = (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 2), ("TCP_USER_TIMEOUT", 9_000))


class DatabaseAddress:
    """A PostgreSQL URL: postgresql://user:password@host:port/database; `looks_only` is for who must not write."""

    def __init__(self, url: str, *, looks_only: bool = False) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise StartError(_NOT_ONE) from None  # the cause would show the password
        if parsed.get_backend_name() not in ("postgresql", "postgres"):
            raise StartError(_NOT_ONE)
        self._dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        host = parsed.host or parsed.query.get("host") or "localhost"
        self._settings = _SETTINGS | (_READ_ONLY if looks_only else {})
        self.looks_only = looks_only
        self.user = parsed.username or ""
        self.database = parsed.database or ""
        self.name = f"{host}:{parsed.port or 5432}/{self.database}"

    def __str__(self) -> str:
        return self.name

    async def connect(self, *, patient: bool = False) -> Any:
        """A connection for units of work; a patient one is for migrations, and waits as long as it takes."""
        settings = {"application_name": "frontdesk"} if patient else self._settings
        timeout = None if patient else COMMAND
        connection = await asyncpg.connect(
            self._dsn, timeout=CONNECT, command_timeout=timeout, server_settings=settings
        )
        await _watch(connection)
        return connection

    async def pool(self, size: int) -> Any:
        """A pool of connections for the hot path."""
        return await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=size,
            max_queries=10_000_000,
            init=_watch,
            reset=_nothing,  # we leave nothing behind, and it would be a second round trip each time
            timeout=CONNECT,
            command_timeout=COMMAND,
            server_settings=self._settings | _HOT,
        )


_NOT_ONE = (
    "DATABASE_URL is not the address of a PostgreSQL database. It looks like "
    "postgresql://user:password@host:5432/database; signs like @ and / in the password are written %40 and %2F."
)


async def _watch(connection: Any) -> None:
    transport: asyncio.Transport | None = getattr(connection, "_transport", None)  # asyncpg has no public way
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _nothing(connection: Any) -> None:
    """Leave the connection as it is."""
