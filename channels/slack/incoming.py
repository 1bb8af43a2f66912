"""What a payload of Slack's turns out to be: frozen values between `parse` and the channel."""

from __future__ import annotations

from dataclasses import dataclass

from bot import Address, Message


@dataclass(frozen=True, slots=True)
class Heard:
    """Something said. With `joined`, only where one of these addresses is known: else it is other people's talk.

    `client_id` is the sender's own id for the gesture; `team` is whose workspace it is.
    """

    message: Message
    joined: tuple[Address, ...] = ()
    client_id: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Greeted:
    """Somebody opened an assistant thread: `message` says so, and prompts can be suggested."""

    message: Message
    team: str = ""


@dataclass(frozen=True, slots=True)
class FormWanted:
    """The button of a form was pressed; `trigger` opens it, within three seconds."""

    team: str
    trigger: str
    value: str
    chat: str
    thread: str


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody looks at the app's Home."""

    team: str
    user: str


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """A workspace took its tokens back, at `at` on Slack's clock."""

    team: str
    at: float


@dataclass(frozen=True, slots=True)
class Challenge:
    """Slack asks whether the address is ours."""

    text: str


@dataclass(frozen=True, slots=True)
class Limited:
    """Slack holds back events of a workspace: there were too many."""

    team: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Well-formed, and nothing to us."""


@dataclass(frozen=True, slots=True)
class Garbled:
    """Nobody can read it; `problem` says why, with nothing of what it says."""

    problem: str


Incoming = Heard | Greeted | FormWanted | HomeOpened | Uninstalled | Challenge | Limited | Nothing | Garbled
