"""Intent examples by similarity: which intent's examples a message resembles, and how much.

Knows no skill and takes no decision: the router compares the scores with `THRESHOLD` and `MARGIN`. English word
endings are forgiven; other languages match by their words as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer  # type: ignore[import-untyped]

from bot.messages import Value
from bot.text.numerals import NUMBER_WORDS
from bot.text.plain import LONGEST, listed, words
from bot.text.slots import PLACE, kind_of
from bot.text.spelling import Spelling

THRESHOLD = 0.47
"""From this score on an intent may claim a message.

Chosen on the training files of two real shops as the least that keeps wrong claims of an order skill under 3%
(2.5%, recall 64%); on their test files it claims 2.6% of what is out of scope, recall 60% (`benchmarks/matching.py`).
"""

MARGIN = 0.08
"""Two intents closer than this are asked about ("Did you mean ...?").

Cross-validated on the same shops' own intents at a threshold of 0.5, 26 of 608 claims were that close, and 13 of
these 26 were wrong. The order skill's few wrong claims (3 of 164) were further apart: a margin does not catch them.
"""

SOFT = listed(
    """a about already also am an and any are at be been by can could dear did do does for from get had has have hello
    help here hey hi i if in is it its just kindly know let like madam may me might my need now of ok okay on or our
    please shall should sir so some still tell thank thanks that the then there this to us want was we well were will
    with would yet you your"""
)
"""Words that say little about what somebody wants."""

_SOFT_WEIGHT = 0.2
_STRANGE_WEIGHT = 0.7  # of a word in no example: it may be the whole point, or only a detail
_MISSPELT = 0.9  # how much of a word counts when it is there with a typo
_OFFERED = 0.6  # cost of the example's words that the message lacks, where the message's own extra words cost 1
_SIBLING = 0.5  # how much of a word counts when only another example of the same intent has it
_CLAUSE = 0.85  # how much of a score counts when a part of the message got it, not the whole
_FEWEST = 3  # words that a part needs, to be looked at by itself
_MOST_CLAUSES = 12
_SLOT_WORDS = 3  # words that a slot of free words may take up
_MOST_STEMS = 20_000

_BREAK = re.compile(r"[.?!;,\n]+|\b(?:and|but|because)\b", re.IGNORECASE)
_WILLS = frozenset(("do", "did", "would", "will"))
_WISHES = frozenset(("want", "need", "wish", "like", "mean"))


@lru_cache(_MOST_STEMS)
def _stem(word: str) -> str:
    """The word without its ending, if it says much. A stemmer works on a word of its own, so each call makes one."""
    stem: str = word if word in SOFT else snowballstemmer.stemmer("english").stemWord(word)
    return stem


class Score(Value, frozen=True):
    """How much a message resembles an intent, from 0 to 1, and the example that it resembles most."""

    intent: str
    score: float
    example: str


class _Row(NamedTuple):
    """One example: its words, what they weigh together, and how much weight of strange words its slots take in."""

    intent: str
    example: str
    words: frozenset[str]
    weight: float
    room: float


class _Heard(NamedTuple):
    """The words of a message: how surely each known one was heard, what all weigh, what the unknown ones weigh."""

    known: dict[str, float]
    weight: float
    strange: float


class Examples:
    """An index over the examples of all intents; built once, never changed, for one thread at a time.

    Rare words count more than those that every intent's examples have. A score is 1.0 for an example's own sentence,
    whatever its case, punctuation and word order.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        split = [(intent, example, *self._split(example)) for intent, example in pairs]
        self._intents_of: dict[str, set[str]] = {}
        for intent, _, spoken, _ in split:
            for word in spoken:
                self._intents_of.setdefault(word, set()).add(intent)
        count = len({intent for intent, *_ in split})
        self._weights = {
            word: (_SOFT_WEIGHT if _soft(word) else 1.0) * math.log1p(count / len(intents)) / math.log1p(count)
            for word, intents in self._intents_of.items()
        }
        self._rows = [
            _Row(intent, example, spoken, sum(map(self._weights.__getitem__, spoken)), room)
            for intent, example, spoken, room in split
        ]
        self._rows_of: dict[str, list[int]] = {}
        for place, row in enumerate(self._rows):
            for word in row.words:
                self._rows_of.setdefault(word, []).append(place)
        self._spelling = Spelling(word for word in self._weights if not _soft(word) and word[0] != "!")

    def __len__(self) -> int:
        return len(self._rows)

    def rank(self, text: str) -> list[Score]:
        """Every intent that shares a word with the text, the most similar first; ties by name."""
        best = self._alike(self._hear(text))
        clauses = [clause for clause in _BREAK.split(text[:LONGEST], _MOST_CLAUSES) if clause.strip()]
        for clause in clauses if len(clauses) > 1 else ():
            heard = self._hear(clause)
            if len(heard.known) < _FEWEST:
                continue
            for intent, (score, place) in self._alike(heard).items():
                if score * _CLAUSE > best.get(intent, (0.0, 0))[0]:
                    best[intent] = score * _CLAUSE, place
        scores = [
            Score(intent=intent, score=round(score, 4), example=self._rows[place].example)
            for intent, (score, place) in best.items()
        ]
        return sorted(scores, key=lambda score: (-score.score, score.intent))

    def _split(self, example: str) -> tuple[frozenset[str], float]:
        """An example's words without its slots, and the weight of strange words that its free slots take in."""
        free = sum(1 for name in PLACE.findall(example) if not kind_of(name))
        return frozenset(self._words(PLACE.sub(" ", example))), free * _SLOT_WORDS * _STRANGE_WEIGHT

    def _words(self, text: str) -> list[str]:
        """The text's words by their stems; what is not wanted ("I don't want to cancel") is marked with "!"."""
        spoken = words(text)
        unwanted = _unwanted(spoken) if "not" in spoken else -1
        found: list[str] = []
        for place, word in enumerate(spoken):
            stem = _stem(word)
            found.append(f"!{stem}" if place == unwanted else stem)
        return found

    def _hear(self, text: str) -> _Heard:
        """The text's words as far as some example has them."""
        known: dict[str, float] = {}
        strangers: set[str] = set()
        for word in self._words(text):
            if word in self._weights:
                known[word] = 1.0
            elif not _soft(word) and word[0] != "!" and (near := self._spelling.nearest(word)):
                known.setdefault(near, _MISSPELT)
            elif not _number(word):
                strangers.add(word)
        soft = _SOFT_WEIGHT * sum(map(_soft, strangers))
        strange = _STRANGE_WEIGHT * sum(not _soft(word) for word in strangers)
        return _Heard(known, sum(map(self._weights.__getitem__, known)) + soft + strange, strange)

    def _alike(self, heard: _Heard) -> dict[str, tuple[float, int]]:
        """For each intent that shares a word: the best score, and the place of the example that got it."""
        shared: dict[int, float] = {}
        reach: dict[str, float] = {}
        hard = [word for word in heard.known if not _soft(word)]
        for word in hard or heard.known:
            worth = self._weights[word] * heard.known[word]
            for place in self._rows_of[word]:
                shared[place] = shared.get(place, 0.0) + worth
            for intent in self._intents_of[word]:
                reach[intent] = reach.get(intent, 0.0) + worth
        soft = [word for word in heard.known if _soft(word)] if hard else []
        best: dict[str, tuple[float, int]] = {}
        for place, worth in shared.items():
            row = self._rows[place]
            same = worth
            for word in soft:
                if word in row.words:
                    same += self._weights[word]
            both = same + _SIBLING * (reach[row.intent] - worth)
            extra = max(0.0, heard.weight - min(row.room, heard.strange) - both)
            score = both / (both + extra + _OFFERED * (row.weight - same))
            if row.intent not in best or score > best[row.intent][0]:
                best[row.intent] = score, place
        return best


def _number(word: str) -> bool:
    """Whether a word is a number or an order number, which fills a slot but makes no intent."""
    return word in NUMBER_WORDS or word[0].isdigit() or (len(word) > 1 and word[1].isdigit())


def _soft(word: str) -> bool:
    """Whether a word says little."""
    return word in SOFT or _number(word)


def _unwanted(spoken: list[str]) -> int:
    """The place of the word that is not wanted, in "I do not want to cancel it" or "please do not cancel"; else -1."""
    place = spoken.index("not")
    before = spoken[place - 1] if place else ""
    after = spoken[place + 1] if place + 1 < len(spoken) else ""
    if before in _WILLS and after in _WISHES:
        for ahead in range(place + 2, min(place + 6, len(spoken))):
            if spoken[ahead] not in SOFT:
                return ahead
    elif before == "do" and after not in SOFT and (place == 1 or spoken[place - 2] == "please"):
        return place + 1 if after else -1
    return -1
