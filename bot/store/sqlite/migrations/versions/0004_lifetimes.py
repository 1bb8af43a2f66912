"""What pruning needs: until when a note is wanted, and the oldest events first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add a column and two indexes."""
    op.add_column("notes", sa.Column("until", sa.Float(), server_default=sa.text("0"), nullable=False))
    op.create_index("notes_until", "notes", ["until"], unique=False, sqlite_where=sa.text("until > 0"))
    op.create_index("effects_at", "effects", ["at"], unique=False)
