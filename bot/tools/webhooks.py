"""Tells whoever asked that a job is done: signed and tried again as Standard Webhooks has it. Knows no tool."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import structlog
from yarl import URL

from bot.clock import Clock
from bot.errors import NotSent, Rejected
from bot.store.own_tables import OwnTables
from bot.tools import records
from bot.tools.answers import job_body
from bot.tools.records import Job
from bot.web.fetching import Fetcher

PAUSES = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
"""Seconds between one attempt and the next: eight attempts in 28 hours."""

HELD = 30.0
"""Seconds for which an attempt is one process's; longer than a request may take."""

AT_ONCE = 8
"""Webhooks that a process sends side by side, each to another server: one that never answers holds up no other."""

GONE = 410

log = structlog.get_logger()

Secret = Callable[[str], Awaitable[str]]


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The signature of a webhook, version 1."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def address(url: str) -> str:
    """A webhook's address as it is kept: its host in small letters, and a path behind it, to be found by its origin."""
    try:
        return str(URL(url))
    except ValueError:
        return url  # refused when it is used


class Courier:
    """Sends webhooks that are due. May be asked for the next one while others are on their way."""

    def __init__(self, tables: OwnTables, fetcher: Fetcher, secret: Secret, clock: Clock) -> None:
        self._tables, self._fetcher, self._secret, self._clock = tables, fetcher, secret, clock
        self._busy: set[str] = set()  # the origins of those that are on their way
        self._claiming = asyncio.Lock()

    async def send_next(self) -> bool:
        """Send the one that is due, if any is, to a server that no other is on its way to; whether there was one."""
        async with self._claiming:
            now, busy = self._clock.now(), tuple(self._busy)
            job = await self._tables.database.write(lambda c: records.claim_hook(c, now, HELD, busy))
            if job is None:
                return False
            origin = _origin(job.webhook_url)
            self._busy.add(origin)
        try:
            await self._send(job)
        finally:
            self._busy.discard(origin)
        return True

    async def _send(self, job: Job) -> None:
        hook, pause = await self._try(job)
        due = self._clock.now() + pause
        await self._tables.database.write(lambda c: records.settle_hook(c, job, hook, due))
        log.info("tool_webhook", job=job.id, attempt=job.hook_attempts, outcome=hook)

    async def _try(self, job: Job) -> tuple[str, float]:
        """What became of it, and after how many seconds to try again."""
        id, at = f"msg_{job.id}", int(self._clock.now())
        body = msgspec.json.encode(
            {
                "type": "tool.finished" if job.status == "done" else "tool.failed",
                "timestamp": datetime.fromtimestamp(job.done_at, UTC).isoformat().replace("+00:00", "Z"),
                "data": job_body(job),
            }
        )
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(await self._secret(job.owner), id, at, body),
        }
        try:
            status = await self._fetcher.post(job.webhook_url, body, headers=headers)
        except Rejected as problem:  # an address that may not be asked will not become one
            log.warning("tool_webhook_refused", job=job.id, why=str(problem))
            return "refused", 0.0
        except NotSent:
            status = 0
        if 200 <= status < 300:
            return "delivered", 0.0
        if status == GONE or job.hook_attempts > len(PAUSES):
            return "refused", 0.0
        return "waiting", PAUSES[job.hook_attempts - 1]


def _origin(url: str) -> str:
    try:
        return str(URL(url).origin())
    except ValueError:
        return url
