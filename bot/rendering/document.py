"""A text as blocks of styled spans: frozen values that know neither CommonMark nor a platform.

The blocks are a flat list, because that is what chat platforms show: lists and quotes are a depth on each block.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from bot.messages import Value

Kind = Literal["paragraph", "heading", "code", "rule"]
Marker = Literal["", "bullet", "number"]


class Span(Value, frozen=True):
    """Some words of one style. A newline in `text` is a line break."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    link: str = ""

    @property
    def styled(self) -> bool:
        """Whether emphasis marks stand around it."""
        return self.bold or self.italic or self.strike


class Block(Value, frozen=True):
    """A paragraph, heading, code block or rule, perhaps inside lists and quotes.

    `depth` counts the lists around it; `marker` is set on the first block of an item only. `tight` says that no blank
    line stood before it.
    """

    kind: Kind = "paragraph"
    spans: tuple[Span, ...] = ()
    level: int = 0
    language: str = ""
    depth: int = 0
    marker: Marker = ""
    number: int = 0
    quote: int = 0
    tight: bool = False

    @property
    def text(self) -> str:
        """The visible words, without the item's marker."""
        return "".join(span.text for span in self.spans)


class Document(Value, frozen=True):
    """A whole text."""

    blocks: tuple[Block, ...] = ()


def merge(spans: list[Span]) -> tuple[Span, ...]:
    """Join neighbours of the same style and drop empty ones."""
    merged: list[Span] = []
    texts: list[list[str]] = []
    for span in spans:
        if not span.text:
            continue
        if merged and same_style(merged[-1], span):
            texts[-1].append(span.text)
        else:
            merged.append(span)
            texts.append([span.text])
    return tuple(
        span if len(words) == 1 else replace(span, text="".join(words))
        for span, words in zip(merged, texts, strict=True)
    )


def same_style(one: Span, other: Span) -> bool:
    """Whether two spans differ in their words only."""
    return (one.bold, one.italic, one.strike, one.code, one.link) == (
        other.bold,
        other.italic,
        other.strike,
        other.code,
        other.link,
    )
