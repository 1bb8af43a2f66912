"""The store on PostgreSQL, for any number of processes."""

from bot.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
