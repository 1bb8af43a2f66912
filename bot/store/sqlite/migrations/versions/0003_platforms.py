"""What platforms need: silence and its ledger, time zones, edited replies, notes, and what nobody could read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns and three tables."""
    op.add_column("lanes", sa.Column("silence", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("people", sa.Column("timezone", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("outbox", sa.Column("always", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("outbox", sa.Column("edits", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.create_table(
        "unreadable",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("account", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("event_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("payload", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("problem", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("unreadable_at", "unreadable", ["at"], unique=False)
    op.create_table(
        "notes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consents",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("silence", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("word", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "n"),
        sqlite_with_rowid=False,
    )
