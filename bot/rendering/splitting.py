"""Cuts a long text into parts that each fit a limit, as a platform measures them. Knows no platform."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from msgspec.structs import replace

from bot.rendering.document import Block, Document, Span
from bot.rendering.graphemes import cut_before
from bot.rendering.parsing import parse
from bot.rendering.plain import says_itself
from bot.rendering.writing import markdown

Measure = Callable[[str], int]

_SENTENCE = re.compile(r"[.!?…؟।][\"')\]»”’]*(?=\s)|[。！？](?=\S)|\n")
_WORD = re.compile(r"\s+")
_FULL_ENOUGH = 3  # a paragraph or sentence is a good place to cut if the part is at least a third full
_CLOSE = 0.97  # of the limit: looking for the last few characters costs more than it gives
_TRIES = 40


def split(text: str | Document, limit: int, measure: Measure) -> list[str]:
    """Split CommonMark into parts that each measure at most `limit`; 0 means no limit.

    Cuts between paragraphs, else sentences, else words; code fences and styles go on in the next part, and links stay
    whole. A word that is longer than the limit is cut between characters, and a link that can't fit is written out
    first. Only a single character that measures more than the limit goes over it.
    """
    source = text if isinstance(text, str) else markdown(text)
    if not source.strip():
        return []
    if limit <= 0 or measure(source) <= limit:
        return [source]
    document = parse(text) if isinstance(text, str) else text
    splitter = _Splitter(document.blocks, limit, measure)
    parts = []
    while (part := splitter.next_part()) is not None:
        parts.append(part)
    return parts


class _Splitter:
    """Moves through the visible characters; each block takes its length and one place more for its end."""

    def __init__(self, blocks: tuple[Block, ...], limit: int, measure: Measure) -> None:
        self._limit = limit
        self._measure = measure
        self._density = 1.0  # characters per unit of the measure, as seen in the last part
        self._at = 0
        self._load(list(blocks))

    def _load(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        self._texts = [block.text for block in blocks]
        self._starts = list(accumulate((len(text) + 1 for text in self._texts), initial=0))
        self._spans = [list(accumulate((len(span.text) for span in block.spans), initial=0)) for block in blocks]

    def next_part(self) -> str | None:
        """The next part, or None at the end."""
        self._skip_space()
        if self._at >= self._starts[-1]:
            return None
        reach = self._reach()
        end = self._good_place(reach)
        part = self._write(end)
        while self._measure(part) > self._limit and end > self._at + 1:  # a measure need not grow evenly
            reach = max(self._at + 1, min(end, reach) - max(1, (reach - self._at) // 20))
            end = self._good_place(reach)
            part = self._write(end)
        if self._measure(part) > self._limit:
            return self._last_resort(part)
        self._at = end
        return part

    def _last_resort(self, part: str) -> str | None:
        """Not even one character fits with what is around it: take that away, and only then go over the limit."""
        index, offset = self._find(self._at)
        block = self._blocks[index]
        bare = _bare(block, offset)
        if bare == block:
            self._at += 1
            return part
        self._load([*self._blocks[:index], bare, *self._blocks[index + 1 :]])
        self._at = self._starts[index] + (offset if bare.text.startswith(self._texts[index][:offset]) else 0)
        return self.next_part()

    def _find(self, place: int) -> tuple[int, int]:
        index = bisect_right(self._starts, place) - 1
        return index, place - self._starts[index]

    def _skip_space(self) -> None:
        while self._at < self._starts[-1]:
            index, offset = self._find(self._at)
            block, text = self._blocks[index], self._texts[index]
            if offset == 0 and (block.marker or block.kind in ("rule", "code")):
                return
            space = _WORD.match(text, offset) if block.kind != "code" else re.compile("\n").match(text, offset)
            offset = space.end() if space else offset
            self._at = self._starts[index] + offset
            if offset < len(text):
                return
            self._at += 1

    def _write(self, end: int) -> str:
        return markdown(Document(blocks=tuple(self._slice(end))))

    def _slice(self, end: int) -> list[Block]:
        index, offset = self._find(self._at)
        blocks = []
        while index < len(self._blocks) and self._starts[index] < end:
            stop = min(end - self._starts[index], len(self._texts[index]))
            blocks.append(_cut(self._blocks[index], self._spans[index], offset, stop))
            index, offset = index + 1, 0
        return blocks

    def _reach(self) -> int:
        """How far a part from here may go, nearly; at least one character."""
        fits, fails = self._at, self._starts[-1] + 1
        guess = self._at + max(1, int(self._limit * self._density))
        for _ in range(_TRIES):
            guess = max(fits + 1, min(guess, fails - 1))
            size = self._measure(self._write(guess))
            if size <= self._limit:
                fits = guess
                if guess >= self._starts[-1] or fits + 1 >= fails or size >= self._limit * _CLOSE:
                    break
            else:
                fails = guess
                if fits + 1 >= fails:
                    break
            density = (guess - self._at) / max(1, size)
            guess = self._at + int(self._limit * density)
            if not fits < guess < fails:
                guess = (fits + fails) // 2 if fails <= self._starts[-1] else fits + 2 * (fits - self._at + 1)
        if fits > self._at:
            self._density = (fits - self._at) / self._limit
        return max(fits, self._at + 1)

    def _good_place(self, reach: int) -> int:
        """The best place to cut at or before `reach`."""
        if reach >= self._starts[-1]:
            return self._starts[-1]
        enough = self._at + (reach - self._at) // _FULL_ENOUGH
        paragraph = self._paragraph_end(reach)
        if paragraph > enough:
            return paragraph
        index, offset = self._find(reach)
        base, text = self._starts[index], self._texts[index]
        first = max(0, self._at - base)
        links = _link_ranges(self._blocks[index], self._spans[index], first, offset)
        sentence = _last(_SENTENCE, text, first, offset, links)
        if base + sentence > enough and sentence > first:
            return base + sentence
        word = offset if offset >= len(text) else _last(_WORD, text, first, offset, links)
        if word > first:
            return base + word
        if paragraph > self._at:
            return paragraph
        start = _link_start(links, offset)
        if first < start < offset:
            return base + start  # glued to the word before it, as in "(link"
        return base + max(cut_before(text, offset) if first < cut_before(text, offset) else offset, first + 1)

    def _paragraph_end(self, reach: int) -> int:
        """The last end of a block at or before `reach`, but not right behind a heading; `_at` if there is none."""
        index, _ = self._find(reach)
        while index > 0 and self._starts[index] > self._at and self._blocks[index - 1].kind == "heading":
            index -= 1
        if self._starts[index] <= self._at:
            index, _ = self._find(reach)
        return max(self._starts[index], self._at)


def _cut(block: Block, starts: list[int], start: int, stop: int) -> Block:
    if start == 0 and stop == starts[-1]:
        return block
    spans = []
    for n in range(max(0, bisect_right(starts, start) - 1), len(block.spans)):
        if starts[n] >= stop:
            break
        span = block.spans[n]
        spans.append(replace(span, text=span.text[max(0, start - starts[n]) : stop - starts[n]]))
    if start:
        return replace(block, spans=tuple(spans), marker="", number=0)
    return replace(block, spans=tuple(spans))


def _bare(block: Block, offset: int) -> Block:
    """The block without what makes its next character big: first the link there, written out; then everything."""
    place = 0
    for n, span in enumerate(block.spans):
        place += len(span.text)
        if place > offset:
            if not span.link:
                break
            words = span.text if says_itself(span.text, span.link) else f"{span.text} ({span.link})"
            return replace(block, spans=(*block.spans[:n], Span(text=words), *block.spans[n + 1 :]))
    number = f"{block.number}. " if block.marker == "number" and offset == 0 else ""
    return Block(kind="paragraph", spans=(Span(text=number + block.text),))


def _link_ranges(block: Block, starts: list[int], first: int, stop: int) -> list[tuple[int, int]]:
    """Where the links are that touch first..stop."""
    ranges: list[tuple[int, int]] = []
    before = ""
    for n in range(max(0, bisect_right(starts, first) - 1), len(block.spans)):
        if starts[n] > stop:
            break
        link = block.spans[n].link
        if link and link == before:
            ranges[-1] = (ranges[-1][0], starts[n + 1])
        elif link:
            ranges.append((starts[n], starts[n + 1]))
        before = link
    return ranges


def _link_start(links: list[tuple[int, int]], place: int) -> int:
    return next((first for first, end in links if first < place < end), place)


def _last(pattern: re.Pattern[str], text: str, first: int, stop: int, links: list[tuple[int, int]]) -> int:
    """The end of the last match that is in no link and not behind `stop`; `first` if there is none."""
    best = first
    for found in pattern.finditer(text, first, min(len(text), stop + 1)):
        end = min(found.end(), len(text))
        place = found.start() if found[0].isspace() else end
        if first < place <= stop and _link_start(links, place) == place:
            best = place
    return best
