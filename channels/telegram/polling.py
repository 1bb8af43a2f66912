"""Long polling: asks Telegram for updates, and confirms them only after all of them are stored."""

from __future__ import annotations

import asyncio

import msgspec
import structlog
from telegram import Bot

from bot import RateLimited, SendError, StoreUnavailable
from channels.telegram.api import Api
from channels.telegram.intake import Intake
from channels.telegram.parse import event_id_of
from channels.telegram.updates import KINDS

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between two tries while Telegram, or our own store, can't be reached."""

BATCH = 100

log = structlog.get_logger(__name__)


class Poll:
    """The loop of one bot; only one process may run it, or Telegram answers both with 409."""

    def __init__(self, api: Api, intake: Intake, timeout: int) -> None:
        self._api, self._intake, self._timeout = api, intake, timeout
        self._offset: int | None = None
        self._pause = 0.0

    async def run(self) -> None:
        """Poll until cancelled."""
        hooked = True
        while True:
            try:
                if hooked:
                    await self._api.call(_unhook, bool)
                    hooked = False
                await self._round()
                self._pause = 0.0
            except RateLimited as problem:
                await asyncio.sleep(problem.retry_after)
            except (SendError, StoreUnavailable) as problem:
                # 409 is among these: another poll, or a webhook that somebody else has set.
                hooked = True
                self._pause = min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE)
                log.warning("telegram_poll_failed", why=str(problem), again_in=self._pause)
                await asyncio.sleep(self._pause)

    async def _round(self) -> None:
        updates = await self._api.call(self._get, list[msgspec.Raw])
        last = self._offset
        if not updates:
            # All is confirmed. After a week of silence the numbers begin anywhere, perhaps below ours: those updates
            # must not count as confirmed.
            self._offset = None
        for update in updates:
            await self._intake.take(bytes(update))
            self._offset = _after(self._offset, event_id_of(bytes(update)))
        if updates and self._offset == last:
            log.error("telegram_updates_without_numbers")
            await asyncio.sleep(LONGEST_PAUSE)  # they can't be confirmed, so they come again at once

    async def _get(self, bot: Bot) -> None:
        await bot.get_updates(offset=self._offset, limit=BATCH, timeout=self._timeout, allowed_updates=KINDS)


async def _unhook(bot: Bot) -> None:
    await bot.delete_webhook(drop_pending_updates=False)


def _after(offset: int | None, event_id: str) -> int | None:
    """What confirms this update too."""
    return int(event_id) + 1 if event_id.lstrip("-").isdigit() else offset
