"""Makes what a model reads shorter: the oldest lines go first. Knows no model and no meaning."""

from __future__ import annotations

from collections.abc import Sequence

from bot.llm.tokens import count_lines
from bot.ports.models import Line


def shorter(lines: Sequence[Line], tokens: int, model: str = "") -> tuple[Line, ...]:
    """The lines within about `tokens`: instructions and the newest lines stay, and calls keep their results.

    What stays when nothing more can go may still be longer: the instructions and the last exchange.
    """
    kept = [line for line in lines if line.role == "system"]
    groups = _groups([line for line in lines if line.role != "system"])
    left = tokens - count_lines(kept, model)
    newest: list[Line] = []
    for group in reversed(groups):
        size = count_lines(group, model)
        if newest and size > left:
            break
        newest = [*group, *newest]
        left -= size
    return (*kept, *newest)


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    """A line with calls and the results of these calls are one group: half of it means nothing to a model."""
    groups: list[list[Line]] = []
    for line in lines:
        if line.role == "tool" and groups:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups
