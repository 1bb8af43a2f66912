"""Counts tokens without a download, roughly. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports.models import Line

PICTURE = 1000
"""Tokens that a picture is taken for."""


def count(text: str, model: str = "") -> int:
    """About how many tokens a text has: four bytes each."""
    return -(-len(text.encode("utf-8")) // 4)


def count_lines(lines: Sequence[Line], model: str = "") -> int:
    """The same of what a model reads, with what stands around each line."""
    return sum(
        4
        + count(line.text, model)
        + PICTURE * len(line.pictures)
        + sum(count(call.name + call.arguments, model) + 8 for call in line.calls)
        for line in lines
    )
