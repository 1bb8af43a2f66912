"""What people wrote and no webhook brought: read from Twilio's list now and then, and taken in as if it had come.

Twilio asks a webhook that fails no second time, so without this a restart or a full disk loses messages. One process
does it. Knows the list and the intake, and no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from bot import Gateway, RateLimited, SendError, StoreUnavailable
from channels.sms.api import Api
from channels.sms.intake import Intake

OVERLAP = 600.0
"""Seconds that are read once more: what came just before we looked may not have been in the list yet."""

LONGEST = 86_400.0
"""Seconds that are read back at most; an answer to something older helps nobody."""

log = structlog.get_logger(__name__)


class CatchUp:
    """Reads the list of one account every so many seconds."""

    def __init__(self, account: str, gateway: Gateway, api: Api, intake: Intake, now: Callable[[], float]) -> None:
        self._account, self._gateway, self._api, self._intake, self._now = account, gateway, api, intake, now
        self._trouble = ""

    async def run(self, every: float) -> None:
        """Until cancelled; what fails is read the next time."""
        while True:
            wait = every
            try:
                await self.once()
            except RateLimited as limit:
                wait = max(every, limit.retry_after)
            except (SendError, StoreUnavailable) as problem:
                self._tell(type(problem).__name__, str(problem))
            else:
                self._trouble = ""
            await asyncio.sleep(wait)

    async def once(self) -> int:
        """Read what came since it was read last; how much of it was new. Raises SendError or StoreUnavailable."""
        key, began = f"sms.{self._account}.read_until", self._now()
        last = _seconds(await self._gateway.note(key))
        new = 0
        if last:
            since = max(last - OVERLAP, began - LONGEST)
            new = await self._intake.missed(await self._api.received(datetime.fromtimestamp(since, UTC)))
        await self._gateway.write_note(key, f"{began:.0f}")
        if new:
            log.warning("sms_caught_up", account=self._account, messages=new)
        return new

    def _tell(self, kind: str, why: str) -> None:
        """Once for each kind of trouble."""
        if self._trouble != kind:
            self._trouble = kind
            log.warning("sms_not_caught_up", account=self._account, why=why)


def _seconds(written: str | None) -> float:
    try:
        return float(written or 0)
    except ValueError:
        return 0.0
