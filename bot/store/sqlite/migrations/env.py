"""Alembic's entry: runs the migrations on the connection that `bot.store.sqlite.migrate` hands over."""

from __future__ import annotations

from alembic import context

from bot.store.sqlite.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
