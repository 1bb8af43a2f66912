"""What people say, normalised: frozen values that do no I/O and know no platform.

A channel's `parse` makes them; the inbox stores them as JSON; skills read them through the turn.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen, slotted value that encodes to JSON and back."""


class Address(Value, frozen=True):
    """Where a conversation happens: one thread of one chat on one account of one channel."""

    channel: str
    account: str
    chat: str
    thread: str = ""


class Sender(Value, frozen=True):
    """Who said it, as the platform knows them; `verified` means that the platform vouches for phone and e-mail.

    `timezone` is an IANA name such as "Europe/Vienna".
    """

    id: str
    name: str = ""
    language: str = ""
    phone: str = ""
    email: str = ""
    verified: bool = False
    timezone: str = ""


class Media(Value, frozen=True):
    """A file: an image, a voice note, a document. `size` is in bytes; `url` is one of ours, never a platform's."""

    url: str
    name: str = ""
    type: str = "application/octet-stream"
    size: int = 0
    alt: str = ""


class Contact(Value, frozen=True):
    """A phone number that was shared and not typed; `own` if the platform vouches that it is the sender's."""

    phone: str
    name: str = ""
    own: bool = False


class Text(Value, frozen=True, tag="text"):
    """Words, with any files that came along. A shared `contact` stands in the words too."""

    text: str
    media: tuple[Media, ...] = ()
    contact: Contact | None = None


class Pressed(Value, frozen=True, tag="pressed"):
    """A button was pressed: `token` names the button as we sent it, `label` is what the person saw on it."""

    token: str
    label: str = ""


class Command(Value, frozen=True, tag="command"):
    """A command: `/track 1234` has the name "track" (no slash, lower case) and the text "1234"."""

    name: str
    text: str = ""


class Edited(Value, frozen=True, tag="edited"):
    """An earlier message (by its platform id) now says `text`.

    `settled` is for the store to say: it was told before the message was answered, and stands in it already.
    """

    target: str
    text: str
    settled: bool = False


class Deleted(Value, frozen=True, tag="deleted"):
    """An earlier message (by its platform id) was taken back; `settled` before it was answered."""

    target: str
    settled: bool = False


class Reacted(Value, frozen=True, tag="reacted"):
    """A reaction was added to (or removed from) a message."""

    target: str
    emoji: str
    added: bool = True


class Typing(Value, frozen=True, tag="typing"):
    """The person is typing. Never stored: it is shown to a human agent, if one is there."""

    on: bool = True


class Joined(Value, frozen=True, tag="joined"):
    """The person opened the conversation, or came into the room."""

    name: str = ""


class Submitted(Value, frozen=True, tag="submitted"):
    """A form was filled in: `token` names the form as we sent it, `values` are by the names of its fields.

    `text` is what stands in the transcript.
    """

    token: str
    values: dict[str, str]
    text: str = ""


class Consent(Value, frozen=True, tag="consent"):
    """Whether we may write to the person: they opted out or in (with `word`), or blocked us or let us in again."""

    on: bool
    why: Literal["opted_out", "blocked"] = "opted_out"
    word: str = ""


class Due(Value, frozen=True, tag="due"):
    """Time has come: a scheduled text, or the deadline of a question. Made by the engine, never by a channel.

    `body` is JSON of what is to be said (see outreach/words.py).
    """

    kind: Literal["say", "timeout", "ownership", "outreach"]
    key: str
    text: str = ""
    body: str = ""


Content = Text | Pressed | Submitted | Command | Edited | Deleted | Reacted | Typing | Joined | Consent | Due


class Message(Value, frozen=True):
    """One thing said. `event_id` is unique per channel account: the same id again is the same message.

    `group` is what the platform calls one thing that it delivers in several messages (an album): those of one sender
    that come together are answered as one.
    """

    event_id: str
    address: Address
    sender: Sender
    content: Content
    at: float
    platform_id: str = ""
    tenant: str = "default"
    raw: str = ""
    group: str = ""

    @property
    def text(self) -> str:
        """The words in it, or the label of the pressed button; empty when there are none."""
        match self.content:
            case Text(text=text) | Edited(text=text) | Submitted(text=text):
                return text
            case Pressed(label=label) | Consent(word=label):
                return label
            case Command(name=name, text=text):
                return f"/{name} {text}".rstrip()
            case _:
                return ""

    @property
    def media(self) -> tuple[Media, ...]:
        """The files that came with it."""
        return self.content.media if isinstance(self.content, Text) else ()
