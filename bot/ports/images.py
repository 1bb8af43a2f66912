"""The port that tells whether two pictures show the same."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bot.ports.engine import Asked, Engine, File, Found, Sure, Url

LONGEST_WORDS = 300
"""Characters of what a model says that pictures show."""


class TwoPictures(Asked):
    """Two pictures, each as a file or by its address."""

    image: File | None = None
    image_url: Url | None = None
    other: File | None = None
    other_url: Url | None = None

    @model_validator(mode="after")
    def _one_each(self) -> TwoPictures:
        if (self.image is None) == (self.image_url is None):
            raise ValueError("give either `image` or `image_url`")
        if (self.other is None) == (self.other_url is None):
            raise ValueError("give either `other` or `other_url`")
        return self


class Likeness(Found):
    """Whether they are the same picture (resized, compressed anew), and what more is known of it.

    In how many bits of 64 their hashes differ, where an engine has hashed them; what both show, in words, where a model
    has looked at them.
    """

    same: bool
    similarity: Sure
    different_bits: Annotated[int, Field(ge=0, le=64)] | None = None
    both_show: Annotated[str, Field(max_length=LONGEST_WORDS)] | None = None


class ImageMatcher(Engine[TwoPictures, Likeness]):
    """Compares pictures."""
