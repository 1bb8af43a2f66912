"""Which kept question means the same as one that is asked: by vectors, and by the words that turn a question round."""

from __future__ import annotations

import asyncio
import contextlib
import operator
import re
from array import array
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from bot.errors import NoAnswer
from bot.llm.cache.shelf import NAMES, NOTES, Shelf
from bot.messages import Value
from bot.ports.llm import Payer

Embed = Callable[[Sequence[str], Payer], Awaitable[list[list[float]]]]
"""A vector of unit length for each text: `Llm.embed`."""

PATIENCE = 1.0
"""Seconds that the vector of a question may take: an answer never waits longer for one that might be kept."""

_RECENT = 32
"""Vectors that are remembered, since a question is looked up first and kept after its answer came."""

# Words that turn a question round, and everything with a digit: two questions that differ in one are not the same.
# A word with a digit is looked for only where a word begins: else a long one costs the square of its length.
_TELLING = re.compile(
    r"(?<!\S)[^\s\d]*+\d\S*|\b(?:not?|never|without|except|cannot|\w+n['’]t"
    r"|nicht|nichts|nie|niemals|ohne|kein(?:e[mnrs]?)?|außer|ne|pas|jamais|sans|aucune?|sauf|nunca|jamás|sin|ningun[ao]|ningún"
    r"|não|sem|nenhuma?|mai|senza|nessun[ao]?|niet|geen|nooit|zonder|bez|nigdy|inte|ikke|aldrig|uten|utan"
    r"|değil|hayır|не|нет|без|никогда|ні|ніколи)\b",
    re.IGNORECASE,
)


class _Note(Value, frozen=True):
    """A question whose answer lies on the shelf: its vector as 32-bit floats, and its telling words."""

    key: str
    vector: bytes
    telling: tuple[str, ...]


class _Row:
    """The notes of one topic that this process has read."""

    def __init__(self) -> None:
        self.read = ""
        self.notes: deque[tuple[_Note, array[float]]] = deque(maxlen=NOTES)


class Meanings:
    """The index. A topic is all that must be equal; what is compared is the question."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._rows: OrderedDict[str, _Row] = OrderedDict()
        self._recent: OrderedDict[str, array[float]] = OrderedDict()
        self.embed: Embed | None = None

    async def nearest(self, topic: str, question: str, payer: Payer, needed: float) -> str:
        """The key of the kept question that is nearest, if it is as near as needed; "" for none."""
        words = telling(question)
        rivals = [(note, vector) for note, vector in await self._known(topic) if note.telling == words]
        vector = await self._vector(question, payer) if rivals else None
        if vector is None:
            return ""
        likeness, key = max((_likeness(other, vector), note.key) for note, other in rivals)
        return key if likeness >= needed else ""

    async def add(self, topic: str, question: str, payer: Payer, key: str, seconds: float) -> None:
        """Remember that the answer to this question lies under a key."""
        vector = await self._vector(question, payer)
        if vector is not None:
            note = _Note(key=key, vector=vector.tobytes(), telling=telling(question))
            await self._shelf.note(topic, msgspec.msgpack.encode(note), seconds)

    async def _known(self, topic: str) -> deque[tuple[_Note, array[float]]]:
        """The notes of a topic, with what other processes added."""
        row = self._rows.setdefault(topic, _Row())
        self._rows.move_to_end(topic)
        if len(self._rows) > NAMES:
            self._rows.popitem(last=False)
        for mark, data in await self._shelf.notes(topic, row.read):
            row.read = mark
            with contextlib.suppress(msgspec.DecodeError, ValueError):  # of another version of the bot
                note = msgspec.msgpack.decode(data, type=_Note)
                row.notes.append((note, array("f", note.vector)))
        return row.notes

    async def _vector(self, question: str, payer: Payer) -> array[float] | None:
        """The vector of a question, or None when none can be had."""
        found = self._recent.get(question)
        if found is None and self.embed is not None:
            try:
                async with asyncio.timeout(PATIENCE):
                    found = array("f", (await self.embed([question], payer))[0])
            except (NoAnswer, TimeoutError):
                return None
            self._recent[question] = found
            if len(self._recent) > _RECENT:
                self._recent.popitem(last=False)
        return found


def telling(question: str) -> tuple[str, ...]:
    """The words of a question that must be the same in another one for it to mean the same."""
    return tuple(sorted(word.strip(".,;:!?()").lower() for word in _TELLING.findall(question)))


def _likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """Of vectors from two models there is none."""
    return sum(map(operator.mul, one, other)) if len(one) == len(other) else 0.0
