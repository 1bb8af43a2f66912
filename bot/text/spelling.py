"""Spelling: which known word a mistyped one was meant to be.

Knows only the words that it was given. A lookup costs the same however many words there are.
"""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz.distance import OSA

_SHORTEST = 4
_LONGEST = 24
_SURE_OF_FIRST = 5
"""In words up to this length another first letter makes another word: rate is not late."""


def slips(word: str) -> int:
    """How many slips (a letter wrong, missing, extra or swapped) a word of this length may hold."""
    if len(word) < _SHORTEST or any(letter.isdigit() for letter in word):
        return 0
    return 1 if len(word) <= 8 else 2


class Spelling:
    """Finds known words that differ by a slip of the finger."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._shorter: dict[str, list[str]] = {}
        for word in sorted(self._known):
            if slips(word):
                for piece in _pieces(word):
                    self._shorter.setdefault(piece, []).append(word)

    def nearest(self, word: str) -> str:
        """The known word that this one was meant to be; empty when there is none."""
        if word in self._known:
            return word
        if not slips(word) or len(word) > _LONGEST:
            return ""
        best, least = "", 9
        for candidate in {near for piece in _pieces(word) for near in self._shorter.get(piece, ())}:
            allowed = min(slips(word), slips(candidate))
            if word[0] != candidate[0] and len(word) <= _SURE_OF_FIRST:
                continue
            distance = OSA.distance(word, candidate, score_cutoff=allowed)
            if distance <= allowed and (distance, candidate) < (least, best):
                best, least = candidate, distance
        return best


def _pieces(word: str) -> set[str]:
    """The word itself and the word with any one letter left out: words one slip apart always share one."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}
