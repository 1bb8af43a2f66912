"""The places at which a handler's run stops: at a question, at its end, or broken. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from bot.dialog.likes import Like
from bot.errors import DialogError
from bot.replies import Button, Reply


@dataclass(frozen=True, slots=True)
class Question:
    """An open question, alive: what `turn.ask` was given. `buttons` are its choices; `like` None allows only them."""

    key: str
    prompt: Reply
    buttons: tuple[Button, ...]
    like: Like | None
    help: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Again:
    """The handler ends and starts anew with these slots, in one commit."""

    slots: dict[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """The handler waits for an answer."""

    question: Question


@dataclass(frozen=True, slots=True)
class Ended:
    """The handler is done; `again` when it wants to start anew; `error` what it raised."""

    again: Again | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule was broken or the journal does not fit (`error`), or the run was taken out of memory (None)."""

    error: DialogError | None


Stop = Asked | Ended | Broken
