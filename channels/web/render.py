"""Lines of a transcript as the page gets them. Pure; the page itself turns CommonMark into DOM nodes."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from bot import Card, Entry, Media, Message


class Choosable(msgspec.Struct, frozen=True, kw_only=True):
    """One choice: `label` is shown, `token` goes back when it is pressed."""

    label: str
    value: str
    token: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the transcript. `text` is CommonMark, except from the user, where it is just text.

    `client_id` is the page's own name for what it said, so that it recognises its message. A line that `takes_back`
    another one says nothing: the page takes that one away.
    """

    seq: int
    sender: Literal["user", "bot", "agent"] = msgspec.field(name="from")
    text: str
    at: float
    kind: Literal["message", "notice"] = "message"
    author: str = ""
    client_id: str = ""
    choices: tuple[Choosable, ...] = ()
    media: tuple[Media, ...] = ()
    card: Card | None = None
    takes_back: int = 0


class Page(msgspec.Struct, frozen=True):
    """The answer to a long-poll."""

    messages: list[Row]


class Posted(msgspec.Struct, frozen=True):
    """The answer to a POST: the message is stored, in this conversation, with this number."""

    conversation: str
    seq: int


class Welcome(msgspec.Struct, frozen=True, tag_field="t", tag="welcome"):
    """The first frame to a socket. Another `epoch` than last time: the transcript is a new one, start over."""

    conversation: str
    epoch: str


class Spoken(Row, frozen=True, kw_only=True, tag_field="t", tag="message"):
    """A line, as a frame."""


class CaughtUp(msgspec.Struct, frozen=True, tag_field="t", tag="caught_up"):
    """Everything stored so far has been sent; what follows is new."""


class Ack(msgspec.Struct, frozen=True, tag_field="t", tag="ack"):
    """A message of the page is stored."""

    client_id: str
    seq: int
    conversation: str


class TypingShown(msgspec.Struct, frozen=True, tag_field="t", tag="typing"):
    """Somebody on our side is typing, or no longer."""

    on: bool


class Draft(msgspec.Struct, frozen=True, tag_field="t", tag="draft"):
    """A reply so far; the next message of the bot takes its place."""

    key: str
    text: str


class Pong(msgspec.Struct, frozen=True, tag_field="t", tag="pong"):
    """The line works."""


class Trouble(msgspec.Struct, frozen=True, tag_field="t", tag="error"):
    """A frame was not taken. With `retry_after` (seconds) the same frame may come again, else it never will."""

    error: str
    client_id: str = ""
    retry_after: float | None = None


Outward = Welcome | Spoken | CaughtUp | Ack | TypingShown | Draft | Pong | Trouble


def encode(value: Outward | Page | Posted) -> bytes:
    """JSON for the wire."""
    return msgspec.json.encode(value)


def row_of(entry: Entry) -> Row:
    """A line of the transcript for a long-poll."""
    return _row(Row, entry)


def frame_of(entry: Entry) -> Spoken:
    """A line of the transcript for a socket."""
    return _row(Spoken, entry)


R = TypeVar("R", bound=Row)


def _row(kind: type[R], entry: Entry) -> R:
    reply, message = entry.reply, entry.message
    buttons = entry.buttons or (reply.buttons if reply else ())
    media = reply.media if reply else message.media if message else ()
    return kind(
        seq=entry.seq,
        sender="bot" if entry.source == "system" else entry.source,
        text=entry.text,
        at=entry.at,
        kind="notice" if entry.source == "system" else "message",
        author=entry.author,
        client_id=_client_id(message),
        choices=tuple(Choosable(label=b.label, value=b.value, token=b.token) for b in buttons),
        media=media,
        card=reply.card if reply else None,
        takes_back=entry.takes_back,
    )


def event_id(conversation: str, client_id: str) -> str:
    """The event id of what a page said: the same conversation and client id is the same message."""
    return f"{conversation}:{client_id}"


def _client_id(message: Message | None) -> str:
    if message is None or not message.event_id.startswith(event_id(message.address.chat, "")):
        return ""
    return message.event_id[len(message.address.chat) + 1 :]
