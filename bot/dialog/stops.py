"""The places at which a handler's run stops: at a question, at its end, or broken. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from bot.dialog.fields import filled
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

    def filled(self, values: Mapping[str, str]) -> Question:
        """The question with what somebody put into its form."""
        form = self.prompt.form
        shown = msgspec.structs.replace(self.prompt, form=filled(form, values)) if form else self.prompt
        return replace(self, prompt=shown)


@dataclass(frozen=True, slots=True)
class Again:
    """The handler ends and starts anew with these slots, in one commit."""

    slots: dict[str, str]


@dataclass(frozen=True, slots=True)
class Declined:
    """The handler ends and has nothing to say to this: the house answers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The handler waits for an answer."""

    question: Question


@dataclass(frozen=True, slots=True)
class Ended:
    """The handler is done: `again` if it starts anew, `declined` if it can't answer; `error` is what it raised."""

    again: Again | None = None
    declined: bool = False
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule was broken or the journal does not fit (`error`), or the run was taken out of memory (None)."""

    error: DialogError | None


Stop = Asked | Ended | Broken
