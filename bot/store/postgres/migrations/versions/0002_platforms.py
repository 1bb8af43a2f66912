"""What platforms need: silence and its ledger, time zones, edited replies, notes, and what nobody could read."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

KEY = 'text COLLATE "C" NOT NULL'
TEXT = KEY + " DEFAULT ''"

STATEMENTS = (
    f"ALTER TABLE lanes ADD COLUMN silence {TEXT}",
    f"ALTER TABLE people ADD COLUMN timezone {TEXT}",
    f"ALTER TABLE outbox ADD COLUMN always bigint NOT NULL DEFAULT 0, ADD COLUMN edits {TEXT}",
    f"""CREATE TABLE unreadable (
      id {KEY} PRIMARY KEY, channel {TEXT}, account {TEXT}, event_id {TEXT}, payload {TEXT}, problem {TEXT},
      at double precision NOT NULL DEFAULT 0)""",
    "CREATE INDEX unreadable_at ON unreadable (at)",
    f"CREATE TABLE notes (key {KEY} PRIMARY KEY, value {TEXT})",
    f"""CREATE TABLE consents (
      conversation {KEY}, n bigint NOT NULL, at double precision NOT NULL DEFAULT 0, silence {TEXT}, word {TEXT},
      PRIMARY KEY (conversation, n))""",
)


def upgrade() -> None:
    """Add columns and three tables."""
    for statement in STATEMENTS:
        op.execute(statement)
