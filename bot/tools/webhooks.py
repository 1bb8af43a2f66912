"""Tells whoever asked that a job is done: signed and tried again as Standard Webhooks has it. Knows no tool."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import structlog

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

GONE = 410

log = structlog.get_logger()

Secret = Callable[[str], Awaitable[str]]


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The signature of a webhook, version 1."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


class Courier:
    """Sends webhooks that are due."""

    def __init__(self, tables: OwnTables, fetcher: Fetcher, secret: Secret, clock: Clock) -> None:
        self._tables, self._fetcher, self._secret, self._clock = tables, fetcher, secret, clock

    async def send_next(self) -> bool:
        """Send the one that is due, if any is; whether there was one."""
        now = self._clock.now()
        job = await self._tables.database.write(lambda c: records.claim_hook(c, now, HELD))
        if job is None:
            return False
        hook, pause = await self._try(job)
        due = self._clock.now() + pause
        await self._tables.database.write(lambda c: records.settle_hook(c, job, hook, due))
        log.info("tool_webhook", job=job.id, attempt=job.hook_attempts, outcome=hook)
        return True

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
