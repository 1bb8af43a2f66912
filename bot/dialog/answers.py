"""What a message means where choices or a question are open. Pure: no state is changed here.

The order is that of the field's best clerks: a press or a number or the very words of a choice; a word that works
everywhere ("cancel", "back", "help", a person); something like a choice; an answer of the right kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from bot.dialog.forms import FormLike
from bot.dialog.likes import Like, NotLike
from bot.messages import Command, Contact, Content, Pressed, Submitted, Text
from bot.replies import Button
from bot.text import Unsure, choose, meaning

NOT_OWN = "That is somebody else's number. Please share your own, or type it."

Word = Literal["cancel", "back", "help", "person"]


class Chosen(msgspec.Struct, frozen=True):
    """One of the choices."""

    button: Button


class Given(msgspec.Struct, frozen=True):
    """A value of the kind that was asked for."""

    value: Any


class Said(msgspec.Struct, frozen=True):
    """A word that works everywhere."""

    word: Word


class Torn(msgspec.Struct, frozen=True):
    """Several choices fit alike."""

    buttons: tuple[Button, ...]


class Stale(msgspec.Struct, frozen=True):
    """A button or a form of a question that is over."""


class Unfit(msgspec.Struct, frozen=True):
    """Nothing that fits; `hint` is what the question's own function had to say about it."""

    hint: str = ""


Understood = Chosen | Given | Said | Torn | Stale | Unfit


def understand(content: Content, buttons: Sequence[Button], like: Like | None, now: float) -> Understood:
    """What was meant. `like` None means that only the choices are open."""
    match content:
        case Pressed(token=token):
            return _pressed(token, buttons)
        case Submitted() as filled:
            return _filled_in(filled, like, now)
        case Command(name=name, text=text):
            word = _COMMANDS.get(name)
            return Said(word) if word and (not text or word == "help") else Unfit()
        case Text(contact=Contact() as contact) if like is not None and like.share:
            return Given(contact.phone) if contact.own else Unfit(NOT_OWN)
        case Text(text=text):
            return _words(text, buttons, like, now)
        case _:
            return Unfit()


def _pressed(token: str, buttons: Sequence[Button]) -> Understood:
    for button in buttons:
        if button.token == token:
            return Chosen(button)
    return Stale()


def _filled_in(filled: Submitted, like: Like | None, now: float) -> Understood:
    if not isinstance(like, FormLike) or like.token != filled.token:
        return Stale()
    try:
        return Given(like.submitted(filled.values, now))
    except NotLike as problem:
        return Unfit(str(problem))


def _words(text: str, buttons: Sequence[Button], like: Like | None, now: float) -> Understood:
    choice = choose(text, buttons) if buttons else None
    if choice is not None and not isinstance(choice, Unsure) and choice.exact:
        return Chosen(choice.button)
    word = meaning(text)
    if word is not None:
        return Said(word)
    if isinstance(choice, Unsure):
        return Torn(tuple(choice.options))
    if choice is not None:
        return Chosen(choice.button)
    if like is None:
        return Unfit()
    try:
        return Given(like.parse(text, now))
    except NotLike as problem:
        return Unfit(str(problem))


_COMMANDS: dict[str, Word] = {"cancel": "cancel", "back": "back", "help": "help", "person": "person", "agent": "person"}
