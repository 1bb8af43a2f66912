"""How many tokens a text or a line is, roughly and on the safe side. Whoever has a real count passes it instead."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from bot.ports.models import Line

Count = Callable[[str], int]
"""How many tokens a text is."""

AROUND = 4
"""Tokens that a line costs beside its words: its role, and where it begins and ends."""

PICTURE = 800
"""Tokens of a picture: what the vendors count for one of ordinary size, or less."""

HEARD = 32
"""Tokens of a second of a recording."""

_RUN = re.compile(r"[A-Za-z]+|\s+|.", re.DOTALL)


def rough(text: str) -> int:
    """An estimate that is rather too high: a token for each 4 letters of a word, each digit pair, each other sign."""
    halves = 0
    for run in _RUN.findall(text):
        if run[0].isascii() and run.isalpha():
            halves += 2 * -(-len(run) // 5)
        elif run.isspace():
            halves += 0 if run == " " else 2
        else:
            halves += 1 if run.isdigit() else 2
    return -(-halves // 2)


def of_line(line: Line, count: Count) -> int:
    """What a line costs."""
    calls = sum(AROUND + count(call.name) + count(call.arguments) for call in line.calls)
    heard = math.ceil(HEARD * sum(audio.seconds for audio in line.audio))
    return AROUND + count(line.text) + calls + PICTURE * len(line.pictures) + heard


def of_lines(lines: Iterable[Line], count: Count) -> int:
    """What lines cost together."""
    return sum(of_line(line, count) for line in lines)


def cut(text: str, room: int, count: Count) -> str:
    """As much of the text as fits: its beginning and its end, since people put what they want at either."""
    if room <= 0:
        return ""
    if count(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count(_ends(text, middle)) <= room:
            low = middle
        else:
            high = middle - 1
    while low and count(_ends(text, low)) > room:  # a count need not grow with the text's length, step by step
        low -= 1
    return _ends(text, low) if low else ""


def _ends(text: str, length: int) -> str:
    if length >= len(text):
        return text
    head = (length * 2 + 2) // 3
    tail = length - head
    return text[:head] + " ... " + (text[-tail:] if tail else "")
