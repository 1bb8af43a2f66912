"""Moods by VADER's lexicon (extra `moods`): English, and the emoticons of everywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot import from_extra, intact
from bot.ports import Finding, Mood, MoodReader, Remark

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

EXTRA = "moods"
LEXICON = "1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5"
EDGE = 0.05
"""Valences nearer to 0 than this are neutral, as the lexicon's makers have it."""

RIGHT = ((0.05, 0.67), (0.4, 0.32), (0.6, 0.46), (0.8, 0.60), (1.01, 0.75))
"""How often it was right (docs/figures.md), by how far from 0 the valence was at most."""

STRANGE = 0.34
"""Confidence in a text without a known word: no better than guessing one of three."""


class Vader(MoodReader):
    """Loaded at first use."""

    def __init__(self) -> None:
        self._analyzer: SentimentIntensityAnalyzer | None = None

    async def find(self, asked: Remark) -> Finding[Mood]:
        """How it sounds."""
        return await asyncio.to_thread(self._find, asked.text)

    def _find(self, text: str) -> Finding[Mood]:
        analyzer = self._analyzer = self._analyzer or _load()
        scores = analyzer.polarity_scores(text)
        valence = scores["compound"]
        mood: Literal["positive", "neutral", "negative"] = "neutral"
        if abs(valence) >= EDGE:
            mood = "positive" if valence > 0 else "negative"
        # A text without words gets no shares at all; it is neutral.
        total = scores["pos"] + scores["neu"] + scores["neg"]
        shares = [scores[name] / total if total else float(name == "neu") for name in ("pos", "neu", "neg")]
        ascii_share = sum(character.isascii() for character in text) / len(text)
        known = ascii_share > 0.7 or valence != 0
        return Finding(
            result=Mood(mood=mood, valence=valence, positive=shares[0], neutral=shares[1], negative=shares[2]),
            confidence=next(right for edge, right in RIGHT if abs(valence) < edge) if known else STRANGE,
            by="vaderSentiment 3.3.2",
            reasoning=(
                f"the valence is {valence:+.2f}; beyond {EDGE:+.2f} it counts as a mood",
                "the lexicon is English" if known else "the lexicon is English, and this is not",
            ),
        )


def _load() -> SentimentIntensityAnalyzer:
    with from_extra(EXTRA):
        from vaderSentiment import vaderSentiment  # noqa: PLC0415 - an extra
    intact(Path(vaderSentiment.__file__).parent / "vader_lexicon.txt", LEXICON, EXTRA)
    return vaderSentiment.SentimentIntensityAnalyzer()
