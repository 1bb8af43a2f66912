"""What a bot tells Telegram: where to deliver, and which commands it knows. Only when it has changed."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from telegram import Bot, BotCommand

from bot import Gateway, KnownCommand, RateLimited, Rejected, SendError, StoreUnavailable
from channels.telegram.api import Api
from channels.telegram.updates import KINDS

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two tries."""

LOOK_EVERY = 300.0
"""Seconds between two looks at the webhook: Telegram gives it up when we were gone for long, and others may set it."""

MOST_COMMANDS = 100

_NAME = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"[a-z]{2}")

log = structlog.get_logger(__name__)

Menus = dict[str, list[tuple[str, str]]]


class WebhookInfo(msgspec.Struct, frozen=True):
    """What Telegram knows of our webhook; the error is that of the last delivery that failed."""

    url: str = ""
    pending_update_count: int = 0
    last_error_message: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where Telegram shall deliver."""

    url: str
    secret: str
    connections: int

    @property
    def mark(self) -> str:
        """Changes with everything that Telegram has to be told; the secret itself is not kept."""
        return hashlib.sha256(repr((self.url, self.secret, self.connections, KINDS)).encode()).hexdigest()[:32]


class Setup:
    """Tells it all, trying until it is done, and sees to it that the webhook stays; one process does so."""

    def __init__(self, api: Api, gateway: Gateway, account: str, hook: Hook | None) -> None:
        self._api, self._gateway, self._hook = api, gateway, hook
        self._prefix = f"telegram.{account}"

    async def run(self) -> None:
        """The job."""
        await self._insist(self._set_hook)
        try:
            await self._insist(self._set_commands, but=Rejected)
        except Rejected as problem:
            log.error("telegram_commands_refused", why=str(problem))
        while self._hook is not None:
            await asyncio.sleep(LOOK_EVERY)
            await self._insist(self._set_hook)

    async def _insist(self, do: Callable[[], Awaitable[None]], but: type[SendError] | None = None) -> None:
        """Until it is done. Telegram also says no where it only could not find us for a while."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await do()
            except (SendError, StoreUnavailable) as problem:
                if but is not None and isinstance(problem, but):
                    raise
                wait = problem.retry_after if isinstance(problem, RateLimited) else pause
                log.warning("telegram_setup_failed", why=str(problem), again_in=wait)
            await asyncio.sleep(wait)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _set_hook(self) -> None:
        hook, key = self._hook, f"{self._prefix}.webhook"
        if hook is None:
            return

        async def ask(bot: Bot) -> None:
            await bot.get_webhook_info()

        async def tell(bot: Bot) -> None:
            await bot.set_webhook(
                hook.url,
                secret_token=hook.secret,
                allowed_updates=KINDS,
                max_connections=hook.connections,
                drop_pending_updates=False,
            )

        info = await self._api.call(ask, WebhookInfo)
        if info.pending_update_count and info.last_error_message:
            waiting, why = info.pending_update_count, info.last_error_message[:200]
            log.warning("telegram_webhook_not_reached", waiting=waiting, why=why)
        if info.url != hook.url or await self._gateway.note(key) != hook.mark:
            await self._api.call(tell, bool)
            await self._gateway.write_note(key, hook.mark)
            log.info("telegram_webhook_set", url=hook.url)

    async def _set_commands(self) -> None:
        key = f"{self._prefix}.commands"
        told = _told(await self._gateway.note(key))
        wanted = menus(self._gateway.commands())
        marks = {language: _mark(menu) for language, menu in wanted.items()}
        for language in sorted(told.keys() | marks.keys()):
            if told.get(language) == marks.get(language):
                continue
            await self._set_menu(language, wanted.get(language))
        if told != marks:
            await self._gateway.write_note(key, msgspec.json.encode(marks).decode() if marks else None)

    async def _set_menu(self, language: str, menu: list[tuple[str, str]] | None) -> None:
        async def tell(bot: Bot) -> None:
            if menu is None:
                await bot.delete_my_commands(language_code=language or None)
            else:
                await bot.set_my_commands([BotCommand(*entry) for entry in menu], language_code=language or None)

        await self._api.call(tell, bool)


def menus(commands: Sequence[KnownCommand]) -> Menus:
    """The commands as Telegram lists them, by language; "" is for all languages that have no list of their own."""
    known = [command for command in commands if _NAME.fullmatch(command.name)][:MOST_COMMANDS]
    if not known:
        return {}
    languages = {code for command in known for code in command.about if _LANGUAGE.fullmatch(code)}
    return {code: [(command.name, _about(command, code)) for command in known] for code in ("", *sorted(languages))}


def _about(command: KnownCommand, language: str) -> str:
    about = command.about
    words = about.get(language) or about.get("") or about.get("en") or next(iter(about.values()), "")
    return " ".join(words.split())[:256] or command.name


def _mark(menu: list[tuple[str, str]]) -> str:
    return hashlib.sha256(repr(menu).encode()).hexdigest()[:16]


def _told(note: str | None) -> dict[str, str]:
    try:
        return msgspec.json.decode(note, type=dict[str, str]) if note else {}
    except msgspec.MsgspecError:
        return {}
