"""The port that tells how somebody feels, by what they write."""

from __future__ import annotations

from typing import Literal

from bot.ports.engine import Asked, Engine, Found, Prose, Sure


class Remark(Asked):
    """Something that somebody wrote."""

    text: Prose


class Mood(Found):
    """How it sounds. `valence` goes from -1 (bad) to 1 (good); the shares add up to 1."""

    mood: Literal["positive", "neutral", "negative"]
    valence: float
    positive: Sure
    neutral: Sure
    negative: Sure


class MoodReader(Engine[Remark, Mood]):
    """Reads moods."""
