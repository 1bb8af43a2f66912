"""How many tokens a text is, roughly, without a tokenizer: nothing is downloaded.

The weights are fitted to o200k's counts of 20 languages, Markdown, Python and JSON: over some pages of each of them the
sum was 0.87 to 1.12 of the true one. Older tokenizers need up to twice as many for some scripts. What a provider says
afterwards is the truth. (`tests/bot/llm/test_tokens.py` holds it against counts of a real tokenizer.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from bot.ports.models import Line, ToolSpec

_PIECE = re.compile(r"([A-Za-z]+)|([^\W\d_]+)|(\d+)|(\n+)|([^\w\s]+|_+)")

_WORD, _LONGER = 0.92, 0.24
"""Of a word in plain Latin letters, and of each letter behind its sixth."""

_MARKED_WORD, _MARKED_LETTER = 1.31, 0.13
"""Of a word with accents, which splits more, and of each of its letters."""

_THREE_DIGITS, _BREAK, _MARKS, _MORE_MARKS = 1.65, 2.04, 0.75, 0.88

_LETTERS = (
    (0x0370, 0x0400, 0.37),  # Greek
    (0x0400, 0x0530, 0.29),  # Cyrillic
    (0x0590, 0x0600, 0.41),  # Hebrew
    (0x0600, 0x0780, 0.36),  # Arabic
    (0x0900, 0x0E00, 0.14),  # the scripts of India, whose vowel signs count as marks
    (0x0E00, 0x0E80, 0.25),  # Thai
    (0x3040, 0x3100, 0.60),  # kana
    (0x3400, 0xA000, 0.69),  # Chinese characters
    (0xAC00, 0xD7B0, 0.58),  # hangul
)
_OTHER_LETTER = 2.0

_FAMILIES = (("qwen", 1.12), ("llama", 1.12), ("mistral", 1.15), ("gpt-4-", 1.12), ("gpt-3", 1.12))
"""How many more tokens than o200k the tokenizers of other families need for European languages."""

PICTURE = 800
"""Tokens of a picture: about what providers charge for a middling one."""

HEARD = 32
"""Tokens of a second of a recording: what the dearest provider counts."""

_FRAME = 4
"""Tokens around each line: its role and delimiters."""


def count(text: str, model: str = "") -> int:
    """Tokens of a text for a model; an empty text has none."""
    return math.ceil(sum(_weight(match) for match in _PIECE.finditer(text)) * _factor(model))


def count_lines(lines: Sequence[Line], model: str = "") -> int:
    """Tokens of a conversation as a model reads it, calls, pictures and recordings included."""
    total = 0
    for line in lines:
        total += _FRAME + count(line.text, model) + PICTURE * len(line.pictures)
        total += math.ceil(HEARD * sum(audio.seconds for audio in line.audio))
        total += sum(_FRAME + count(call.name, model) + count(call.arguments, model) for call in line.calls)
    return total


def count_tools(tools: Sequence[ToolSpec], model: str = "") -> int:
    """Tokens of what a model is told about tools."""
    return sum(
        _FRAME + count(tool.name, model) + count(tool.description, model) + count(str(tool.parameters), model)
        for tool in tools
    )


def _factor(model: str) -> float:
    name = model.lower()
    return next((factor for family, factor in _FAMILIES if family in name), 1.0)


def _weight(match: re.Match[str]) -> float:
    plain, letters, digits, breaks, marks = match.groups()
    if plain:
        return _WORD + _LONGER * max(0, len(plain) - 6)
    if letters:
        return _letters(letters)
    if digits:
        return _THREE_DIGITS * math.ceil(len(digits) / 3)
    if breaks:
        return _BREAK
    return _MARKS + _MORE_MARKS * max(0, len(marks) - 2)


def _letters(word: str) -> float:
    latin = sum(1 for letter in word if ord(letter) < _LETTERS[0][0])
    others = sum(_letter(ord(letter)) for letter in word if ord(letter) >= _LETTERS[0][0])
    return others + (_MARKED_LETTER * latin + (_MARKED_WORD if latin == len(word) else 0))


def _letter(code: int) -> float:
    return next((weight for first, end, weight in _LETTERS if first <= code < end), _OTHER_LETTER)
