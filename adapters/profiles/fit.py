"""How well two profiles fit: field by field, with what each weighs and why. No package."""

from __future__ import annotations

from collections.abc import Sequence

import snowballstemmer  # type: ignore[import-untyped]
from rapidfuzz import fuzz

from bot import BadArguments
from bot.ports import Finding, Fit, Pair, Profile, ProfileMatcher, Reason

WEIGHTS = {
    "goals": 0.25,
    "skills": 0.2,
    "interests": 0.15,
    "role": 0.15,
    "languages": 0.15,
    "place": 0.05,
    "company": 0.05,
}
"""What each field weighs; they add up to 1. Names and addresses say nothing of how well people fit."""

ENOUGH = 0.5
"""A score from here on is a match."""

ALIKE = 85
"""Likeness (of 100) from which two spellings of a word count as the same."""

_EMPTY = frozenset(
    ["a", "an", "the", "to", "of", "in", "on", "at", "for", "and", "or", "my", "i", "be", "with", "more"]
)


class FieldFit(ProfileMatcher):
    """Needs nothing."""

    def __init__(self) -> None:
        self._stem = snowballstemmer.stemmer("english").stemWord

    async def find(self, asked: Pair) -> Finding[Fit]:
        """How well they fit. It is quick enough for the event loop: fields are few and short."""
        unknown = sorted(set(asked.required) - WEIGHTS.keys())
        if unknown:
            raise BadArguments([f"`required` can name {', '.join(WEIGHTS)}; not {', '.join(unknown)}."])
        reasons = [self._reason(field, asked.profile, asked.other) for field in WEIGHTS]
        there = [reason for reason in reasons if reason is not None]
        compared = sum(reason.weight for reason in there)
        score = sum(reason.fits * reason.weight for reason in there) / compared if compared else 0.0
        fitting = {reason.field: reason.fits for reason in there}
        lacking = [field for field in asked.required if fitting.get(field, 0.0) < ENOUGH]
        if lacking:
            score = 0.0
        return Finding(
            result=Fit(
                score=round(min(score, 1.0), 3),
                matches=score >= ENOUGH and bool(there),
                compared=round(min(compared, 1.0), 3),
                reasons=tuple(there),
            ),
            confidence=round(min(compared, 1.0), 3),
            by="fields",
            reasoning=(
                f"{len(there)} of {len(WEIGHTS)} fields are filled on both sides",
                *([f"required, and lacking: {', '.join(lacking)}"] if lacking else []),
            ),
        )

    def _reason(self, field: str, one: Profile, other: Profile) -> Reason | None:
        ours, theirs = _values(one, field), _values(other, field)
        if not ours or not theirs:
            return None
        shorter, longer = sorted((ours, theirs), key=len)
        best = [max(self._alike(value, each) for each in longer) for value in shorter]
        fits = sum(best) / len(best)
        shared = sum(like >= ENOUGH for like in best)
        why = (
            f"{shared} of {len(shorter)} in common"
            if len(longer) > 1
            else ("the same" if fits >= 1 else "not the same")
        )
        if len(longer) == 1 and 0 < fits < 1:
            why = "partly the same"
        return Reason(field=field, fits=round(min(fits, 1.0), 3), weight=WEIGHTS[field], why=why)

    def _alike(self, one: str, other: str) -> float:
        """The share of the shorter one's words that the other has too, whatever their endings."""
        ours, theirs = self._words(one), self._words(other)
        if not ours or not theirs:
            return float(one.casefold() == other.casefold())
        shorter, longer = sorted((ours, theirs), key=len)
        shared = sum(any(fuzz.ratio(word, each) >= ALIKE for each in longer) for word in shorter)
        return shared / len(shorter) * (0.5 + 0.5 * len(shorter) / len(longer))

    def _words(self, text: str) -> list[str]:
        words = ("".join(filter(str.isalnum, word)) for word in text.casefold().split())
        return sorted({self._stem(word) for word in words if word and word not in _EMPTY})


def _values(profile: Profile, field: str) -> Sequence[str]:
    value = getattr(profile, field)
    return tuple(value) if isinstance(value, tuple) else ((value,) if value else ())
