"""What the bot is called on Telegram: asked at the start, and again and again until Telegram has said it.

In groups people call the bot by its name, so nothing said there can be read before it is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog
from telegram import Bot

from bot import Gateway, SendError, StartError, StoreUnavailable
from channels.telegram.api import Api, TokenRefused

PATIENCE = 4.0
"""Seconds that a start waits for Telegram; the bot's other channels wait behind it."""

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0
"""Seconds between two tries to learn the name."""

log = structlog.get_logger(__name__)


class _User(msgspec.Struct, frozen=True):
    """The bot itself, as Telegram answers with it."""

    username: str = ""


class Naming:
    """The name of one bot. `jitter` is a number from 0 up to 1: many processes must not all ask at once."""

    def __init__(self, api: Api, gateway: Gateway, account: str, bot_id: int, jitter: Callable[[], float]) -> None:
        self._api, self._gateway, self._account, self._jitter = api, gateway, account, jitter
        self._key = f"telegram.{account}.name.{bot_id}"
        self._trouble = ""

    async def first(self) -> str:
        """The name; as it was last time while Telegram can't be reached; empty if it never was.

        Raises StartError if the token is wrong.
        """
        return await self._ask() or await self._gateway.note(self._key) or ""

    async def insist(self) -> str:
        """The name, once Telegram says it; less and less often, and told only when something changes."""
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause * (0.5 + self._jitter() / 2))
            pause = min(LONGEST_PAUSE, pause * 2)
            try:
                name = await self._ask()
            except StartError as problem:
                self._tell("telegram_token_refused", str(problem))
                continue
            if name:
                self._trouble = ""
                log.info("telegram_reached", account=self._account)
                return name

    async def _ask(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                name = (await self._api.call(_get_me, _User)).username
        except TokenRefused as refused:
            raise StartError(
                f"telegram ({self._account}): Telegram refuses the bot's token. Take the one that @BotFather shows for "
                "this bot and set it as TELEGRAM_BOT_TOKEN."
            ) from refused
        except (SendError, TimeoutError) as problem:
            self._tell("telegram_not_reached", str(problem) or "no answer")
            return ""
        with suppress(StoreUnavailable):
            if await self._gateway.note(self._key) != name:
                await self._gateway.write_note(self._key, name)
        return name

    def _tell(self, event: str, why: str) -> None:
        """Once for each kind of trouble."""
        if self._trouble != event:
            self._trouble = event
            log.warning(event, account=self._account, why=why)


async def _get_me(bot: Bot) -> None:
    await bot.get_me()
