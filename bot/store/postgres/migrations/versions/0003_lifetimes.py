"""What pruning needs: until when a note is wanted, and the oldest events first."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add a column and two indexes."""
    op.execute("ALTER TABLE notes ADD COLUMN until double precision NOT NULL DEFAULT 0")
    op.execute("CREATE INDEX notes_until ON notes (until) WHERE until > 0")
    op.execute("CREATE INDEX effects_at ON effects (at)")
