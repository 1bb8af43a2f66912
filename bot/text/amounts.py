"""Amounts: the one number that an answer states, as an int or a Decimal.

Knows no currency and no unit. Gives nothing rather than a guess, and never raises, whatever the text.
"""

from __future__ import annotations

import re
from decimal import Decimal

from bot.text.numerals import NUMBER_WORDS, UNITS, cardinal
from bot.text.plain import fold, words

_FIGURE = re.compile(r"(?<![\w.,])([-−]?)[$€£¥₹]? ?(\d[\d.,'\u00a0]{0,30}\d|\d)(?![\w])")
_MOST_WORDS = 12
_MOST_DIGITS = 18
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_EUROPEAN = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,\d{1,2}")
_UNSURE = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_DOUBT = frozenset(("not", "no", "or", "between", "neither", "never"))


def decimal_in(text: str) -> Decimal | None:
    """The one number in a short answer: "1,200.50", "€ 3,50", "-2", "twelve"; None when unsure ("2 or 3", "1.200")."""
    spoken = words(text)
    if not spoken or len(spoken) > _MOST_WORDS or _DOUBT & set(spoken):
        return None
    folded = re.sub(r"(\d)\s*(?:rs|usd|eur|gbp|inr|x|pcs)\b", r"\1", fold(text))
    figures = _FIGURE.findall(folded)
    said = _said(spoken)
    if len(figures) + len(said) != 1:
        return None
    if said:
        return Decimal(said[0])
    sign, written = figures[0]
    value = _read(written)
    # A digit that belongs to something else ("A4", "2nd", "#12a") means that this is no plain amount.
    if value is None or len(re.findall(r"\d[\d.,'\u00a0]*", folded)) != 1:
        return None
    return -value if sign else value


def integer_in(text: str) -> int | None:
    """The one whole number in a short answer: "12", "twelve please", "1,200"; None when unsure or not whole."""
    value = decimal_in(text)
    return int(value) if value is not None and value == value.to_integral_value() else None


def _read(written: str) -> Decimal | None:
    """A written figure; a point or comma is read as people write it, and not at all when it could be either."""
    bare = written.replace("'", "").replace("\u00a0", "")
    if len(bare) > _MOST_DIGITS or _UNSURE.fullmatch(bare):
        return None
    if _ENGLISH.fullmatch(bare):
        return Decimal(bare.replace(",", ""))
    if _EUROPEAN.fullmatch(bare):
        return Decimal(bare.replace(".", "").replace(",", "."))
    return Decimal(bare) if re.fullmatch(r"\d+(?:\.\d+)?", bare) else None


def _said(spoken: list[str]) -> list[int]:
    """The numbers said in words; "one" beside other words is rather a pronoun ("the red one")."""
    if spoken in (["a", "dozen"], ["dozen"], ["one", "dozen"]):
        return [12]
    found: list[int] = []
    run: list[str] = []
    for word in [*spoken, ""]:
        if word in NUMBER_WORDS or (word == "and" and run):
            run.append(word)
            continue
        if run:
            value = cardinal(run[:-1] if run[-1] == "and" else run)
            # Several numbers in one run ("one two three") are digits of something, not an amount.
            found += [value] if value is not None else [0, 0]
        run = []
    lone = len(found) == 1 and "one" in spoken and spoken[0] != "one" and spoken[0] not in UNITS
    return [] if lone and found == [1] and len(spoken) > 1 and spoken[0] in ("the", "this", "that", "which") else found
