"""The port that hears how well a text was read aloud, word by word and sound by sound."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bot.ports.engine import Asked, Engine, File, Found, Line, Sure, Url


class Recording(Asked):
    """A recording, as a file or by its address, and the texts that may have been read: the best fit counts."""

    audio: File | None = None
    audio_url: Url | None = None
    text_refs: Annotated[tuple[Line, ...], Field(min_length=1, max_length=5)]

    @model_validator(mode="after")
    def _one(self) -> Recording:
        if (self.audio is None) == (self.audio_url is None):
            raise ValueError("give either `audio` or `audio_url`")
        return self


class Sound(Found):
    """One sound (ARPAbet), when it was heard (seconds), and how well it was said."""

    phone: str
    start: Annotated[float, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    score: Sure


class Word(Found):
    """One word, and how well it was said; `doubtful` words are worth saying again."""

    word: str
    start: Annotated[float, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    score: Sure
    doubtful: bool
    sounds: tuple[Sound, ...] = ()


class Pronunciation(Found):
    """How the text `text_ref` (a number, from 0) was read."""

    text_ref: Annotated[int, Field(ge=0)]
    score: Sure
    seconds: Annotated[float, Field(ge=0)]
    words: tuple[Word, ...] = ()


class PronunciationChecker(Engine[Recording, Pronunciation]):
    """Judges pronunciation."""
