"""Which store a bot has: PostgreSQL where an address is set, else a SQLite file in its home folder. Opens none yet."""

from __future__ import annotations

from pathlib import Path

from bot.errors import StartError
from bot.settings import StoreSettings
from bot.store.contract import Store


def choose_store(settings: StoreSettings, home: Path, *, looks_only: bool = False) -> Store:
    """The store that the settings ask for; `looks_only` is for looking into the one of a bot that runs.

    Raises StartError when they ask for what can't be.
    """
    if settings.database_url is not None:
        from bot.store.postgres import PostgresStore  # noqa: PLC0415 - a driver that only some need

        return PostgresStore(settings.database_url.get_secret_value(), looks_only=looks_only)
    if settings.redis_url is not None:
        raise StartError(
            "REDIS_URL is set, but DATABASE_URL is not. Redis only carries news between processes, and without "
            "PostgreSQL there is just one: set DATABASE_URL=postgresql://... too, or unset REDIS_URL."
        )
    from bot.store.sqlite import SqliteStore  # noqa: PLC0415 - the other one's process should not carry it

    file = home / "frontdesk.db"
    if looks_only and not file.exists():
        raise StartError(f"There is no {file}; set FRONTDESK_HOME to the bot's folder.")
    return SqliteStore(file, looks_only=looks_only)
