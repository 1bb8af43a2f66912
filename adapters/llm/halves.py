"""Joins characters that a server sent in two halves, and replaces halves that stay alone: nothing could store these.

An emoji beyond the first 65,536 characters is a pair of surrogates in JSON, and some servers cut between the two.
"""

from __future__ import annotations

LOST = "\ufffd"


class Halves:
    """One text, as it comes."""

    def __init__(self) -> None:
        self._first = ""

    def add(self, text: str) -> str:
        """What is whole of it; a first half at its end waits for the next piece."""
        text = self._first + text
        self._first = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return joined(text[: len(text) - len(self._first)])

    def end(self) -> str:
        """Nothing more comes: what stands for a half that waited."""
        first, self._first = self._first, ""
        return LOST if first else ""


def joined(text: str) -> str:
    """The text with its pairs joined, and U+FFFD in place of every half that stands alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
