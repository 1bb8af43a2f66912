"""The text that the person sees, made of what one or several attempts said, with nothing said twice. Knows no model."""

from __future__ import annotations

from bot.ports.llm import Chunk
from bot.ports.models import Line

WORTH_KEEPING = 60
"""Below so many characters an answer that broke off is asked for anew; above, another model goes on with it."""

LOOK = 40
"""So many characters of a continuation are held back, to see whether it goes on or begins again."""

OVERLAP = 8
"""So many equal characters at the joint are a repetition and no accident."""

GO_ON = "Your answer broke off there. Go on exactly where it stopped; repeat nothing and do not mention the break."


class Weave:
    """`shown` is what the person has seen so far."""

    def __init__(self) -> None:
        self.shown = ""
        self._prefix = ""
        self._text = ""
        self._joined = True

    @property
    def prefix(self) -> str:
        """What another model can go on from: all whole words, or nothing where too little is shown."""
        end = max(self.shown.rfind(space) for space in " \n")
        return self.shown[: end + 1] if end + 1 >= WORTH_KEEPING else ""

    def begin(self, prefix: str = "") -> None:
        """Another attempt speaks now; it goes on from `prefix`, or begins from the beginning."""
        self._prefix, self._text = prefix, ""
        self._joined = not self.shown and not prefix

    def add(self, words: str) -> Chunk | None:
        """What to show for these words, if anything."""
        if self._joined:
            self.shown += words
            return Chunk(text=words)
        self._text += words
        return self._join() if len(self._text) >= LOOK else None

    def end(self) -> Chunk | None:
        """The attempt has said everything: what there is still to show."""
        if self._joined:
            return None
        chunk = self._join()
        if not self._joined:  # all that it said, the person had seen, and more: what was said last is the answer
            self._joined, self.shown = True, self._whole()
            return Chunk(text=self.shown, anew=True)
        return chunk

    def _join(self) -> Chunk | None:
        whole = self._whole()
        if self.shown.startswith(whole) and self.shown != whole:
            return None
        seen, self.shown, self._joined = self.shown, whole, True
        if whole.startswith(seen):
            return Chunk(text=whole[len(seen) :]) if whole != seen else None
        return Chunk(text=whole, anew=True)

    def _whole(self) -> str:
        """The text from its beginning, without what a continuation says twice."""
        if not self._prefix:
            return self._text
        text = self._text.lstrip()
        head = min(len(text), LOOK // 2)
        if head >= OVERLAP and self._prefix.lstrip().startswith(text[:head]):
            return text  # it began again
        for size in range(min(len(self._prefix), len(text)), OVERLAP - 1, -1):
            if self._prefix.rstrip()[-size:] == text[:size]:
                return self._prefix.rstrip() + text[size:]
        return self._prefix + text


def going_on(lines: tuple[Line, ...], prefix: str) -> tuple[Line, ...]:
    """What the next model reads, to go on from `prefix`."""
    if not prefix:
        return lines
    return (*lines, Line(role="assistant", text=prefix.rstrip()), Line(role="user", text=GO_ON))
