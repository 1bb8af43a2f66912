"""Which of a reply's files are shown together, as one album. Pure.

Telegram puts 2 to 10 files into one: pictures with films, documents with documents, music with music. Voice notes and
animations stand alone, and no album has room for buttons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from bot import Media

MOST = 10

_TOGETHER = {"photo": "seen", "video": "seen", "document": "document", "audio": "audio"}


def sets(files: Sequence[Media], kind_of: Callable[[Media], str]) -> list[tuple[Media, ...]]:
    """The files in their order; those of one set are shown together."""
    found: list[tuple[Media, ...]] = []
    for family, group in groupby(files, key=lambda media: _TOGETHER.get(kind_of(media), "")):
        some, size = tuple(group), MOST if family else 1
        found += [some[at : at + size] for at in range(0, len(some), size)]
    return found
