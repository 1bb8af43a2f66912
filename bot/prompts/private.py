"""Keeps a model's reasoning private: takes it out of an answer, whole or as it comes. Knows no model.

A model that was asked to (`reasoning: true`) thinks between `<thinking>` and `</thinking>`; some think between marks of
their own without being asked. A mark may be cut in two by the stream, may be written in capitals, may never be closed:
then nothing behind it is shown. One that is closed and was never opened (templates of some models open it themselves)
takes back what was shown before it.
"""

from __future__ import annotations

import re

from bot.context.fences import TAG
from bot.ports.llm import Chunk

ASK_FOR_IT = (
    "Think first, between <thinking> and </thinking>: nobody sees what stands there. Then write the answer, with "
    "nothing of your thinking in it."
)

_NAMES = ("thinking", "think", "thought", "reasoning", "reflection", "scratchpad")
_MARK = re.compile(rf"<\s*+(/?)\s*+({'|'.join(_NAMES)}|{TAG})\b[^<>]*+>", re.IGNORECASE)
_LONGEST = 200  # characters that a mark may have; a "<" without a ">" within so many is just a sign


class Private:
    """One answer on its way. `feed` gives what may be shown; `end` what is left."""

    def __init__(self) -> None:
        self._held = ""
        self._thinks = False
        self._shown = ""
        self.thought = ""

    @property
    def text(self) -> str:
        """What was shown so far."""
        return self._shown

    def feed(self, text: str) -> Chunk:
        """What may be shown of the next piece; with `anew`, instead of all that was shown before."""
        self._held += text
        out, anew = "", False
        while self._held:
            mark = _MARK.search(self._held)
            if mark is None:
                ready = self._ready()
                out += self._pass(self._held[:ready])
                self._held = self._held[ready:]
                break
            out += self._pass(self._held[: mark.start()])
            self._held = self._held[mark.end() :]
            if mark[2].lower() == TAG:
                continue  # a mark of provenance that the model repeated; the words in it are its own by now
            if not mark[1] or self._thinks:
                # Marks do not nest: a model that writes "<think about it>" while it thinks means nothing by it.
                self._thinks = not mark[1]
            else:
                self.thought += self._shown + out
                self._shown, out, anew = "", "", True
        return self._told(out, anew)

    def end(self) -> Chunk:
        """Nothing more comes."""
        held, self._held = self._held, ""
        # A mark that was begun and never ended is no answer either.
        return self._told(self._pass("" if _begun(held) else held).rstrip(), False)

    def _ready(self) -> int:
        """How much of what is held can be no mark."""
        place = self._held.rfind("<")
        if place < 0 or len(self._held) - place > _LONGEST or not _begun(self._held[place:]):
            return len(self._held)
        return place

    def _pass(self, text: str) -> str:
        if self._thinks:
            self.thought += text
            return ""
        return text

    def _told(self, out: str, anew: bool) -> Chunk:
        if not self._shown:
            out = out.lstrip()  # the line break between the thinking and the answer
        self._shown += out
        return Chunk(text=out, anew=anew)


def visible(text: str) -> str:
    """What may be shown of a whole answer."""
    private = Private()
    private.feed(text)
    private.end()
    return private.text.strip()


def _begun(text: str) -> bool:
    """Whether a text could go on to be a mark."""
    found = re.match(r"<\s*/?\s*(\w*)", text)
    if found is None:
        return False
    word = found[1].lower()
    open_ended = found.end() == len(text)
    known = any(name.startswith(word) if open_ended else name == word for name in (*_NAMES, TAG))
    return known and ">" not in text
