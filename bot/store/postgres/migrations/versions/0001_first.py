"""The first schema: the same tables and columns as SQLite's. Frozen: a later change is a migration of its own.

Text is compared byte by byte (COLLATE "C"): faster, and the same order in every database. Pages of tables whose rows
are changed soon after they were written keep room for the next version of the row.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

KEY = 'text COLLATE "C" NOT NULL'
TEXT = KEY + " DEFAULT ''"
COUNT = "bigint NOT NULL DEFAULT 0"
TIME = "double precision NOT NULL DEFAULT 0"
BLOB = "bytea NOT NULL"

# Vacuumed early: the rows of these die young, and their dead versions lie in the way of everybody.
BUSY = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000"

TABLES = (
    f"""CREATE TABLE lanes (
      conversation {KEY} PRIMARY KEY, tenant {TEXT}, channel {TEXT}, account {TEXT}, chat {TEXT}, thread {TEXT},
      person {TEXT}, tail {COUNT}, head {COUNT}, seq {COUNT}, turn_seq {COUNT}, epoch {COUNT}, rev {COUNT},
      attempts {COUNT}, worker {TEXT}, ready_at {TIME}, owner {KEY} DEFAULT 'bot', owner_version {COUNT},
      case_id {TEXT}, created_at {TIME}) WITH (fillfactor = 70, {BUSY})""",
    "CREATE INDEX lanes_ready ON lanes (tenant, ready_at) WHERE turn_seq > 0",
    f"CREATE TABLE states (conversation {KEY} PRIMARY KEY, state {BLOB}) WITH (fillfactor = 70, {BUSY})",
    f"""CREATE TABLE inbox (
      conversation {KEY}, seq {COUNT}, n {COUNT}, tenant {TEXT}, channel {TEXT}, account {TEXT}, event_id {TEXT},
      person {TEXT}, words {COUNT}, payload {BLOB}, at {TIME}, PRIMARY KEY (conversation, seq),
      CONSTRAINT inbox_event UNIQUE (event_id, account, channel, tenant))""",
    f"""CREATE TABLE outbox (
      conversation {KEY}, seq {COUNT}, turn {COUNT}, target {TEXT}, key {TEXT}, body {BLOB}, source {TEXT},
      author {TEXT}, status {KEY} DEFAULT 'pending', attempts {COUNT}, not_before {TIME}, first_attempt_at {TIME},
      last_attempt_at {TIME}, platform_id {TEXT}, error {TEXT}, at {TIME}, sent_at {TIME}, held_until {TIME},
      PRIMARY KEY (conversation, seq), CONSTRAINT outbox_key UNIQUE (conversation, key)) WITH (fillfactor = 80)""",
    """CREATE INDEX outbox_unsent ON outbox (conversation, target, seq)
      WHERE status IN ('pending', 'sending')""",
    f"CREATE TABLE leases (name {KEY} PRIMARY KEY, worker {TEXT}, until {TIME}) WITH (fillfactor = 50)",
    f"""CREATE TABLE people (
      id {KEY} PRIMARY KEY, tenant {TEXT}, name {TEXT}, language {TEXT}, phone {TEXT}, email {TEXT},
      verified {COUNT})""",
    f"CREATE TABLE timers (conversation {KEY}, key {KEY}, at {TIME}, due {BLOB}, PRIMARY KEY (conversation, key))",
    "CREATE INDEX timers_at ON timers (at)",
    f"CREATE TABLE facts (person {KEY}, key {KEY}, value {BLOB}, PRIMARY KEY (person, key))",
    f"""CREATE TABLE cases (
      id {KEY} PRIMARY KEY, conversation {TEXT}, desk {TEXT}, queue {TEXT}, reason {TEXT}, opened_at {TIME},
      ref {TEXT}, agent {TEXT}, state {TEXT}, cursor {TEXT}, closed_at {TIME})""",
    "CREATE INDEX cases_ref ON cases (desk, ref)",
    "CREATE INDEX cases_open ON cases (desk, opened_at) WHERE state NOT IN ('closed', 'failed')",
    f"CREATE TABLE effects (conversation {KEY}, event_id {KEY}, at {TIME}, PRIMARY KEY (conversation, event_id))",
    f"CREATE TABLE traces (conversation {KEY}, n {COUNT}, trace {BLOB}, PRIMARY KEY (conversation, n))",
    f"""CREATE TABLE dead_letters (
      conversation {KEY}, n {COUNT}, seq {COUNT}, at {TIME}, error {TEXT}, PRIMARY KEY (conversation, n))""",
    "CREATE INDEX dead_letters_at ON dead_letters (at)",
)


def upgrade() -> None:
    """Make every table."""
    for statement in TABLES:
        op.execute(statement)
