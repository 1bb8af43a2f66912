"""What a payload of Slack's turns out to be, and what its parsers are told: values between `parse` and the channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot import Address, Message
from channels.slack.words import Names, text_of


@dataclass(frozen=True, slots=True)
class Sent:
    """The modal that a form came in: the names of its fields, and the note that the form stands in, if it has one."""

    fields: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something said. With `joined`, only where one of these addresses is known: else it is other people's talk.

    `client_id` is the sender's own id for the gesture; `team` is whose workspace it is; `ours` says that it is about a
    message of the bot's own; `form` is the modal that it was said in. A command was typed in the chat `at`, where
    the bot need not be, and others read along: it belongs to the person's own chat, unless `joined` is known.
    """

    message: Message
    joined: tuple[Address, ...] = ()
    client_id: str = ""
    team: str = ""
    ours: bool = False
    form: Sent | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class Greeted:
    """Somebody opened an assistant thread: `message` says so, and prompts can be suggested."""

    message: Message
    team: str = ""


@dataclass(frozen=True, slots=True)
class FormWanted:
    """The button of a form was pressed; `trigger` opens it, within three seconds.

    `message` says that it was pressed, for when there is no form any more.
    """

    team: str
    trigger: str
    value: str
    chat: str
    thread: str
    message: Message


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

Payload = Mapping[str, object]


def _nameless(user: str) -> str:
    return ""


def _nobody(team: str, user: str) -> str:
    return ""


def _nowhere(ref: str, name: str) -> str:
    return ref


@dataclass(frozen=True, slots=True)
class Known:
    """What a parser is told. `own` is the bot's user id in a workspace, where nothing in the payload says it.

    `name` is somebody's name there: one id may be two people in two workspaces.

    `many` says that the account serves many workspaces: then theirs are parts of all ids.
    """

    account: str
    now: float
    many: bool = False
    own: Callable[[str], str] = field(default=_nameless)
    name: Callable[[str, str], str] = field(default=_nobody)
    file_url: Callable[[str, str], str] = field(default=_nowhere)

    def names(self, team: str) -> Names:
        """The names of a workspace's people."""
        return lambda user: self.name(team, user)

    def scoped(self, team: str, id: str) -> str:
        """An id that no other workspace has."""
        return f"{team}/{id}" if self.many and team else id

    def address(self, team: str, chat: str, thread: str = "") -> Address:
        """Where something was said."""
        return Address(channel="slack", account=self.account, chat=self.scoped(team, chat), thread=thread)


def need(source: Payload, key: str) -> str:
    """A text that has to be there. Raises ValueError."""
    value = text_of(source.get(key))
    if not value:
        raise ValueError(f"there is no {key} in it")
    return value


def stamp(source: Payload, key: str) -> str:
    """A time stamp, which is also a message's name. Raises ValueError."""
    value = need(source, key)
    seconds(value)
    return value


def seconds(ts: str) -> float:
    """A time stamp such as "1596183880.004200" in seconds. Raises ValueError."""
    whole, _, rest = ts.partition(".")
    if not (ts.isascii() and whole.isdigit() and len(ts) <= 32 and (not rest or rest.isdigit())):
        raise ValueError("a time stamp is not one")
    return float(ts)
