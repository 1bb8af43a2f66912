"""Units of work on jobs, their webhooks, and calls with an idempotency key.

They may run twice (the store repeats a group of writes that fails), so they make no ids and read no clock.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, and_, delete, insert, not_, select, update

from bot.messages import Value
from bot.tools.tables import jobs, requests

JobStatus = Literal["queued", "running", "done", "failed"]


class Job(Value, frozen=True):
    """A call that is answered later. `code` and `body` are the answer as HTTP would give it."""

    id: str
    owner: str
    caller: str
    tool_name: str
    request: str
    created_at: float
    expires_at: float
    status: JobStatus = "queued"
    attempts: int = 0
    held_until: float = 0.0
    done_at: float = 0.0
    code: int = 0
    body: str = ""
    webhook_url: str = ""
    hook: str = ""
    hook_attempts: int = 0
    hook_at: float = 0.0


class Kept(Value, frozen=True):
    """A call with an idempotency key: the digest of what was asked, and the answer (`code` is 0 until it is there)."""

    owner: str
    key: str
    digest: str
    expires_at: float
    held_until: float = 0.0
    code: int = 0
    body: str = ""


def add(connection: Connection, job: Job, kept: Kept | None = None) -> None:
    """A new job, and with it the answer to its call."""
    connection.execute(insert(jobs).values(**_values(job)))
    if kept is not None:
        keep(connection, kept)


def find(connection: Connection, id: str, owner: str, now: float) -> Job | None:
    """A job of this owner that has not expired."""
    wanted = select(jobs).where(jobs.c.id == id, jobs.c.owner == owner, jobs.c.expires_at > now)
    row = connection.execute(wanted).first()
    return None if row is None else _job(row)


def claim(connection: Connection, now: float, lease: float) -> Job | None:
    """Take the oldest job that nobody holds, until the lease is over."""
    free = and_(jobs.c.status.in_(("queued", "running")), jobs.c.held_until <= now)
    oldest = select(jobs).where(free).order_by(jobs.c.created_at).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(oldest).first()
    if row is None:
        return None
    values = {"status": "running", "attempts": row.attempts + 1, "held_until": now + lease}
    mine = and_(jobs.c.id == row.id, jobs.c.attempts == row.attempts, free)
    if connection.execute(update(jobs).where(mine).values(values)).rowcount != 1:
        return None
    return msgspec.structs.replace(_job(row), status="running", attempts=row.attempts + 1, held_until=now + lease)


def hold(connection: Connection, job: Job, until: float) -> bool:
    """Keep it for longer; False when another attempt has begun."""
    return connection.execute(update(jobs).where(_ours(job)).values(held_until=until)).rowcount == 1


def give_back(connection: Connection, job: Job, at: float, *, counts: bool) -> None:
    """Let it be taken again, from `at` on; without `counts` this attempt was none."""
    attempts = job.attempts if counts else job.attempts - 1
    connection.execute(update(jobs).where(_ours(job)).values(status="queued", held_until=at, attempts=attempts))


def finish(connection: Connection, job: Job, code: int, body: str, now: float, expires: float) -> bool:
    """Keep its answer, and have its webhook sent; False when another attempt has begun."""
    values = {
        "status": "done" if code < 400 else "failed",
        "code": code,
        "body": body,
        "request": "",  # what was asked is nobody's business any more
        "done_at": now,
        "expires_at": expires,
        "hook": "waiting" if job.webhook_url else "",
        "hook_at": now,
    }
    return connection.execute(update(jobs).where(_ours(job)).values(values)).rowcount == 1


def claim_hook(connection: Connection, now: float, lease: float, busy: Collection[str] = ()) -> Job | None:
    """Take the webhook that is due; nobody else sends it until the lease is over. Those to `busy` origins wait."""
    elsewhere = [not_(jobs.c.webhook_url.startswith(f"{origin}/", autoescape=True)) for origin in busy]
    due = and_(jobs.c.hook == "waiting", jobs.c.hook_at <= now, *elsewhere)
    first = select(jobs).where(due).order_by(jobs.c.hook_at).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(first).first()
    if row is None:
        return None
    mine = and_(jobs.c.id == row.id, jobs.c.hook_attempts == row.hook_attempts, due)
    values = {"hook_attempts": row.hook_attempts + 1, "hook_at": now + lease}
    if connection.execute(update(jobs).where(mine).values(values)).rowcount != 1:
        return None
    return msgspec.structs.replace(_job(row), hook_attempts=row.hook_attempts + 1)


def settle_hook(connection: Connection, job: Job, hook: str, at: float) -> None:
    """What became of this attempt; one that waits is due again at `at`."""
    ours = and_(jobs.c.id == job.id, jobs.c.hook_attempts == job.hook_attempts, jobs.c.hook == "waiting")
    connection.execute(update(jobs).where(ours).values(hook=hook, hook_at=at))


def begin(connection: Connection, kept: Kept, now: float) -> Kept | None:
    """Begin a call with a key; what is known of it already, or None when it is ours to do."""
    connection.execute(delete(requests).where(requests.c.expires_at <= now))
    which = and_(requests.c.owner == kept.owner, requests.c.key == kept.key)
    row = connection.execute(select(requests).where(which)).first()
    if row is None:
        connection.execute(insert(requests).values(**_values(kept)))
        return None
    known = _kept(row)
    if known.code == 0 and known.held_until <= now and known.digest == kept.digest:
        connection.execute(update(requests).where(which).values(held_until=kept.held_until))
        return None
    return known


def keep(connection: Connection, kept: Kept) -> None:
    """Keep the answer to a call with a key."""
    which = and_(requests.c.owner == kept.owner, requests.c.key == kept.key)
    connection.execute(update(requests).where(which).values(code=kept.code, body=kept.body))


def drop(connection: Connection, kept: Kept) -> None:
    """The call came to nothing: the key may be used again."""
    which = and_(requests.c.owner == kept.owner, requests.c.key == kept.key, requests.c.code == 0)
    connection.execute(delete(requests).where(which))


def forget(connection: Connection, now: float) -> None:
    """Delete what has expired, but no job that is not done, or whose webhook still has to be sent."""
    over = and_(jobs.c.expires_at <= now, jobs.c.status.in_(("done", "failed")), jobs.c.hook != "waiting")
    connection.execute(delete(jobs).where(over))
    connection.execute(delete(requests).where(requests.c.expires_at <= now))


def _ours(job: Job) -> Any:
    return and_(jobs.c.id == job.id, jobs.c.status == "running", jobs.c.attempts == job.attempts)


def _values(value: Value) -> dict[str, Any]:
    return msgspec.structs.asdict(value)


def _job(row: Row[Any]) -> Job:
    return msgspec.convert(_plain(row), Job)


def _kept(row: Row[Any]) -> Kept:
    return msgspec.convert(_plain(row), Kept)


def _plain(row: Row[Any]) -> dict[str, Any]:
    # Names of columns that are words of SQL come in a string of another class.
    return {str(name): value for name, value in row._mapping.items()}
