"""Where a text may be cut without tearing apart what a reader sees as one character. Knows characters only."""

from __future__ import annotations

import unicodedata

_ZWJ = "\u200d"
_MAX_CLUSTER = 64


def cut_before(text: str, position: int) -> int:
    """The nearest place at or before `position` that tears nothing; `position` itself inside a very long cluster."""
    lowest = max(0, position - _MAX_CLUSTER)
    for place in range(position, lowest, -1):
        if place >= len(text) or _boundary(text, place):
            return place
    return 0 if lowest == 0 else position


def _boundary(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if before == "\r" and after == "\n":
        return False
    if after < "\u0300":
        return True
    if _ZWJ in (before, after) or _extends(after):
        return False
    if _is_flag_half(after):
        return _flags_before(text, place) % 2 == 0
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False
    return not _same_syllable(before, after)


def _extends(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= char <= "\U0001f3ff" or _is_tag(char)


def _is_tag(char: str) -> bool:
    return "\U000e0020" <= char <= "\U000e007f"


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flags_before(text: str, place: int) -> int:
    count = 0
    while count < place and count < _MAX_CLUSTER and _is_flag_half(text[place - 1 - count]):
        count += 1
    return count


def _same_syllable(before: str, after: str) -> bool:
    """Hangul that is written as separate letters: lead, vowel, tail."""
    lead = "\u1100" <= before <= "\u115f"
    vowel = "\u1160" <= before <= "\u11a7"
    tail = "\u11a8" <= before <= "\u11ff"
    whole = "\uac00" <= before <= "\ud7a3"
    if "\u1100" <= after <= "\u115f" or "\uac00" <= after <= "\ud7a3":
        return lead
    if "\u1160" <= after <= "\u11a7":
        return lead or vowel or (whole and (ord(before) - 0xAC00) % 28 == 0)
    return "\u11a8" <= after <= "\u11ff" and (vowel or tail or whole)
