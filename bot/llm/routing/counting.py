"""Remembers how many tokens lines have: instructions and history are read again with every turn. Knows no model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from bot.llm.tokens import count_lines
from bot.ports.models import Line

KEPT = 2000
"""Lines; the longest unused goes first."""


class Counts:
    """Counts each line once, for as long as it is remembered."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Line, int] = OrderedDict()

    def of(self, lines: Sequence[Line]) -> int:
        """Tokens of all of them."""
        return sum(self._one(line) for line in lines)

    def _one(self, line: Line) -> int:
        if line.pictures or line.audio:
            return count_lines((line,))  # they may be megabytes, and hardly ever come again
        found = self._kept.get(line)
        if found is None:
            found = self._kept[line] = count_lines((line,))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(line)
        return found
