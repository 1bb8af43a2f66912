"""Text that PostgreSQL can hold. Knows no tables.

Its `text` takes neither U+0000 nor lone surrogates; payloads are bytes and keep the former.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.store.codec import clean_id, clean_text


def plain(text: str) -> str:
    """The same text with U+FFFD in place of what can't be stored."""
    if not text.isascii():
        text = clean_text(text)
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def plain_id(text: str) -> str:
    """An id that can be stored; different ids stay different."""
    if not text.isascii():
        text = clean_id(text)
    return text.replace("\x00", "\\x00") if "\x00" in text else text


def plain_all(texts: Iterable[str]) -> list[str]:
    """Each of them."""
    return [plain(text) for text in texts]
