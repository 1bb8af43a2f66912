"""The calls that show something to people, and what is done when Telegram refuses one. Knows no drafts and no plans."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    MessageEntity,
    User,
)

from bot import Address, Button, Gateway, Media, NotSent, RateLimited, Rejected, StoreUnavailable
from channels.telegram.api import Api, Refused
from channels.telegram.chats import Chats
from channels.telegram.floods import Floods
from channels.telegram.intake import button_note
from channels.telegram.keyboards import Keyboards, Markup
from channels.telegram.outgoing import Kind, Outgoing, as_link, data_of, kind_of, label_of, rows
from channels.telegram.render import Entity, Rendered, is_lone_link, unmarked
from channels.telegram.sources import Sources

T = TypeVar("T")

KEPT = 400 * 86_400.0
"""Seconds for which a token that is too long for a button is kept: longer than anybody comes back to one."""

_UNPARSEABLE = "can't parse entities"
_UNCHANGED = "message is not modified"
_NOT_THERE = "message to delete not found"
_NO_TEXT = "there is no text in the message to edit"


class _SendsFile(Protocol):
    """What the SDK's calls for files have in common."""

    def __call__(
        self,
        chat_id: int,
        file: str | InputFile,
        /,
        *,
        caption: str | None,
        caption_entities: list[MessageEntity] | None,
        reply_markup: Markup | None,
        message_thread_id: int | None,
    ) -> Awaitable[object]:
        """Send it."""


class Sent(msgspec.Struct, frozen=True):
    """A message as Telegram answers with it."""

    message_id: int = 0


class Calls:
    """One bot's messages."""

    def __init__(self, api: Api, chats: Chats, keyboards: Keyboards, gateway: Gateway, sources: Sources) -> None:
        self._api, self._chats, self._keyboards = api, chats, keyboards
        self._gateway, self._sources = gateway, sources
        self._floods = Floods(time.monotonic)

    async def post(self, address: Address, outgoing: Outgoing) -> int:
        """Send one message; its id. Raises as a send does."""
        await self._remember(address, outgoing.buttons)
        if outgoing.media is None:
            return await self._post_text(address, outgoing)
        return await self._post_file(address, outgoing, outgoing.media)

    async def change(self, address: Address, message_id: int, outgoing: Outgoing) -> None:
        """Let a message say something else; twice is harmless. Raises as a send does."""
        await self._remember(address, outgoing.buttons)
        try:
            await self._changed(address, message_id, outgoing.text, outgoing.buttons)
        except Refused as refused:
            if _UNPARSEABLE in refused.description:
                await self._changed(address, message_id, unmarked(outgoing.text), outgoing.buttons)
            elif _NO_TEXT in refused.description:
                await self._caption(address, message_id, outgoing)
            else:
                raise

    async def take_away(self, address: Address, message_id: int) -> None:
        """Take a message away; that it is gone already is as good. Raises as a send does."""

        async def delete(bot: Bot, chat: int) -> None:
            await bot.delete_message(chat, message_id)

        try:
            await self._there(address, delete, msgspec.Raw)
        except Refused as refused:
            if _NOT_THERE not in refused.description:
                raise

    # --- texts

    async def _post_text(self, address: Address, outgoing: Outgoing) -> int:
        try:
            return await self._text(address, outgoing)
        except Refused as refused:
            if _UNPARSEABLE not in refused.description:
                raise
            # Refused is surely not sent, so it may be said again, without marks.
            return await self._text(address, replace(outgoing, text=unmarked(outgoing.text)))

    async def _text(self, address: Address, outgoing: Outgoing) -> int:
        text, markup = outgoing.text, await self._markup(address, outgoing)

        async def send(bot: Bot, chat: int) -> None:
            await bot.send_message(
                chat,
                text.text,
                entities=_entities(text) or None,
                reply_markup=markup,
                message_thread_id=_thread(address),
                link_preview_options=_preview(text),
            )

        sent = await self._there(address, send, Sent)
        await self._keyboards.sent(address.chat, markup)
        return sent.message_id

    async def _markup(self, address: Address, outgoing: Outgoing) -> Markup | None:
        """What stands below a new message."""
        under = None if outgoing.grows else await self._keyboards.under(address.chat, outgoing)
        return under or _keyboard(outgoing.buttons)

    async def _changed(self, address: Address, message_id: int, text: Rendered, buttons: tuple[Button, ...]) -> None:
        async def edit(bot: Bot, chat: int) -> None:
            await bot.edit_message_text(
                text.text,
                chat_id=chat,
                message_id=message_id,
                entities=_entities(text) or None,
                reply_markup=_keyboard(buttons),
                link_preview_options=_preview(text),
            )

        await self._edited(address, edit)

    async def _caption(self, address: Address, message_id: int, outgoing: Outgoing) -> None:
        async def edit(bot: Bot, chat: int) -> None:
            await bot.edit_message_caption(
                chat_id=chat,
                message_id=message_id,
                caption=outgoing.text.text,
                caption_entities=_entities(outgoing.text) or None,
                reply_markup=_keyboard(outgoing.buttons),
            )

        await self._edited(address, edit)

    async def _edited(self, address: Address, edit: Callable[[Bot, int], Awaitable[None]]) -> None:
        """Change a message; that it says so already is as good."""
        try:
            await self._there(address, edit, msgspec.Raw)
        except Refused as refused:
            if _UNCHANGED not in refused.description:
                raise

    # --- files

    async def _post_file(self, address: Address, outgoing: Outgoing, media: Media) -> int:
        """By address where Telegram can get it, else uploaded; where neither works, the person gets the link."""
        if self._sources.reached(media):
            try:
                return await self._file(address, outgoing, media, media.url)
            except Refused as refused:
                if refused.silence or refused.moved_to:
                    raise
        upload = await self._sources.upload(media)
        if upload is None:
            return await self._post_text(address, as_link(outgoing))
        try:
            return await self._file(address, outgoing, media, upload)
        except Refused as refused:
            if refused.silence or refused.moved_to:
                raise
            return await self._post_text(address, as_link(outgoing))

    async def post_album(self, address: Address, outgoing: Outgoing) -> list[int]:
        """Send several files as one, all or none; their ids. Refused says that they are to be sent one by one."""
        files = await self._sources.together([one.media for one in outgoing.album if one.media is not None])
        if files is None:
            raise Refused("not all of the files are there")
        parts = [_part(one, file) for one, file in zip(outgoing.album, files, strict=True)]

        async def send(bot: Bot, chat: int) -> None:
            await bot.send_media_group(chat, parts, message_thread_id=_thread(address))

        sent = await self._there(address, send, list[Sent])
        return [one.message_id for one in sent]

    async def _file(self, address: Address, outgoing: Outgoing, media: Media, file: str | InputFile) -> int:
        text, keyboard, thread = outgoing.text, await self._markup(address, outgoing), _thread(address)
        caption, marks = text.text or None, _entities(text) or None

        async def send(bot: Bot, chat: int) -> None:
            send_as: dict[Kind, _SendsFile] = {
                "photo": bot.send_photo,
                "animation": bot.send_animation,
                "voice": bot.send_voice,
                "audio": bot.send_audio,
                "video": bot.send_video,
                "document": bot.send_document,
            }
            await send_as[kind_of(media)](
                chat,
                file,
                caption=caption,
                caption_entities=marks,
                reply_markup=keyboard,
                message_thread_id=thread,
            )

        sent = await self._there(address, send, Sent)
        await self._keyboards.sent(address.chat, keyboard)
        return sent.message_id

    # --- where

    async def _there(self, address: Address, send: Callable[[Bot, int], Awaitable[None]], want: type[T]) -> T:
        """Make a call to where the chat is now; if it has just moved, once more to its new place."""
        try:
            return await self._at(await self._chats.now(address.chat), send, want)
        except Refused as refused:
            if not refused.moved_to:
                raise
            await self._chats.moved(address.chat, refused.moved_to)
            return await self._at(refused.moved_to, send, want)

    async def _at(self, chat: str, send: Callable[[Bot, int], Awaitable[None]], want: type[T]) -> T:
        try:
            number = int(chat)
        except ValueError:
            raise Rejected("that is no chat on Telegram") from None
        try:
            return await self._api.call(lambda bot: send(bot, number), want)
        except RateLimited as limit:
            raise self._floods.judge(chat, limit) from None

    async def _remember(self, address: Address, buttons: tuple[Button, ...]) -> None:
        """Keep the tokens that are too long for a button."""
        for button in buttons:
            if (data := data_of(button.token)) != button.token:
                try:
                    await self._gateway.write_note(button_note(address.account, data), button.token, keep=KEPT)
                except StoreUnavailable as problem:
                    raise NotSent(str(problem)) from problem


Part = InputMediaAudio | InputMediaDocument | InputMediaPhoto | InputMediaVideo


def _part(outgoing: Outgoing, file: str | InputFile) -> Part:
    """One file of an album."""
    kinds: dict[str, type[Part]] = {"photo": InputMediaPhoto, "video": InputMediaVideo, "audio": InputMediaAudio}
    kind = kinds.get(kind_of(outgoing.media) if outgoing.media else "", InputMediaDocument)
    return kind(media=file, caption=outgoing.text.text or None, caption_entities=_entities(outgoing.text) or None)


def _keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(label_of(one.label), callback_data=data_of(one.token)) for one in row]
            for row in rows(buttons)
        ]
    )


def _entities(text: Rendered) -> list[MessageEntity]:
    return [_entity(entity) for entity in text.entities]


def _entity(entity: Entity) -> MessageEntity:
    user = User(id=int(entity.user), first_name="", is_bot=False) if entity.user else None
    return MessageEntity(
        entity.type,
        entity.offset,
        entity.length,
        url=entity.url or None,
        user=user,
        language=entity.language or None,
    )


def _preview(text: Rendered) -> LinkPreviewOptions:
    """A preview only of a link that is all there is: others would be a picture that nobody asked for."""
    return LinkPreviewOptions(is_disabled=not is_lone_link(text))


def _thread(address: Address) -> int | None:
    return int(address.thread) if address.thread.isascii() and address.thread.isdigit() else None
