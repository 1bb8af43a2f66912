"""What the bot says: frozen values that do no I/O and know no platform.

The text of a reply is CommonMark. Each channel renders it with what it has; where it has no buttons, the
choices become a numbered list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from bot.messages import Media, Value
from bot.phrases import ENGLISH


class Choice(Value, frozen=True):
    """One thing to choose: `label` is shown, `value` is what the skill gets (the label, if empty)."""

    label: str
    value: str = ""

    @property
    def meaning(self) -> str:
        """What the skill gets when this is chosen."""
        return self.value or self.label


class Field(Value, frozen=True):
    """A short name and its value on a card."""

    name: str
    value: str


class Card(Value, frozen=True):
    """A picture, a title, a few lines and fields, for channels that can show one; text elsewhere."""

    title: str
    text: str = ""
    image: Media | None = None
    fields: tuple[Field, ...] = ()
    url: str = ""


class Button(Value, frozen=True):
    """A choice as it was offered: `token` comes back when it is pressed, for ever the same one."""

    token: str
    label: str
    value: str


class Mention(Value, frozen=True):
    """Somebody to be called by name: `user` is the platform's id of them, `name` is shown where nobody can be called.

    Give it as a value: `turn.say("{who}, your order is here", who=Mention(user="U42", name="Ana"))`.
    """

    user: str
    name: str


class FormField(Value, frozen=True):
    """One question of a form. `choices` are for the kind "choice"; `value` stands in it from the start.

    Numbers are from `least` to `most`, whole ones where it is `whole`; words have `shortest` to `longest` characters. A
    limit that is empty or 0 is none.
    """

    name: str
    label: str
    kind: Literal["text", "long", "number", "date", "email", "url", "choice"] = "text"
    choices: tuple[Choice, ...] = ()
    hint: str = ""
    optional: bool = False
    value: str = ""
    whole: bool = False
    least: str = ""
    most: str = ""
    shortest: int = 0
    longest: int = 0


class Form(Value, frozen=True):
    """Several questions to be answered together, where the channel has forms; one after the other elsewhere.

    `token` comes back with the answers; `open` is on the button that opens it.
    """

    title: str
    fields: tuple[FormField, ...]
    token: str = ""
    open: str = ENGLISH.fill_in


class Reply(Value, frozen=True):
    """One thing said to the person. `buttons` are filled in by the outbox, never by a skill.

    `free` means that other words than the choices are an answer too. A link in `text` to `mention:0` calls the first of
    `mentions`. `draft` is the key of the draft that this reply ends. `private` is for the person's eyes only, where
    others read along. `share_phone` is what stands on a button that shares the person's own number; it is for channels
    that have one.
    """

    text: str = ""
    choices: tuple[Choice, ...] = ()
    media: tuple[Media, ...] = ()
    card: Card | None = None
    buttons: tuple[Button, ...] = ()
    once: bool = False
    free: bool = False
    mentions: tuple[Mention, ...] = ()
    form: Form | None = None
    draft: str = ""
    private: bool = False
    share_phone: str = ""


NOTHING = Reply()
"""The reply that has nothing in it."""


def as_choices(choices: Iterable[str | Choice]) -> tuple[Choice, ...]:
    """Accept labels and choices alike."""
    return tuple(choice if isinstance(choice, Choice) else Choice(label=choice) for choice in choices)
