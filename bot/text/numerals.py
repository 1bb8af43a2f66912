"""Numbers in words: "one two three", "double five", "twelve thirty four" as digits.

Reads English. Knows nothing of what a number stands for. Never raises, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.text.plain import LONGEST

UNITS = {
    word: str(value)
    for value, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
}
TEENS = {
    word: str(value)
    for value, word in enumerate(
        ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
        start=10,
    )
}
TENS = {
    word: str(value * 10)
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
} | {"fourty": "40"}
_ZEROS = {"oh": "0", "o": "0", "nought": "0"}
_TIMES = {"double": 2, "triple": 3, "treble": 3}

NUMBER_WORDS = frozenset(UNITS) | frozenset(TEENS) | frozenset(TENS) | {"hundred", "thousand", "dozen"}
"""Every word that is a number by itself."""

_SPOKEN = NUMBER_WORDS - {"dozen"} | frozenset(_ZEROS) | frozenset(_TIMES)
"""What can stand in a run of number words."""

_STEMS = tuple(word for word in NUMBER_WORDS if not any(other in word for other in NUMBER_WORDS - {word}))
"""Every number word has one of these in it."""

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_GAP = re.compile(r"[ \t\u00a0]{1,3}|-")
_OPENING_ZERO = 4
"""A leading "oh" is a zero only when this many digits follow at least: "oh, two days" is no number."""


def digits(text: str) -> str:
    """The text with each run of number words as digits; a single "one" stays, and so does all the rest."""
    head, tail = text[:LONGEST], text[LONGEST:]
    # Most messages have no number word, and then there is no need to look at each word's place.
    low = head.casefold()
    if not any(stem in low for stem in _STEMS) or NUMBER_WORDS.isdisjoint(_TOKEN.findall(low)):
        return text
    pieces: list[str] = []
    done = 0
    for run in _runs(list(_TOKEN.finditer(head)), head):
        written = _written([token[0].casefold() for token in run])
        if not written:
            continue
        pieces += [head[done : run[0].start()], written]
        done = run[-1].end()
    return "".join([*pieces, head[done:], tail])


def cardinal(spoken: Sequence[str]) -> int | None:
    """The whole number that these words say ("two", "thousand", "and", "five"); None when they say none, or several."""
    value, used = _cardinal(spoken, 0)
    return int(value) if used and used == len(spoken) else None


def _runs(tokens: list[re.Match[str]], text: str) -> list[list[re.Match[str]]]:
    """The stretches of two or more number words, with a letter that belongs to them ("W two six")."""
    runs: list[list[re.Match[str]]] = []
    run: list[re.Match[str]] = []
    for token in tokens:
        joined = bool(run) and _GAP.fullmatch(text, run[-1].end(), token.start()) is not None
        if not joined:
            runs.append(run)
            run = []
        word = token[0].casefold()
        if _speaks(word) or (word == "and" and run and run[-1][0].casefold() in ("hundred", "thousand")):
            run.append(token)
        elif len(word) == 1 and word.isalpha() and word not in "ai" and not run:
            run = [token]
        else:
            runs.append(run)
            run = []
    runs.append(run)
    return [kept for kept in map(_trimmed, runs) if kept]


def _speaks(word: str) -> bool:
    """Whether a word can stand in a run: a number word, "double", "oh", or one digit written as such."""
    return word in _SPOKEN or (len(word) == 1 and word.isdigit())


def _trimmed(run: list[re.Match[str]]) -> list[re.Match[str]]:
    """The run without words at its ends that only lead in; empty when too little is left to be one."""
    while run and run[-1][0].casefold() in ("and", *_TIMES):
        run = run[:-1]
    if run and run[0][0].casefold() in _ZEROS and len(run) <= _OPENING_ZERO:
        run = run[1:]
    said = [token[0].casefold() for token in run]
    spoken = [word for word in said if word in NUMBER_WORDS]
    letter = bool(said) and len(said[0]) == 1 and said[0].isalpha() and said[0] not in _ZEROS
    return run if spoken and len(said) - letter > 1 else []


def _written(spoken: list[str]) -> str:
    """The digits that a run of words says, one group after the other; empty when they say no number."""
    out: list[str] = []
    place = 0
    while place < len(spoken):
        word = spoken[place]
        value, used = _cardinal(spoken, place)
        if not used and word in _TIMES:
            value, used = _single(spoken, place + 1)
            value, used = value * _TIMES[word], used + 1
        elif not used and len(word) == 1:
            value, used = _ZEROS.get(word, word.upper()), 1
        elif not used:
            value, used = _ZEROS.get(word, ""), 1
        if not value:
            return ""
        out.append(value)
        place += used
    return "".join(out)


def _single(spoken: Sequence[str], place: int) -> tuple[str, int]:
    """One digit at this place, as text, and how many words it took."""
    word = spoken[place] if place < len(spoken) else ""
    value = UNITS.get(word) or _ZEROS.get(word) or (word if len(word) == 1 and word.isdigit() else "")
    return value, 1 if value else 0


def _small(spoken: Sequence[str], place: int) -> tuple[str, int]:
    """A number below a hundred at this place, and how many words it took."""
    word = spoken[place] if place < len(spoken) else ""
    if word in TENS:
        unit = UNITS.get(spoken[place + 1], "0") if place + 1 < len(spoken) else "0"
        return (TENS[word][0] + unit, 2) if unit != "0" else (TENS[word], 1)
    value = TEENS.get(word) or UNITS.get(word)
    return (value, 1) if value else ("", 0)


def _hundreds(spoken: Sequence[str], place: int) -> tuple[str, int]:
    """A number below ten thousand said with "hundred", or one below a hundred."""
    value, used = _small(spoken, place)
    if not used or place + used >= len(spoken) or spoken[place + used] != "hundred":
        return value, used
    used += 1
    joint = 1 if place + used < len(spoken) and spoken[place + used] == "and" else 0
    rest, more = _small(spoken, place + used + joint)
    return str(int(value) * 100 + int(rest or 0)), used + (joint + more if more else 0)


def _cardinal(spoken: Sequence[str], place: int) -> tuple[str, int]:
    """The longest whole number at this place, as text, and how many words it took."""
    value, used = _hundreds(spoken, place)
    if not used or place + used >= len(spoken) or spoken[place + used] != "thousand":
        return value, used
    used += 1
    joint = 1 if place + used < len(spoken) and spoken[place + used] == "and" else 0
    rest, more = _hundreds(spoken, place + used + joint)
    return str(int(value) * 1000 + int(rest or 0)), used + (joint + more if more else 0)
