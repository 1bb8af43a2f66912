"""What the bot and the process that aligns recordings say to each other, as msgpack. Knows no engine."""

from __future__ import annotations

import msgspec


class Task(msgspec.Struct, frozen=True):
    """A recording, and the texts that may have been read, as words."""

    audio: bytes
    texts: tuple[tuple[str, ...], ...]


class Phone(msgspec.Struct, frozen=True):
    """A sound: its first frame, how many, and its goodness."""

    name: str
    start: int
    frames: int
    goodness: float


class Spoken(msgspec.Struct, frozen=True):
    """A word and its sounds."""

    word: str
    phones: tuple[Phone, ...]


class Heard(msgspec.Struct, frozen=True):
    """The text that fits best, by its place; or a problem: `unreadable`, `too_long`, `unaligned`, `missing`.

    `unknown` are the words that are in no dictionary, as (text, word).
    """

    text: int = 0
    seconds: float = 0.0
    words: tuple[Spoken, ...] = ()
    unknown: tuple[tuple[int, int], ...] = ()
    problem: str = ""
    detail: str = ""
