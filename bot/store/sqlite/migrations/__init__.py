"""The versions of the database, forward only; alembic runs them at start."""
