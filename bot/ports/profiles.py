"""The ports about profiles: reading what people say about themselves, and how well two profiles fit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.ports.engine import Asked, Engine, Found, Line, Prose, Sure

Few = Annotated[tuple[Line, ...], Field(max_length=20)]


class Profile(Found):
    """What somebody said about themselves; what was not said is empty."""

    name: Annotated[str, Field(max_length=200)] = ""
    emails: Few = ()
    phones: Few = ()
    languages: Few = ()
    place: Annotated[str, Field(max_length=200)] = ""
    company: Annotated[str, Field(max_length=200)] = ""
    role: Annotated[str, Field(max_length=200)] = ""
    skills: Few = ()
    interests: Few = ()
    goals: Few = ()


class Account(Asked):
    """A text in which somebody may speak of themselves."""

    text: Prose


class ProfileReader(Engine[Account, Profile]):
    """Reads a profile out of a text, and invents nothing: every value stands in the text."""


class Pair(Asked):
    """Two profiles, or one and the criteria it is held to. `required` fields must fit, or nothing does."""

    profile: Profile
    other: Profile
    required: Annotated[tuple[str, ...], Field(max_length=10)] = ()


class Reason(Found):
    """How one field fits, and what it weighs."""

    field: str
    fits: Sure
    weight: Sure
    why: str


class Fit(Found):
    """How well they fit, from 0 to 1; `compared` is how much of what could be compared was there on both sides."""

    score: Sure
    matches: bool
    compared: Sure
    reasons: tuple[Reason, ...] = ()


class ProfileMatcher(Engine[Pair, Fit]):
    """Compares two profiles."""
