"""From an update's bytes to the gateway, whichever way they came: read, stored, and only then done with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from msgspec.structs import replace
from telegram import Bot

from bot import Gateway, Message, Pressed, Reacted, SendError, StoreUnavailable, Unreadable
from channels.telegram.api import Api
from channels.telegram.chats import Chats
from channels.telegram.parse import Identity, Read, event_id_of, in_a_group, read

LONGEST_KEPT = 64 * 1024
"""Characters of what nobody can read that are kept."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Intake:
    """Takes updates in. `me` has no name before Telegram was reached for the first time."""

    gateway: Gateway
    api: Api
    chats: Chats
    me: Identity
    now: Callable[[], float]
    waiting: set[asyncio.Task[None]]

    async def take(self, payload: bytes) -> None:
        """Store what is in an update. Raises StoreUnavailable: then it has to come again."""
        if not self.me.username and in_a_group(payload):
            raise StoreUnavailable("the bot does not know its own name yet, so not what is said to it")
        found = self._read(payload)
        try:
            await self._store(found, payload)
        except StoreUnavailable:
            raise
        except Exception as error:
            # Refusing it for ever would hold up this chat for a day.
            log.exception("telegram_update_failed", update=found.event_id)
            await self.set_aside(payload, found.event_id, f"storing it raised {type(error).__name__}")

    async def reread(self, payload: str) -> None:
        """Try again to read what was set aside. Raises ValueError if it still can't be read."""
        body = payload.encode("utf-8", "surrogateescape")
        found = self._read(body)
        if found.problem:
            raise ValueError(found.problem)
        await self._store(found, body)

    async def set_aside(self, payload: bytes, event_id: str, problem: str) -> None:
        """Keep what can't be read."""
        text = payload.decode("utf-8", "replace")[:LONGEST_KEPT].replace("\0", "\ufffd")
        await self.gateway.set_aside(
            Unreadable(
                event_id=event_id,
                channel="telegram",
                account=self.me.account,
                payload=text,
                problem=problem,
                at=self.now(),
            )
        )
        log.warning("telegram_update_unreadable", update=event_id, account=self.me.account)

    def _read(self, payload: bytes) -> Read:
        try:
            return read(payload, self.me, self._file_url, self.now())
        except Exception as error:  # a mistake of ours, for which nobody's chat should stand still
            log.exception("telegram_update_failed")
            return Read(event_id_of(payload), problem=f"reading it raised {type(error).__name__}")

    def _file_url(self, ref: str, name: str) -> str:
        return self.gateway.file_url("telegram", self.me.account, ref, name)

    async def _store(self, found: Read, payload: bytes) -> None:
        if found.problem:
            await self.set_aside(payload, found.event_id, found.problem)
        if found.moved is not None:
            await self.chats.moved(*found.moved)
        for message in found.messages:
            resolved = await self._resolved(message)
            if await self._concerns_us(resolved):
                await self.gateway.receive(resolved)
        if found.pressed:
            self._answer(found.pressed)

    async def _resolved(self, message: Message) -> Message:
        """With the address and the button's token that the core knows."""
        home = await self.chats.home(message.address.chat)
        if home != message.address.chat:
            message = replace(message, address=replace(message.address, chat=home))
        if isinstance(message.content, Pressed) and message.content.token.startswith("#"):
            whole = await self.gateway.note(button_note(self.me.account, message.content.token))
            message = replace(message, content=replace(message.content, token=whole or message.content.token))
        return message

    async def _concerns_us(self, message: Message) -> bool:
        """In a group, most reactions are among people: only those to what we said are for us."""
        content, address = message.content, message.address
        if not isinstance(content, Reacted) or not address.chat.startswith("-"):
            return True
        return await self.gateway.said(address, content.target)

    def _answer(self, query: str) -> None:
        """Take the button's little clock away; nobody waits for it, and it may fail."""

        async def answer() -> None:
            try:
                await self.api.call(lambda bot: _answered(bot, query), bool)
            except SendError as problem:
                log.debug("telegram_press_unanswered", why=str(problem))

        task = asyncio.create_task(answer())
        self.waiting.add(task)
        task.add_done_callback(self.waiting.discard)


async def _answered(bot: Bot, query: str) -> None:
    await bot.answer_callback_query(query)


def button_note(account: str, data: str) -> str:
    """Under which key the token of a button is kept that could not carry it."""
    return f"telegram.{account}.button.{data.removeprefix('#')}"
