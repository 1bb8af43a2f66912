"""A Document as plain lines, for text messages and terminals: no marks, links written out."""

from __future__ import annotations

from itertools import groupby

from bot.rendering.document import Block, Document, Span


def plain(document: Document) -> str:
    """The text as plain lines: emphasis dropped, links as "words (url)", lists with "- " or "1. "."""
    parts: list[str] = []
    for block in document.blocks:
        if parts:
            parts.append("\n" if block.tight else "\n\n")
        parts.append(_lines(block))
    return "".join(parts)


def _lines(block: Block) -> str:
    words = "---" if block.kind == "rule" else _words(block.spans)
    quote = "> " * block.quote
    marker = {"": "", "bullet": "- ", "number": f"{block.number}. "}[block.marker]
    indent = "  " * (block.depth - 1 if block.marker else block.depth)
    first = quote + indent + marker
    rest = quote + indent + " " * len(marker)
    lines = words.split("\n")
    return "\n".join(((rest if n else first) + line).rstrip() for n, line in enumerate(lines))


def _words(spans: tuple[Span, ...]) -> str:
    parts = []
    for link, group in groupby(spans, key=lambda span: span.link):
        words = "".join(span.text for span in group)
        parts.append(words if not link or says_itself(words, link) else f"{words} ({link})")
    return "".join(parts)


def says_itself(words: str, link: str) -> bool:
    """Whether a link's words already show where it leads."""
    words = words.strip()
    return link in (words, f"mailto:{words}", f"tel:{words}") or link.rstrip("/") == words
