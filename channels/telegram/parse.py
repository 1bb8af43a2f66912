"""An update of Telegram to messages. Pure; strict on what it uses, blind to everything else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from bot import (
    Address,
    Command,
    Consent,
    Contact,
    Content,
    Edited,
    Joined,
    Media,
    Message,
    Pressed,
    Reacted,
    Sender,
    Text,
)
from channels.telegram import updates as wire

FileUrl = Callable[[str, str], str]

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)
_AWAY = ("kicked", "left")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is on Telegram."""

    account: str
    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Read:
    """What is in an update: perhaps nothing for us, or nothing that anybody can read (`problem`).

    `pressed` is the callback query that waits for an answer; `moved` are a group's old and new chat.
    """

    event_id: str
    messages: tuple[Message, ...] = ()
    pressed: str = ""
    moved: tuple[str, str] | None = None
    problem: str = ""


def read(payload: bytes, me: Identity, file_url: FileUrl, now: float) -> Read:
    """Read one update; never raises. `now` stands in where Telegram does not say when it happened."""
    try:
        update = wire.decode(payload, wire.Update)
    except ValueError as problem:
        return Read(event_id_of(payload), problem=str(problem)[:300])
    return _Reader(update, me, file_url, now).read()


def event_id_of(payload: bytes) -> str:
    """The update's id, or a fingerprint where not even that can be read."""
    try:
        return str(wire.decode(payload, wire.Numbered).update_id)
    except ValueError:
        return "unreadable-" + hashlib.sha256(payload).hexdigest()[:32]


def in_a_group(payload: bytes) -> bool:
    """Whether it comes from a chat of several people, as far as it can be read."""
    try:
        update = wire.decode(payload, wire.Update)
    except ValueError:
        return False
    message = update.message or update.edited_message
    return message is not None and message.chat.id < 0


class _Reader:
    """One update."""

    def __init__(self, update: wire.Update, me: Identity, file_url: FileUrl, now: float) -> None:
        self._update, self._me, self._file_url, self._now = update, me, file_url, now
        self._id = str(update.update_id)

    def read(self) -> Read:
        """What is in it."""
        update = self._update
        if update.message is not None:
            return self._message(update.message)
        if update.edited_message is not None:
            return self._edited(update.edited_message)
        if update.callback_query is not None:
            return self._pressed(update.callback_query)
        if update.message_reaction is not None:
            return self._reacted(update.message_reaction)
        if update.my_chat_member is not None:
            return self._member(update.my_chat_member)
        return Read(self._id)

    # --- kinds of updates

    def _message(self, message: wire.Message) -> Read:
        chat = str(message.chat.id)
        if message.migrate_to_chat_id:
            return Read(self._id, moved=(chat, str(message.migrate_to_chat_id)))
        if message.migrate_from_chat_id:
            return Read(self._id, moved=(str(message.migrate_from_chat_id), chat))
        sender = _sender(message)
        content = self._content(message) if sender is not None else None
        if sender is None or content is None:
            return Read(self._id)
        if message.contact is not None and message.sender and message.contact.user_id == message.sender.id:
            # Telegram vouches for it: the button that shares one's own number sends this, and nothing else does.
            sender = msgspec.structs.replace(sender, phone=_phone(message.contact.phone_number), verified=True)
        return Read(self._id, (self._made(message, sender, content),))

    def _edited(self, message: wire.Message) -> Read:
        sender, text = _sender(message), message.text or message.caption
        if sender is None or not text or not self._is_for_us(message):
            return Read(self._id)
        edited = Edited(target=str(message.message_id), text=self._without_our_name(message, text))
        made = self._made(message, sender, edited)
        return Read(self._id, (msgspec.structs.replace(made, at=float(message.edit_date or message.date)),))

    def _pressed(self, query: wire.CallbackQuery) -> Read:
        message = query.message
        if message is None or not query.data:
            return Read(self._id, pressed=query.id)  # a button of ours always has both
        rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
        labels = [button.text for row in rows for button in row if button.callback_data == query.data]
        pressed = Pressed(token=query.data, label=labels[0] if labels else "")
        made = self._made(message, _user(query.sender), pressed)
        return Read(self._id, (msgspec.structs.replace(made, at=self._now, platform_id=""),), pressed=query.id)

    def _reacted(self, reaction: wire.Reaction) -> Read:
        if reaction.user is None or reaction.user.is_bot:
            return Read(self._id)  # nobody knows who it was
        before = [kind.emoji for kind in reaction.old_reaction if kind.emoji]
        after = [kind.emoji for kind in reaction.new_reaction if kind.emoji]
        changes = [(emoji, False) for emoji in before if emoji not in after]
        changes += [(emoji, True) for emoji in after if emoji not in before]
        target, sender = str(reaction.message_id), _user(reaction.user)
        messages = tuple(
            Message(
                event_id=f"{self._id}.{number}" if number else self._id,
                address=self._address(reaction.chat, ""),
                sender=sender,
                content=Reacted(target=target, emoji=emoji, added=added),
                at=float(reaction.date),
            )
            for number, (emoji, added) in enumerate(changes)
        )
        return Read(self._id, messages)

    def _member(self, change: wire.MemberChange) -> Read:
        was_away = change.old_chat_member.status in _AWAY
        away = change.new_chat_member.status in _AWAY
        if was_away == away:
            return Read(self._id)  # made an administrator, say
        consent = Message(
            event_id=self._id,
            address=self._address(change.chat, ""),
            sender=_user(change.sender),
            content=Consent(on=not away, why="blocked"),
            at=float(change.date),
        )
        return Read(self._id, (consent,))

    # --- what is in a message

    def _content(self, message: wire.Message) -> Content | None:
        if message.group_chat_created or any(member.id == self._me.id for member in message.new_chat_members):
            return Joined(name=message.chat.title)
        text = message.text or message.caption
        if (command := _COMMAND.fullmatch(text)) and message.text:
            to = command[2] or ""
            if to and self._me.username and to.lower() != self._me.username.lower():
                return None  # another bot's
            return Command(name=command[1].lower(), text=(command[3] or "").strip())
        if not self._is_for_us(message):
            return None
        text = self._without_our_name(message, text) or _words(message)
        media = self._media(message)
        if not text and not media and not self._is_called(message):
            return None  # a service message, or something that has no words
        return Text(text=text, media=media, contact=_contact(message))

    def _is_for_us(self, message: wire.Message) -> bool:
        """In a group: who calls us, or answers us. Without privacy mode Telegram shows us everything."""
        if message.chat.id > 0:
            return True
        answered = message.reply_to_message
        if answered is not None and answered.message_id == message.message_thread_id:
            answered = None  # in a topic everything answers the message that opened it
        if answered is not None and answered.sender is not None and answered.sender.id == self._me.id:
            return True
        return self._is_called(message)

    def _is_called(self, message: wire.Message) -> bool:
        if self._our_name().search(message.text or message.caption):
            return True
        spans = (*message.entities, *message.caption_entities)
        return any(span.type == "text_mention" and span.user and span.user.id == self._me.id for span in spans)

    def _without_our_name(self, message: wire.Message, text: str) -> str:
        if message.chat.id > 0:
            return text
        return self._our_name().sub(" ", text).strip()

    def _our_name(self) -> re.Pattern[str]:
        name = re.escape(self._me.username) or r"\b\B"
        return re.compile(rf"(?:(?<!\s)\s++)?(?<![\w@])@{name}(?!\w)[,:]?\s*", re.IGNORECASE)

    def _media(self, message: wire.Message) -> tuple[Media, ...]:
        found = []
        if message.photo:
            photo = max(message.photo, key=lambda size: (size.width * size.height, size.file_size))
            found.append(self._file(photo, "image/jpeg", "photo.jpg"))
        if message.voice:
            found.append(self._file(message.voice, "audio/ogg", "voice.ogg"))
        if message.audio:
            found.append(self._file(message.audio, "audio/mpeg", "audio.mp3"))
        if video := message.video or message.video_note or message.animation:
            found.append(self._file(video, "video/mp4", "video.mp4"))
        elif message.document:  # an animation comes as a document too
            found.append(self._file(message.document, "application/octet-stream", "document"))
        return tuple(found)

    def _file(self, file: wire.File, kind: str, name: str) -> Media:
        name = file.file_name or name
        url = self._file_url(file.file_id, name)
        return Media(url=url, name=name, type=file.mime_type or kind, size=max(0, file.file_size))

    # --- who and where

    def _made(self, message: wire.Message, sender: Sender, content: Content) -> Message:
        thread = str(message.message_thread_id) if message.is_topic_message and message.message_thread_id else ""
        return Message(
            event_id=self._id,
            address=self._address(message.chat, thread),
            sender=sender,
            content=content,
            at=float(message.date),
            platform_id=str(message.message_id),
            group=message.media_group_id,
        )

    def _address(self, chat: wire.Chat, thread: str) -> Address:
        return Address(channel="telegram", account=self._me.account, chat=str(chat.id), thread=thread)


def _words(message: wire.Message) -> str:
    """What has no text, as text."""
    if message.contact is not None:
        contact = message.contact
        if message.sender is not None and contact.user_id == message.sender.id:
            return _phone(contact.phone_number)
        return f"{contact.first_name} {contact.last_name}".strip() + f" {_phone(contact.phone_number)}"
    if message.venue is not None:
        return f"{message.venue.title}, {message.venue.address} ({_place(message.venue.location)})"
    if message.location is not None:
        return _place(message.location)
    if message.sticker is not None:
        return message.sticker.emoji
    return message.dice.emoji if message.dice is not None else ""


def _contact(message: wire.Message) -> Contact | None:
    """A number that was shared. Telegram says whose it is, whatever the card calls them."""
    shared = message.contact
    if shared is None:
        return None
    own = message.sender is not None and shared.user_id == message.sender.id
    name = f"{shared.first_name} {shared.last_name}".strip()
    return Contact(phone=_phone(shared.phone_number), name=name, own=own)


def _place(location: wire.Location) -> str:
    return f"{location.latitude:.6f}, {location.longitude:.6f}"


def _phone(number: str) -> str:
    """With its plus sign, which Telegram leaves out at times."""
    digits = "".join(character for character in number if character in "0123456789")
    return f"+{digits}" if digits else ""


def _sender(message: wire.Message) -> Sender | None:
    """Who said it; None for bots and channels, which nobody should answer."""
    if message.is_automatic_forward:
        return None
    if message.sender_chat is not None:  # a group's administrator who stays anonymous
        same = message.sender_chat.id == message.chat.id
        return Sender(id=str(message.sender_chat.id), name=message.sender_chat.title) if same else None
    if message.sender is None or message.sender.is_bot:
        return None
    return _user(message.sender)


def _user(user: wire.User) -> Sender:
    name = f"{user.first_name} {user.last_name}".strip() or user.username
    return Sender(id=str(user.id), name=name, language=user.language_code)
