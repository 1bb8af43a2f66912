"""The keyboards under a chat's input line: shown with a question for a number, and taken away again.

Such a keyboard is the chat's and not a message's: it stays until a message that is sent later takes it away. So which
chats have one is written down, for all processes. Only chats of two have them here.
"""

from __future__ import annotations

from contextlib import suppress

from telegram import InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup, ReplyKeyboardRemove

from bot import Button, Gateway, NotSent, StoreUnavailable
from channels.telegram.outgoing import Outgoing, label_of
from channels.telegram.render import literal

MOST = 100_000

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


class Keyboards:
    """The chats of one bot that have one."""

    def __init__(self, gateway: Gateway, account: str) -> None:
        self._gateway, self._prefix = gateway, f"telegram.{account}.keyboard"
        self._topic = f"telegram.{account}.keyboards"
        self._known: dict[str, bool] = {}
        self._deafen = gateway.subscribe(self._topic, self._heard)

    def close(self) -> None:
        """Hear no more."""
        self._deafen()

    async def under(self, chat: str, outgoing: Outgoing) -> Markup | None:
        """What comes with a message: the keyboard that it asks for, or what takes the chat's away. Raises NotSent.

        A message has room for one thing only. So where a keyboard is up, choices take its place; whoever presses one
        says its words.
        """
        if chat.startswith("-"):
            return None
        if outgoing.share_phone:
            await self._put(chat)
            return _keyboard(outgoing.share_phone, outgoing.buttons)
        if not await self._is_up(chat):
            return None
        return _keyboard("", outgoing.buttons) if outgoing.buttons else ReplyKeyboardRemove()

    async def sent(self, chat: str, markup: Markup | None) -> None:
        """A message went out; the chat's keyboard may be gone with it."""
        if isinstance(markup, ReplyKeyboardRemove):
            with suppress(StoreUnavailable):  # then the next message takes it away once more
                await self._gateway.write_note(f"{self._prefix}.{chat}", None)
                self._tell(chat, up=False)

    async def _put(self, chat: str) -> None:
        # First written down: a keyboard that nobody knows of would stay for ever.
        try:
            await self._gateway.write_note(f"{self._prefix}.{chat}", "up")
        except StoreUnavailable as problem:
            raise NotSent(str(problem)) from problem
        self._tell(chat, up=True)

    async def _is_up(self, chat: str) -> bool:
        if chat not in self._known:
            if len(self._known) > MOST:
                self._known.clear()
            try:
                self._known[chat] = await self._gateway.note(f"{self._prefix}.{chat}") is not None
            except StoreUnavailable as problem:
                raise NotSent(str(problem)) from problem
        return self._known[chat]

    def _tell(self, chat: str, *, up: bool) -> None:
        self._gateway.publish(self._topic, chat.encode())
        self._known[chat] = up

    def _heard(self, body: bytes) -> None:
        if body:
            self._known.pop(body.decode(), None)
        else:
            self._known.clear()


def _keyboard(share: str, buttons: tuple[Button, ...]) -> ReplyKeyboardMarkup:
    """One below the other; it goes out of the way once it was used."""
    rows = [[KeyboardButton(label_of(share), request_contact=True)]] if share else []
    rows += [[KeyboardButton(" ".join(literal(button.label).split()) or "…")] for button in buttons]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)
