"""Ranks pieces of pages by the words of a question (BM25), and tells how much of the question a piece covers. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

import snowballstemmer  # type: ignore[import-untyped]

K1, B = 1.2, 0.75
HEADING = 3
"""So many times a word of a heading counts."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_EMPTY = frozenset(
    re.findall(
        r"\S+",
        """a an the i you he she it we they me him her us them my your his its our their this that these those is
    are am was were be been being do does did have has had will would can could shall should may might must of
    to in on at by for from with about as and or but if so not no yes what which who whom whose when where why
    how there here please hi hello hey thanks thank ok want need like know tell get got any some just also too
    very much many more it's i'm i'd i've don't can't u ur pls plz""",
    )
)


def stemmer() -> Callable[[str], list[str]]:
    """What turns a text into the stems of the words that mean something."""
    stem = snowballstemmer.stemmer("english").stemWord

    def stems(text: str) -> list[str]:
        words = (word.replace("’", "'") for word in _WORD.findall(text.casefold().replace("’", "'")))
        return [stem(word) for word in words if word not in _EMPTY]

    return stems


class Ranking:
    """An index of pieces, each given as (heading, text)."""

    def __init__(self, pieces: Sequence[tuple[str, str]], stems: Callable[[str], list[str]]) -> None:
        self._stems = stems
        self._counts = [Counter(stems(heading) * HEADING + stems(text)) for heading, text in pieces]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / len(self._lengths) if self._lengths else 1.0
        self._seen = Counter(stem for counts in self._counts for stem in counts)

    def scores(self, question: str) -> list[float]:
        """BM25 of every piece."""
        wanted = Counter(self._stems(question))
        return [
            sum(times * self._weigh(stem, counts[stem], length) for stem, times in wanted.items() if stem in counts)
            for counts, length in zip(self._counts, self._lengths, strict=True)
        ]

    def covered(self, question: str, place: int) -> float:
        """The share of the question's meaning that stands in a piece: its words, each by how rare it is.

        A word that no page has is as rare as can be: questions about something else are full of them.
        """
        wanted = set(self._stems(question))
        total = sum(self._rarity(stem) for stem in wanted)
        there = sum(self._rarity(stem) for stem in wanted if stem in self._counts[place])
        return there / total if total else 0.0

    def _weigh(self, stem: str, count: int, length: int) -> float:
        return self._rarity(stem) * count * (K1 + 1) / (count + K1 * (1 - B + B * length / self._mean))

    def _rarity(self, stem: str) -> float:
        seen = self._seen[stem]
        return math.log(1 + (len(self._counts) - seen + 0.5) / (seen + 0.5))


def spread(scores: Sequence[float]) -> list[float]:
    """Scores brought to 0..1, so that those of different makes can be added up."""
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 0.0 for score in scores]
