"""Summaries by TextRank: the sentences that share most with the others, in the order in which they stood. No package.

Sentences are compared by their words' tf-idf; it understands nothing, and copies word for word.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import Sequence

from bot.ports import Finding, LongText, Summarizer, Summary

MOST = 200
"""Sentences that are compared; comparing takes the square of them. What comes later in a text is left out."""

DAMPING, ROUNDS = 0.85, 30
LONGEST_SENTENCE = 1000
_ENDS = re.compile(
    r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9À-ÖØ-ÞА-Я])|(?<=[。！？])|\n{2,}|\n(?=[^\S\n]*[-*•])"
)
_CODE = re.compile(r"^(```|~~~).*?(?:^\1\s*$|\Z)|^#{1,6}\s", re.MULTILINE | re.DOTALL)
_SHORT = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|approx|Inc|Ltd|Co)|\b[A-Z])\.$")
_WORD = re.compile(r"[^\W_]{2,}")


class TextRank(Summarizer):
    """Needs nothing."""

    async def find(self, asked: LongText) -> Finding[Summary]:
        """The summary."""
        return await asyncio.to_thread(self._find, asked)

    def _find(self, asked: LongText) -> Finding[Summary]:
        all_of_them = sentences(asked.text)
        compared = all_of_them[:MOST]
        ranks = rank(compared)
        best = sorted(sorted(range(len(compared)), key=lambda place: -ranks[place])[: asked.sentences])
        summary = " ".join(compared[place] for place in best)
        reasoning = [f"{len(best)} of {len(all_of_them)} sentences were chosen"]
        if len(all_of_them) > MOST:
            reasoning.append(f"only the first {MOST} sentences were compared")
        return Finding(
            result=Summary(summary=summary, kept=round(min(1.0, len(summary) / len(asked.text)), 3)),
            confidence=_confidence(ranks, best, len(all_of_them)),
            by="textrank",
            reasoning=tuple(reasoning),
        )


def _confidence(ranks: Sequence[float], best: Sequence[int], count: int) -> float:
    """A whole text is surely its own summary; else how far the chosen sentences stand out, and never beyond 0.7."""
    if len(best) == count:
        return 1.0
    chosen = sum(ranks[place] for place in best) / len(best)
    rest = (sum(ranks) - chosen * len(best)) / max(1, len(ranks) - len(best))
    return round(min(0.7, 0.3 + 0.4 * max(0.0, chosen - rest) / (chosen or 1.0)), 3)


def sentences(text: str) -> list[str]:
    """The sentences of a text, without blocks of code; all of it is one where nothing else is in it."""
    found: list[str] = []
    for part in _ENDS.split(_CODE.sub("\n\n", text)):
        piece = " ".join(part.split())[:LONGEST_SENTENCE]
        if not piece:
            continue
        if found and _SHORT.search(found[-1]) and len(found[-1]) + len(piece) < LONGEST_SENTENCE:
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    return found or [" ".join(text.split())[:LONGEST_SENTENCE]]


def rank(texts: Sequence[str]) -> list[float]:
    """How much each sentence shares with the others; they add up to 1."""
    vectors = _vectors(texts)
    links = [[0.0] * len(texts) for _ in texts]
    for one, vector in enumerate(vectors):
        for other in range(one):
            links[one][other] = links[other][one] = _cosine(vector, vectors[other])
    sums = [sum(row) for row in links]
    ranks = [1 / len(texts)] * len(texts)
    for _ in range(ROUNDS):
        given = [rank / total if total else 0.0 for rank, total in zip(ranks, sums, strict=True)]
        ranks = [
            (1 - DAMPING) / len(texts)
            + DAMPING * sum(share * link for share, link in zip(given, row, strict=True) if link)
            for row in links
        ]
    total = sum(ranks) or 1.0
    return [rank / total for rank in ranks]


def _vectors(texts: Sequence[str]) -> list[dict[str, float]]:
    counts = [Counter(_WORD.findall(text.casefold())) for text in texts]
    seen = Counter(word for count in counts for word in count)
    vectors = []
    for count in counts:
        vector = {word: times * math.log(len(texts) / seen[word]) for word, times in count.items()}
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        vectors.append({word: weight / length for word, weight in vector.items() if weight})
    return vectors


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[word] for word, weight in one.items() if word in other)
