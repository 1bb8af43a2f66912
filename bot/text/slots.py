"""Slots: the `{number}`, `{email}`, ... of an intent's example, filled from a message.

Knows the built-in kinds by their names; any other name stands for free words. Never raises, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from bot.text.dates import dates_said
from bot.text.findings import amounts_in, emails_in, numbers_in, phones_in
from bot.text.plain import LONGEST, fold

PLACE = re.compile(r"\{(\w{1,40})\}")
"""A slot in an example."""

KINDS: Mapping[str, Callable[[str], list[str]]] = MappingProxyType(
    {"number": numbers_in, "email": emails_in, "phone": phones_in, "date": dates_said, "amount": amounts_in}
)
"""How the built-in kinds of slot are found; `{number2}` is the second number."""

_TOKEN = re.compile(r"[^\s,;.!?\"()]+|[,;.!?\"()]")
_STOP = frozenset(',;.!?"()')
_POLITE = frozenset(("please", "pls", "plz", "thanks", "thank", "now", "asap"))
_MOST = 6
_WINDOW = 2_000


def kind_of(name: str) -> str:
    """The built-in kind that a slot's name asks for ("number2" asks for a number); empty for free words."""
    kind = name.rstrip("0123456789")
    return kind if kind in KINDS else ""


def fill(example: str, text: str) -> dict[str, str]:
    """What the message says for each slot of the example; a slot that it says nothing for is not there.

    A date is filled with its words ("next friday"), a number without "#", free words as they were written.
    """
    filled: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(PLACE.findall(example)):
        kind = kind_of(name)
        if not kind:
            value = _between(example, name, text)
        else:
            if kind not in found:
                found[kind] = KINDS[kind](text[:LONGEST])
            value = found[kind].pop(0) if found[kind] else ""
        if value:
            filled[name] = value
    return filled


def _between(example: str, name: str, text: str) -> str:
    """The message's words that stand where the example has the slot: after the same word, up to the same next one."""
    before, _, after = example.partition(f"{{{name}}}")
    said_before = PLACE.sub(" ", fold(before)).split()
    said_after = PLACE.sub(" ", fold(after)).split()
    tokens = _TOKEN.findall(text[:_WINDOW])
    plain = [fold(token) for token in tokens]
    start = 0
    if said_before:
        places = [place for place, word in enumerate(plain) if word == said_before[-1]]
        if not places:
            return ""
        start = _best(places, plain, said_before) + 1
    taken: list[str] = []
    for token, word in zip(tokens[start:], plain[start:], strict=True):
        if word in _STOP or word in _POLITE or (said_after and word == said_after[0]) or len(taken) == _MOST:
            break
        taken.append(token)
    return " ".join(taken)


def _best(places: list[int], plain: list[str], said_before: list[str]) -> int:
    """Of several places where the word before the slot stands, the one that most of the words before it lead to."""
    wanted = set(said_before)
    return max(
        places, key=lambda place: (len(wanted.intersection(plain[max(0, place - len(said_before)) : place])), -place)
    )
