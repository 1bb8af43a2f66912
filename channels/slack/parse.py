"""Payloads of Slack, from HTTP and Socket Mode alike, to what they mean. Pure; calls nobody.

Missing and extra keys are fine; what is used has to be right. Event ids are made from the place and time stamp of a
message, so that `message` and `app_mention` of one gesture, a redelivery, and history read later are the same event.
"""

from __future__ import annotations

import hashlib
import json

from bot import Address, Content, Deleted, Edited, Joined, Media, Message, Reacted, Sender, Text
from channels.slack.incoming import (
    Challenge,
    Garbled,
    Greeted,
    Heard,
    HomeOpened,
    Incoming,
    Known,
    Limited,
    Nothing,
    Payload,
    Uninstalled,
    need,
    seconds,
    stamp,
)
from channels.slack.interactions import read_interaction
from channels.slack.words import emoji_of, items, mapping, mentions, text_of, words

_SPOKEN = ("", "file_share", "thread_broadcast", "me_message")
"""Subtypes of a message that somebody said; all others are notices."""


def read(payload: object, known: Known) -> Incoming:
    """What a payload means; Garbled when it can't be read. Never raises."""
    if not isinstance(payload, dict):
        return Garbled("not a JSON object")
    try:
        return _read(payload, known)
    except (ValueError, OverflowError, RecursionError) as problem:
        return Garbled(str(problem))


def _read(payload: Payload, known: Known) -> Incoming:
    match payload.get("type"):
        case "url_verification":
            return Challenge(text_of(payload.get("challenge")))
        case "event_callback":
            return _Event(payload, known).read()
        case "app_rate_limited":
            return Limited(text_of(payload.get("team_id")))
        case str():
            return read_interaction(payload, known)
        case None if "command" in payload:
            return read_interaction(payload, known)
        case _:
            raise ValueError("it does not say what it is")


class _Event:
    """One event of the Events API, and what stands around it."""

    def __init__(self, payload: Payload, known: Known) -> None:
        self._payload, self._known = payload, known
        self._event = mapping(payload.get("event"))
        granted = [mapping(one) for one in items(payload.get("authorizations"))]
        self._granted = granted[0] if granted else {}
        self._team = self._whose()
        bot = text_of(self._granted.get("user_id")) if self._granted.get("is_bot") else ""
        self._own = known.own(self._team) or bot

    def _whose(self) -> str:
        """The workspace (or organisation) that installed us: not always the one where it was said."""
        if self._granted.get("is_enterprise_install"):
            return text_of(self._granted.get("enterprise_id")) or text_of(self._payload.get("enterprise_id"))
        team = text_of(self._granted.get("team_id")) or text_of(self._payload.get("team_id"))
        return team or text_of(self._payload.get("enterprise_id"))

    def read(self) -> Incoming:
        """What it means."""
        kind = self._event.get("type")
        match kind:
            case "message" | "app_mention":
                return self._message()
            case "reaction_added" | "reaction_removed":
                return self._reaction(added=kind == "reaction_added")
            case "member_joined_channel":
                return self._joined()
            case "app_home_opened":
                home = self._event.get("tab") == "home"
                return HomeOpened(self._team, need(self._event, "user")) if home else Nothing()
            case "assistant_thread_started" | "assistant_thread_context_changed":
                return self._assistant()
            case "app_uninstalled":
                return self._gone()
            case "tokens_revoked":
                bots = items(mapping(self._event.get("tokens")).get("bot"))
                return self._gone() if bots else Nothing()
            case str():
                return Nothing()
            case _:
                raise ValueError("there is no event in it")

    def _message(self) -> Incoming:
        event = self._event
        match event.get("subtype"):
            case "message_changed":
                return self._changed()
            case "message_deleted":
                return self._taken_back(mapping(event.get("previous_message")), text_of(event.get("deleted_ts")))
            case subtype if text_of(subtype) not in _SPOKEN:
                return Nothing()
        if self._by_a_bot(event):
            return Nothing()
        ts, chat = stamp(event, "ts"), need(event, "channel")
        direct = self._direct(chat)
        called = event.get("type") == "app_mention" or mentions(event, self._own)
        ours = called or bool(self._own and event.get("parent_user_id") == self._own)
        address = self._address(event, chat, ts)
        media = tuple(self._media(one) for one in map(mapping, items(event.get("files"))) if one.get("id"))
        said = Text(text=words(event, self._own, self._known.names(self._team)), media=media)
        if not said.text and not media and not called:
            return Nothing()
        return Heard(
            self._said(f"m.{chat}.{ts}", address, event.get("user"), said, ts),
            joined=() if direct or ours else (address,),
            client_id=text_of(event.get("client_msg_id")),
            team=self._team,
        )

    def _changed(self) -> Incoming:
        now, before = mapping(self._event.get("message")), mapping(self._event.get("previous_message"))
        if now.get("subtype") == "tombstone":
            return self._taken_back(before or now, text_of(now.get("ts")))
        edited = mapping(now.get("edited"))
        # Slack also reports links that it unfolded; nobody edited those.
        if self._by_a_bot(now) or not edited or (before and before.get("text") == now.get("text")):
            return Nothing()
        ts = stamp(now if now.get("ts") else before, "ts")
        said = Edited(target=ts, text=words(now, self._own, self._known.names(self._team)))
        return self._about(now, ts, f"e.{ts}.{text_of(edited.get('ts'))}", said)

    def _taken_back(self, was: Payload, ts: str) -> Incoming:
        if not ts or self._by_a_bot(was):
            return Nothing()
        return self._about(was, ts, f"d.{ts}", Deleted(target=ts))

    def _about(self, message: Payload, ts: str, id: str, said: Content) -> Incoming:
        """Something that happened to an earlier message."""
        chat = need(self._event, "channel")
        address = self._address(message, chat, ts)
        heard = self._said(f"{id}.{chat}", address, message.get("user"), said, self._event.get("event_ts"))
        return Heard(heard, joined=() if self._direct(chat) else (address,), team=self._team)

    def _address(self, message: Payload, chat: str, ts: str) -> Address:
        """Where a message stands. In a channel it begins a thread; in a chat of two it stays what it was said as, even
        when somebody has answered in a thread below it since.
        """
        thread = text_of(message.get("thread_ts"))
        if self._direct(chat):
            return self._known.address(self._team, chat, "" if thread == ts else thread)
        return self._known.address(self._team, chat, thread or ts)

    def _reaction(self, *, added: bool) -> Incoming:
        item = mapping(self._event.get("item"))
        user = need(self._event, "user")
        if item.get("type") != "message" or user == self._own:
            return Nothing()
        chat, target = need(item, "channel"), stamp(item, "ts")
        said = Reacted(target=target, emoji=emoji_of(text_of(self._event.get("reaction"))), added=added)
        # Nothing says in which thread the message stands: the channel knows some, and a first message is its thread.
        flat, own = self._known.address(self._team, chat), self._known.address(self._team, chat, target)
        direct = self._direct(chat)
        heard = self._said(self._id(), flat if direct else own, user, said, self._event.get("event_ts"))
        ours = bool(self._own) and self._event.get("item_user") == self._own
        return Heard(heard, joined=() if direct else (own,), team=self._team, ours=ours)

    def _joined(self) -> Incoming:
        if not self._own or self._event.get("user") != self._own:
            return Nothing()
        address = self._known.address(self._team, need(self._event, "channel"))
        by = text_of(self._event.get("inviter")) or self._own
        return Heard(self._said(self._id(), address, by, Joined(), self._event.get("event_ts")), team=self._team)

    def _assistant(self) -> Incoming:
        thread = mapping(self._event.get("assistant_thread"))
        chat, ts, user = need(thread, "channel_id"), stamp(thread, "thread_ts"), need(thread, "user_id")
        # A changed context is the same thread, and it is greeted once: the id says so.
        message = self._said(
            f"j.{chat}.{ts}", self._known.address(self._team, chat, ts), user, Joined(), self._event.get("event_ts")
        )
        return Greeted(message, self._team)

    def _gone(self) -> Incoming:
        at = self._payload.get("event_time")
        return Uninstalled(self._team, float(at) if isinstance(at, int) else self._known.now)

    def _said(self, id: str, address: Address, user: object, said: Content, at: object) -> Message:
        who, stamped = text_of(user), text_of(at)
        if not who:
            raise ValueError("nobody said it: no user")
        return Message(
            event_id=self._known.scoped(self._team, id),
            address=address,
            sender=Sender(id=self._known.scoped(self._team, who), name=self._known.name(self._team, who)),
            content=said,
            at=seconds(stamped) if stamped else self._known.now,
            platform_id=stamped if isinstance(said, Text) else "",
        )

    def _media(self, file: Payload) -> Media:
        ref, name = self._known.scoped(self._team, text_of(file.get("id"))), text_of(file.get("name"))
        size = file.get("size")
        return Media(
            url=self._known.file_url(ref, name),
            name=name,
            type=text_of(file.get("mimetype")) or "application/octet-stream",
            size=size if isinstance(size, int) and 0 <= size < 2**53 else 0,
            alt=text_of(file.get("alt_txt")),
        )

    def _by_a_bot(self, message: Payload) -> bool:
        """Ourselves or another program: two that answer each other never end."""
        by = message.get("user")
        return bool(message.get("bot_id")) or message.get("subtype") == "bot_message" or (bool(by) and by == self._own)

    def _direct(self, chat: str) -> bool:
        return self._event.get("channel_type") == "im" or chat.startswith("D")

    def _id(self) -> str:
        """Slack's id of the event, or a hash of it: the same again when it is delivered again."""
        id = text_of(self._payload.get("event_id"))
        return id or hashlib.sha256(json.dumps(self._event, sort_keys=True).encode()).hexdigest()[:32]
