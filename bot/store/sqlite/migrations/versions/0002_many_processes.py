"""What several processes need: who holds a row of the outbox, leases by name, turns by tenant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add a column, a table, and the tenant to an index."""
    op.add_column("outbox", sa.Column("held_until", sa.Float(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("until", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.drop_index("lanes_ready", "lanes")
    op.create_index("lanes_ready", "lanes", ["tenant", "ready_at"], unique=False, sqlite_where=sa.text("turn_seq > 0"))
