"""The port that makes long texts short."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from bot.ports.engine import SOMETHING, Asked, Engine, Found, Sure, said


class LongText(Asked):
    """A text, and of how many sentences its summary may be."""

    text: Annotated[str, StringConstraints(max_length=100_000), AfterValidator(said), SOMETHING]
    sentences: Annotated[int, Field(ge=1, le=20)] = 3


class Summary(Found):
    """The summary; `kept` is the share of the text's characters that it has."""

    summary: str
    kept: Sure


class Summarizer(Engine[LongText, Summary]):
    """Makes summaries."""
