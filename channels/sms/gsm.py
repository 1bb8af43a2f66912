"""How a text travels as SMS: its alphabet, its segments, and what of it can be said in the cheaper alphabet. Pure."""

from __future__ import annotations

from typing import Literal

from bot import Value

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of 3GPP TS 23.038: a character is one septet."""

EXTENDED = frozenset("\f^{}\\[~]|€")
"""The extension table of the same: an escape and a character, two septets that stay together."""

SINGLE = {"GSM-7": 160, "UCS-2": 70}
"""Septets, or UTF-16 units, of a message that is one segment."""

MANY = {"GSM-7": 153, "UCS-2": 67}
"""The same for each segment of several: a header of six bytes tells which is which."""

_ALIKE = {
    "'": "‘’‚‛′‹›ʼ`´",
    '"': "“”„‟″«»",
    "-": "‐‑‒–—―−",
    "...": "…",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "": "\u200b\u200c\ufeff\u00ad",
    "*": "•",
}
_FOLDING = str.maketrans({char: plain for plain, chars in _ALIKE.items() for char in chars})

Alphabet = Literal["GSM-7", "UCS-2"]


class Size(Value, frozen=True):
    """What a text takes. `units` are septets in GSM-7 and UTF-16 units in UCS-2; `segments` is what is paid for."""

    alphabet: Alphabet
    units: int
    segments: int


def size(text: str) -> Size:
    """Count as Twilio does; an empty text is one segment."""
    alphabet: Alphabet = "GSM-7" if all(char in BASIC or char in EXTENDED for char in text) else "UCS-2"
    weights = [_weight(char, alphabet) for char in text]
    units = sum(weights)
    if units <= SINGLE[alphabet]:
        return Size(alphabet=alphabet, units=units, segments=1)
    segments, room, most = 1, MANY[alphabet], MANY[alphabet]
    for weight in weights:
        if weight > room:  # neither an escape nor half of a character stays behind
            segments, room = segments + 1, most
        room -= weight
    return Size(alphabet=alphabet, units=units, segments=segments)


def fold(text: str) -> str:
    """Write typographic marks plainly, if the whole text then fits the cheaper alphabet; otherwise change nothing."""
    folded = text.translate(_FOLDING)
    return folded if all(char in BASIC or char in EXTENDED for char in folded) else text


def length(text: str) -> int:
    """UTF-16 units: never less than what Twilio's limit of 1,600 characters counts."""
    return len(text) + sum(char > "\uffff" for char in text)


def measure(text: str, segments: int, limit: int) -> int:
    """Characters, or which part of `limit` a text takes when that many segments are all of it; whichever is more."""
    sized = size(text)
    most = SINGLE[sized.alphabet] if segments == 1 else MANY[sized.alphabet] * segments
    part = -(-limit * sized.units // most)
    over = limit + 1 if sized.segments > segments else 0  # an escape that moves on leaves a hole behind
    return max(length(text), part, over)


def _weight(char: str, alphabet: Alphabet) -> int:
    if alphabet == "GSM-7":
        return 2 if char in EXTENDED else 1
    return 2 if char > "\uffff" else 1
