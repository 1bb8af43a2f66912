"""The port that tells in which language a text is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.ports.engine import Asked, Engine, Found, LanguageTag, Prose, Sure


class Utterance(Asked):
    """A text. `among` are the languages that it can be in; those that the operator named where it is empty."""

    text: Prose
    among: Annotated[tuple[LanguageTag, ...], Field(max_length=97)] = ()


class Candidate(Found):
    """A language, and how probable it is."""

    language: str
    probability: Sure


class Language(Found):
    """The most probable language by its two letters, "" where the text shows none, and the next ones."""

    language: str
    candidates: tuple[Candidate, ...] = ()


class LanguageDetector(Engine[Utterance, Language]):
    """Tells languages apart."""
