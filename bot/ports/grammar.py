"""The port that finds mistakes in a text, and mends those that it can."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.ports.engine import Asked, Engine, Found, Prose

Dialect = Literal["american", "british", "australian", "canadian", "indian"]


class Draft(Asked):
    """A text in English. `spelling` and `style` say whether those count as mistakes too."""

    text: Prose
    dialect: Dialect = "american"
    spelling: bool = True
    style: bool = False


class Mistake(Found):
    """One mistake: where it begins and ends, in characters; what is wrong; what could stand there instead."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    kind: str
    message: str
    suggestions: tuple[str, ...] = ()


class Grammar(Found):
    """The mistakes, in order, and the text with the first suggestion of each put in."""

    correct: bool
    mistakes: tuple[Mistake, ...] = ()
    corrected: str


class GrammarChecker(Engine[Draft, Grammar]):
    """Checks grammar."""
