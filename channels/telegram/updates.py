"""What is used of Telegram's updates, under Telegram's own names. Everything else in them is skipped."""

from __future__ import annotations

import json
import re
from typing import TypeVar

import msgspec

T = TypeVar("T")

_SURROGATES = re.compile("[\ud800-\udfff]")


class _Part(msgspec.Struct, frozen=True):
    """A piece of JSON: more keys are fine, those below are of the right type or the update can't be read."""


class User(_Part, frozen=True):
    """A person, or a bot."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class Chat(_Part, frozen=True):
    """A chat: below zero is one of several people."""

    id: int
    title: str = ""


class Span(_Part, frozen=True):
    """A mark on a text."""

    type: str
    user: User | None = None


class File(_Part, frozen=True):
    """A file of any kind; sizes are in bytes and in pixels."""

    file_id: str
    file_name: str = ""
    mime_type: str = ""
    file_size: int = 0
    width: int = 0
    height: int = 0


class Sticker(_Part, frozen=True):
    """A sticker, or a die."""

    emoji: str = ""


class Contact(_Part, frozen=True):
    """Somebody's number."""

    phone_number: str
    first_name: str = ""
    last_name: str = ""
    user_id: int = 0


class Location(_Part, frozen=True):
    """A place on earth, in degrees."""

    latitude: float
    longitude: float


class Venue(_Part, frozen=True):
    """A place with a name."""

    location: Location
    title: str = ""
    address: str = ""


class KeyboardButton(_Part, frozen=True):
    """A button under a message."""

    text: str
    callback_data: str = ""


class Keyboard(_Part, frozen=True):
    """The buttons under a message, by rows."""

    inline_keyboard: tuple[tuple[KeyboardButton, ...], ...] = ()


class Message(_Part, frozen=True):
    """A message; one that can't be seen any more has a chat and an id."""

    message_id: int
    chat: Chat
    date: int = 0
    edit_date: int = 0
    sender: User | None = msgspec.field(name="from", default=None)
    sender_chat: Chat | None = None
    is_automatic_forward: bool = False
    message_thread_id: int = 0
    media_group_id: str = ""
    is_topic_message: bool = False
    reply_to_message: Message | None = None
    text: str = ""
    entities: tuple[Span, ...] = ()
    caption: str = ""
    caption_entities: tuple[Span, ...] = ()
    photo: tuple[File, ...] = ()
    document: File | None = None
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    sticker: Sticker | None = None
    dice: Sticker | None = None
    contact: Contact | None = None
    location: Location | None = None
    venue: Venue | None = None
    new_chat_members: tuple[User, ...] = ()
    group_chat_created: bool = False
    migrate_to_chat_id: int = 0
    migrate_from_chat_id: int = 0
    reply_markup: Keyboard | None = None


class CallbackQuery(_Part, frozen=True):
    """A button was pressed."""

    id: str
    sender: User = msgspec.field(name="from")
    message: Message | None = None
    data: str = ""


class ReactionKind(_Part, frozen=True):
    """An emoji; other kinds have none."""

    emoji: str = ""


class Reaction(_Part, frozen=True):
    """The reactions of one person to one message, before and after."""

    chat: Chat
    message_id: int
    date: int
    user: User | None = None
    old_reaction: tuple[ReactionKind, ...] = ()
    new_reaction: tuple[ReactionKind, ...] = ()


class Member(_Part, frozen=True):
    """What somebody is in a chat."""

    status: str


class MemberChange(_Part, frozen=True):
    """The bot came, went, was blocked or was let in again."""

    chat: Chat
    date: int
    old_chat_member: Member
    new_chat_member: Member
    sender: User = msgspec.field(name="from")


class Numbered(_Part, frozen=True):
    """Anything with the number of an update."""

    update_id: int


class Update(Numbered, frozen=True):
    """One thing that happened; at most one of the parts is there."""

    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
    message_reaction: Reaction | None = None
    my_chat_member: MemberChange | None = None


KINDS = tuple(name for name in Update.__struct_fields__ if name != "update_id")
"""The kinds of updates to ask Telegram for."""


def decode(payload: bytes, want: type[T]) -> T:
    """Read JSON from Telegram. Raises ValueError.

    Half a character, which programs that cut a text in two leave behind, is no JSON to msgspec, and in a batch it
    would spoil all the other updates: it is replaced.
    """
    try:
        return msgspec.json.decode(payload, type=want)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:
            whole = _SURROGATES.sub("\ufffd", json.dumps(json.loads(payload), ensure_ascii=False)).encode()
            return msgspec.json.decode(whole, type=want)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise ValueError(str(error)[:300]) from None
