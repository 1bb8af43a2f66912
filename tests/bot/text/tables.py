"""Tables of texts for parametrised tests."""

from __future__ import annotations


def each(table: str) -> list[str]:
    """The texts of a table, one per line or between bars."""
    return [text for line in table.splitlines() for text in line.split("|")]
