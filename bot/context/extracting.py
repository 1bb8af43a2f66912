"""A summary made of a conversation's own sentences: for bots without a model. Invents nothing, and explains nothing.

A sentence counts by how much the conversation keeps coming back to its words, by what is particular in it (numbers,
addresses), and by what it is: a wish of the person, or a question that was never answered.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Sequence

from bot.context.measure import Count
from bot.messages import Value
from bot.text.matching import SOFT
from bot.text.plain import words
from bot.text.words import meaning, yes_no

_END = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+|\n+")
_PARTICULAR = re.compile(r"(?<![#\w.+-])[#\w.+-]*\d[\w.-]*|\S@\S+")
_WISH = re.compile(r"\b(?:want|need|would like|please|can you|could you|wrong|broken|missing|not|never)\b|\?")
_LONGEST = 300  # characters of one sentence
_FEWEST = 2  # words that say something, in a sentence worth keeping
_MOST = 200  # sentences that compete for the room: choosing takes the square of them, in the worst case


EARLIER = "earlier"
"""Who says the lines of a summary that a model made."""


class Said(Value, frozen=True):
    """A line of a conversation: who said it, in one word ("customer", "bot", "agent"), and what."""

    who: str
    text: str


class _Sentence(Value, frozen=True):
    place: int
    who: str
    text: str
    stems: frozenset[str]
    worth: float = 0.0


def extract(said: Sequence[Said], room: int, count: Count, *, before: str = "") -> str:
    """The sentences that say most, in order, each with who said it, in at most `room` tokens.

    `before` is an earlier summary made here: its lines stand for what was said before, and compete with the new ones.
    """
    sentences = _weighed(_sentences([*_lines(before), *said]))
    left = heapq.nlargest(_MOST, sentences, key=lambda one: (one.worth, one.place))
    costs = {one.place: count(f"{one.who}: {one.text}\n") for one in left}
    kept: list[_Sentence] = []
    spent = 0
    heard: Counter[str] = Counter()
    while left := [one for one in left if spent + costs[one.place] <= room]:
        # What was said once is worth less when it is said again.
        best = max(left, key=lambda one: (round(one.worth * _fresh(one, heard), 6), one.place))
        left.remove(best)
        kept.append(best)
        spent += costs[best.place]
        heard.update(best.stems)
    lines = [f"{one.who}: {one.text}" for one in sorted(kept, key=lambda one: one.place)]
    while lines and count("\n".join(lines)) > room:  # a count of the whole need not be the sum of its parts
        lines.pop(0)
    return "\n".join(lines)


def _lines(summary: str) -> list[Said]:
    """An earlier summary as lines; one that a model made has sentences of nobody."""
    found = []
    for line in summary.splitlines():
        who, colon, text = line.partition(": ")
        known = bool(colon) and who in ("customer", "bot", "agent", EARLIER)
        found.append(Said(who=who, text=text) if known else Said(who=EARLIER, text=line))
    return found


def _sentences(said: Sequence[Said]) -> list[_Sentence]:
    found: list[_Sentence] = []
    seen: set[tuple[str, str]] = set()
    for line in said:
        for text in _END.split(line.text):
            short = " ".join(text.split())[:_LONGEST]
            stems = frozenset(word for word in words(short) if word not in SOFT)
            if meaning(short) or yes_no(short) is not None or (line.who, short) in seen:
                continue
            if len(stems) >= _FEWEST or _PARTICULAR.search(short):
                seen.add((line.who, short))
                found.append(_Sentence(place=len(found), who=line.who, text=short, stems=stems))
    return found


def _weighed(sentences: list[_Sentence]) -> list[_Sentence]:
    often = Counter(word for one in sentences for word in one.stems)
    weighed = []
    for one in sentences:
        theme = sum(math.log1p(often[word]) for word in one.stems) / (len(one.stems) + 3)
        particular = 0.5 * min(2, len(_PARTICULAR.findall(one.text)))
        wish = 0.7 if one.who == "customer" and _WISH.search(one.text.lower()) else 0.0
        recent = 0.3 * (one.place + 1) / len(sentences)
        worth = theme + particular + wish + recent + (0.3 if one.who != "bot" else 0.0)
        weighed.append(_Sentence(place=one.place, who=one.who, text=one.text, stems=one.stems, worth=worth))
    return weighed


def _fresh(one: _Sentence, heard: Counter[str]) -> float:
    known = sum(1 for word in one.stems if heard[word])
    return 1.0 - 0.8 * known / (len(one.stems) or 1)
