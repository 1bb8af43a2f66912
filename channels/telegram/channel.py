"""The Telegram channel: one bot, by webhook or by long polling. Knows no skills and no store."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp import web
from telegram import Bot

from bot import (
    Address,
    Capabilities,
    Channel,
    Clock,
    Deletes,
    Delivery,
    Download,
    Drafts,
    Edits,
    Entropy,
    Fetcher,
    Files,
    Gateway,
    NotSent,
    Pace,
    Receipt,
    Rejected,
    Rereads,
    StartError,
    StoreUnavailable,
    Types,
)
from channels.telegram.api import Api
from channels.telegram.calls import Calls
from channels.telegram.chats import Chats
from channels.telegram.intake import Intake
from channels.telegram.keyboards import Keyboards
from channels.telegram.naming import Naming
from channels.telegram.outgoing import MAX_TEXT, measure
from channels.telegram.parse import Identity, event_id_of
from channels.telegram.polling import Poll
from channels.telegram.privately import Privately
from channels.telegram.settings import TelegramAccount, TelegramSettings
from channels.telegram.setup import Hook, Setup
from channels.telegram.sources import LARGEST_UPLOAD, Sources
from channels.telegram.speaking import Speaker
from channels.telegram.webhook import Webhook

FETCH = 5.0
"""Seconds that somebody's file may take to come."""


class _File(msgspec.Struct, frozen=True):
    """Where a file is for the next hour."""

    file_path: str = ""
    file_size: int = 0


class TelegramChannel(Channel, Types, Drafts, Edits, Deletes, Files, Rereads):
    """One bot. `public_url` is where people reach us; Telegram delivers only to https."""

    name = "telegram"
    capabilities = Capabilities(
        max_text=MAX_TEXT,
        buttons=20,
        markdown=True,
        cards=True,
        media=True,
        typing=True,
        drafts=True,
        edits=True,
        deletes=True,
        reactions=True,
        mentions=True,
        shares_phone=True,
        whispers=True,
        # A text takes 11 at most (api.py), a file a little longer: it may have to be fetched and uploaded. An attempt
        # that is cut off goes on behind what it had sent.
        send_timeout=15.0,
        paces=(Pace(count=30), Pace(count=1, of="conversation")),
    )

    def __init__(
        self,
        account: str,
        bot: TelegramAccount,
        settings: TelegramSettings,
        *,
        public_url: str = "",
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        self.account = account
        self._bot, self._settings, self._public_url = bot, settings, public_url.rstrip("/")
        self._now = clock.now if clock else time.time
        self._jitter = entropy.jitter if entropy else random.random
        secure = self._public_url.startswith("https://")
        self._hooked = bot.mode == "webhook" or (bot.mode == "auto" and secure)
        self._intake: Intake | None = None
        self._speaker: Speaker | None = None
        self._api: Api | None = None
        self._chats: Chats | None = None
        self._keyboards: Keyboards | None = None
        self._fetcher: Fetcher | None = None
        self._jobs: list[asyncio.Task[None]] = []
        self._waiting: set[asyncio.Task[None]] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        """Where Telegram delivers; nothing with long polling."""
        if not self._hooked:
            return []
        door = Webhook(self.account, self._bot.secret, self._take)
        return [web.post(f"/channels/telegram/{self.account}", door.handle)]

    def measure(self, text: str) -> int:
        """UTF-16 units of what is shown."""
        return measure(text)

    def shared(self, address: Address) -> bool:
        """In groups, whose numbers are negative."""
        return address.chat.startswith("-")

    def paces(self, address: Address) -> Sequence[Pace]:
        """In groups 20 a minute too."""
        if self.shared(address):
            return (*self.capabilities.paces, Pace(count=20, seconds=60.0, of="conversation"))
        return self.capabilities.paces

    async def start(self, gateway: Gateway) -> None:
        """Learn the bot's own name, and take updates in from now on. Raises StartError if the token is wrong."""
        token = self._bot.bot_token.get_secret_value()
        trusted = [self._settings.api_url, *([self._public_url] if self._public_url else [])]
        api = self._api = Api(token, self._settings.api_url)
        chats = self._chats = Chats(gateway, self.account)
        fetcher = self._fetcher = Fetcher(trusted=trusted, largest=LARGEST_UPLOAD, timeout=FETCH)
        # Telegram's servers can't get at what is on this machine only.
        ours = "" if self._public_url.startswith("https://") else self._public_url
        keyboards = self._keyboards = Keyboards(gateway, self.account)
        privately = Privately(gateway, self.account, self._name, self._settings.private_hint)
        calls = Calls(api, chats, keyboards, gateway, Sources(fetcher, ours))
        self._speaker = Speaker(api, chats, calls, privately)
        naming = Naming(api, gateway, self.account, self._bot.bot_id, self._jitter)
        try:
            username = await naming.first()
        except StartError:
            await self.stop()
            raise
        me = Identity(self.account, self._bot.bot_id, username)
        intake = self._intake = Intake(gateway, api, chats, me, self._now, self._waiting)
        if not username:
            self._jobs.append(asyncio.create_task(self._learn_name(naming, intake), name="telegram name"))
        prefix = f"telegram.{self.account}"
        url = f"{self._public_url}/channels/telegram/{self.account}"
        hook = Hook(url, self._bot.secret, self._settings.max_connections) if self._hooked else None
        self._jobs.append(gateway.alone(f"{prefix}.setup", Setup(api, gateway, self.account, hook).run))
        if not self._hooked:
            poll = Poll(api, intake, self._settings.poll_timeout)
            self._jobs.append(gateway.alone(f"{prefix}.poll", poll.run))

    async def stop(self) -> None:
        """Take nothing in any more; what Telegram has then, it keeps."""
        self._intake = None
        jobs = [*self._jobs, *self._waiting]
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        self._jobs.clear()
        if self._speaker is not None:
            await self._speaker.stop()
        if self._chats is not None:
            self._chats.close()
        if self._fetcher is not None:
            await self._fetcher.close()
        if self._api is not None:
            await self._api.close()
        if self._keyboards is not None:
            self._keyboards.close()
        self._speaker = self._chats = self._keyboards = self._fetcher = self._api = None

    # --- out

    async def send(self, delivery: Delivery) -> Receipt:
        """Send one reply."""
        return await self._ready().send(delivery)

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Let a message say something else."""
        await self._ready().edit(delivery, platform_id)

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Take back what was said; Telegram lets us for 48 hours."""
        await self._ready().delete(delivery, platform_id)

    async def typing(self, address: Address, *, on: bool) -> None:
        """Show or hide that the bot types. Telegram hides it five seconds after it was shown last."""
        if self._speaker is not None:
            self._speaker.type(address, on=on)

    async def draft(self, address: Address, key: str, text: str) -> None:
        """Show a reply while it is being made."""
        if self._speaker is not None:
            self._speaker.draft(address, key, text)

    # --- in

    async def reread(self, payload: str) -> None:
        """Try again to read an update that was set aside."""
        if self._intake is None:
            raise StoreUnavailable("the channel has not started")
        await self._intake.reread(payload)

    def open_file(self, ref: str) -> AbstractAsyncContextManager[Download]:
        """A file that somebody sent. Its address has the token in it, so it never leaves here."""
        return self._opened(ref)

    @asynccontextmanager
    async def _opened(self, ref: str) -> AsyncIterator[Download]:
        api, fetcher = self._api, self._fetcher
        if api is None or fetcher is None:
            raise NotSent("the channel is not running")

        async def ask(bot: Bot) -> None:
            await bot.get_file(ref)

        path = (await api.call(ask, _File)).file_path
        if not path or urlsplit(path).scheme or path.startswith("/") or ".." in path.split("/"):
            raise Rejected("Telegram does not say where the file is")
        token = self._bot.bot_token.get_secret_value()
        url = f"{self._settings.api_url}/file/bot{token}/{quote(path)}"
        async with fetcher.open(url) as download:
            download.name = path.rpartition("/")[2]
            yield download

    async def _take(self, body: bytes, whole: bool) -> None:
        """What comes by webhook."""
        intake = self._intake
        if intake is None:
            raise StoreUnavailable("the channel is not running")
        if whole:
            await intake.take(body)
        else:
            await intake.set_aside(body, event_id_of(body), "it is longer than any update of Telegram's")

    def _name(self) -> str:
        return self._intake.me.username if self._intake is not None else ""

    async def _learn_name(self, naming: Naming, intake: Intake) -> None:
        """Until it is known, what is said in groups has to come again."""
        intake.me = Identity(self.account, self._bot.bot_id, await naming.insist())

    def _ready(self) -> Speaker:
        if self._speaker is None:
            raise NotSent("the channel is not running")
        return self._speaker
