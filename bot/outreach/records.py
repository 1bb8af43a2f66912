"""Units of work on the tables of broadcasts: functions that get a connection inside a transaction.

They may run twice (the store repeats a group of writes that fails), so they make no ids and read no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Connection, Row, and_, func, not_, select, text, update

from bot.messages import Value
from bot.outreach.campaign import Campaign
from bot.outreach.segments import Page, Somebody, left_out, rank
from bot.outreach.tables import broadcasts, recipients

Status = Literal["running", "paused", "cancelled", "done"]
State = Literal["waiting", "handed", "dropped"]

_NEW = """
INSERT INTO outreach_broadcasts (id, name, spec, status, complete, cursor, created_at, expires_at)
VALUES (:id, :name, :spec, :status, :complete, :cursor, :created_at, :expires_at) ON CONFLICT DO NOTHING"""

_UPSERT = """
INSERT INTO outreach_recipients (broadcast, person, conversation, channel, account, rank, seen_at, state, why, at)
VALUES (:broadcast, :person, :conversation, :channel, :account, :rank, :seen_at, :state, :why, 0)
ON CONFLICT (broadcast, person) DO UPDATE SET
  conversation = excluded.conversation, channel = excluded.channel, account = excluded.account, rank = excluded.rank,
  seen_at = excluded.seen_at, state = excluded.state, why = excluded.why
WHERE (excluded.rank, excluded.seen_at, excluded.conversation)
    > (outreach_recipients.rank, outreach_recipients.seen_at, outreach_recipients.conversation)"""

# The states stand in the text, so that SQLite sees that its partial index will do.
_UNSENT = """
SELECT l.channel, l.account, count(*) FROM outbox o JOIN lanes l ON l.conversation = o.conversation
WHERE o.status IN ('pending', 'sending') AND o.target = 'channel' AND o.key = :key GROUP BY l.channel, l.account"""

_PROGRESS = """
SELECT r.channel, r.state, r.why, coalesce(o.status, ''), count(*) FROM outreach_recipients r
LEFT JOIN outbox o ON o.conversation = r.conversation AND o.key = :key
WHERE r.broadcast = :id GROUP BY r.channel, r.state, r.why, coalesce(o.status, '')"""


class Record(Value, frozen=True):
    """A broadcast as it stands."""

    id: str
    name: str
    campaign: str
    status: Status
    complete: bool
    cursor: str
    created_at: float
    expires_at: float


class Recipient(Value, frozen=True):
    """Somebody who is to be written to."""

    person: str
    conversation: str
    channel: str
    account: str


class Outcome(Value, frozen=True):
    """What became of a recipient; one who still waits does so until `at`."""

    person: str
    state: State
    why: str = ""
    at: float = 0.0


class Count(Value, frozen=True):
    """So many recipients of a channel are in this state; `sent` is the outbox's word for those handed over."""

    channel: str
    state: State
    why: str
    sent: str
    people: int


def add(connection: Connection, record: Record) -> bool:
    """Write a new broadcast; False when there is one of this name."""
    values = {
        "id": record.id,
        "name": record.name,
        "spec": record.campaign,
        "status": record.status,
        "complete": record.complete,
        "cursor": record.cursor,
        "created_at": record.created_at,
        "expires_at": record.expires_at,
    }
    return connection.execute(text(_NEW), values).rowcount == 1


def find(connection: Connection, id: str) -> Record | None:
    """A broadcast by its id."""
    row = connection.execute(select(broadcasts).where(broadcasts.c.id == id)).first()
    return None if row is None else _record(row)


def all_of(connection: Connection, limit: int = 100) -> list[Record]:
    """The newest broadcasts."""
    rows = connection.execute(select(broadcasts).order_by(broadcasts.c.created_at.desc()).limit(limit)).all()
    return [_record(row) for row in rows]


def running(connection: Connection) -> list[Record]:
    """Those in flight, oldest first."""
    wanted = select(broadcasts).where(broadcasts.c.status == "running").order_by(broadcasts.c.created_at)
    return [_record(row) for row in connection.execute(wanted).all()]


def change(connection: Connection, id: str, to: Status, among: Sequence[Status]) -> bool:
    """Make it `to` if it is one of those; whether it was."""
    wanted = update(broadcasts).where(broadcasts.c.id == id, broadcasts.c.status.in_(among)).values(status=to)
    return connection.execute(wanted).rowcount == 1


def fix_page(connection: Connection, before: Record, found: Page, campaign: Campaign) -> bool:
    """Fix the recipients among a page of conversations, read behind the cursor of `before`; whether it still fits."""
    record = find(connection, before.id)
    if record is None or record.status != "running" or record.complete or record.cursor != before.cursor:
        return False
    rows = [_recipient(record.id, one, campaign) for one in found.people]
    if rows:
        connection.execute(text(_UPSERT), rows)
    values = {"cursor": found.last} if found.last else {"complete": True}
    connection.execute(update(broadcasts).where(broadcasts.c.id == record.id).values(values))
    return True


def following(
    connection: Connection, id: str, now: float, limit: int, but: Sequence[tuple[str, str]]
) -> list[Recipient]:
    """The next who wait and whose time has come, none of them in the accounts `but`."""
    columns = (recipients.c.person, recipients.c.conversation, recipients.c.channel, recipients.c.account)
    wanted = select(*columns).where(
        recipients.c.broadcast == id, recipients.c.state == "waiting", recipients.c.at <= now
    )
    for channel, account in but:
        wanted = wanted.where(not_(and_(recipients.c.channel == channel, recipients.c.account == account)))
    rows = connection.execute(wanted.order_by(recipients.c.at, recipients.c.conversation).limit(limit)).all()
    return [Recipient(person=p, conversation=c, channel=h, account=a) for p, c, h, a in rows]


def note(connection: Connection, id: str, outcomes: Sequence[Outcome], *, handed: bool = False) -> None:
    """Write down what became of recipients who wait; `handed` says that it may be news of those handed over too."""
    among = ("waiting", "handed") if handed else ("waiting",)
    for one in outcomes:
        which = (recipients.c.broadcast == id, recipients.c.person == one.person, recipients.c.state.in_(among))
        values = {"state": one.state, "why": one.why, "at": one.at}
        connection.execute(update(recipients).where(*which).values(values))


def drop(connection: Connection, id: str, why: str) -> int:
    """Nobody of those who wait gets it any more; how many."""
    which = (recipients.c.broadcast == id, recipients.c.state == "waiting")
    return connection.execute(update(recipients).where(*which).values(state="dropped", why=why)).rowcount


def waiting(connection: Connection, id: str) -> int:
    """How many still wait."""
    which = (recipients.c.broadcast == id, recipients.c.state == "waiting")
    return connection.execute(select(func.count()).select_from(recipients).where(*which)).scalar() or 0


def unsent(connection: Connection, key: str) -> dict[tuple[str, str], int]:
    """How many replies of a key wait in the outbox, by channel and account."""
    rows = connection.execute(text(_UNSENT), {"key": key}).all()
    return {(channel, account): count for channel, account, count in rows}


def progress(connection: Connection, id: str, key: str) -> list[Count]:
    """How far it has come."""
    rows = connection.execute(text(_PROGRESS), {"id": id, "key": key}).all()
    return [Count(channel=c, state=s, why=w, sent=o, people=n) for c, s, w, o, n in rows]


def _recipient(id: str, one: Somebody, campaign: Campaign) -> dict[str, str | int | float]:
    why = left_out(one, campaign)
    return {
        "broadcast": id,
        "person": one.person,
        "conversation": one.conversation,
        "channel": one.channel,
        "account": one.account,
        "rank": rank(one, why),
        "seen_at": one.seen_at,
        "state": "dropped" if why else "waiting",
        "why": why,
    }


def _record(row: Row[tuple[object, ...]]) -> Record:
    return Record(
        id=row.id,
        name=row.name,
        campaign=row.spec,
        status=row.status,
        complete=bool(row.complete),
        cursor=row.cursor,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
