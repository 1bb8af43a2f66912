"""Plain words: any text as lower-case words without accents, emoji, punctuation or contractions.

Knows nothing of intents, choices or languages beyond English contractions. Never raises, whatever the text.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Collection

LONGEST = 8_000
"""Characters that are read; what a person means stands at the beginning, and pasted novels must stay cheap."""

MOST_WORDS = 400
"""Words that are read, for the same reason."""

# Python's \w leaves out the vowel signs of Indic, Thai, Arabic and Hebrew scripts and would cut words at each of them.
_SIGNS = "\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u0f71-\u0f84\u102b-\u103e"
_WORD = re.compile(rf"(?:[^\W_]|[{_SIGNS}])+")
_ACCENT = re.compile("[\u0300-\u036f]")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_APOSTROPHE = re.compile("[\u2018\u2019\u02bc\u00b4`\uff07]")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")

# Most texts are ASCII, and read four times as fast without patterns.
_TRIPLES = tuple(letter * 3 for letter in string.ascii_lowercase)
_APART = {code: " " for code in range(128) if not chr(code).isalnum()}


def listed(text: str) -> frozenset[str]:
    """The words of a list, apart from white space."""
    return frozenset(text.split())


_SUFFIXES = (
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bshan't\b"), "shall not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"\b(it|that|what|where|who|when|how|there|here|he|she)'s\b"), r"\1 is"),
    (re.compile(r"'s\b"), ""),
)

_BARE = {
    **{
        f"{verb}nt": [verb, "not"]
        for verb in sorted(listed("do does did have has had is are was were could would should"))
    },
    "cant": ["can", "not"],
    "cannot": ["can", "not"],
    "wont": ["will", "not"],
    "im": ["i", "am"],
    "ive": ["i", "have"],
    "whats": ["what", "is"],
    "wheres": ["where", "is"],
    "hows": ["how", "is"],
    "thats": ["that", "is"],
    "wanna": ["want", "to"],
    "gonna": ["going", "to"],
    "gimme": ["give", "me"],
    "pls": ["please"],
    "plz": ["please"],
    "plss": ["please"],
    "u": ["you"],
    "ur": ["your"],
    "thx": ["thanks"],
}
"""How people write contractions without the apostrophe, and the commonest short forms."""


def fold(text: str) -> str:
    """Lower case without accents, with straight apostrophes and ASCII digits; punctuation stays."""
    cut = text[:LONGEST]
    if not cut.isascii():
        cut = _APOSTROPHE.sub("'", cut)
        cut = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), cut)
        cut = unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFKD", cut)))
    return cut.casefold()


def words(text: str) -> list[str]:
    """The words of a text, in order, at most `MOST_WORDS`: `"I don't!"` gives `["i", "do", "not"]`."""
    folded = fold(text)
    if "'" in folded:
        for pattern, full in _SUFFIXES:
            folded = pattern.sub(full, folded)
    plain = folded.isascii()
    if not plain or any(triple in folded for triple in _TRIPLES):
        folded = _DRAWN_OUT.sub(r"\1", folded)
    found: list[str] = folded.translate(_APART).split() if plain else _WORD.findall(folded)
    if not _BARE.keys().isdisjoint(found):
        found = [full for word in found for full in _BARE.get(word) or (word,)]
    return found[:MOST_WORDS]


def without(spoken: list[str], fillers: Collection[str]) -> list[str]:
    """The words that are not fillers."""
    return [word for word in spoken if word not in fillers]
