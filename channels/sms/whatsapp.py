"""From a reply's CommonMark to WhatsApp's own marks: *bold*, _italic_, ~struck~, `code`. Pure: knows no numbers.

WhatsApp takes marks out of the words themselves, so a word of a person or model could become one. Where one could
begin, a hair space keeps it from that: WhatsApp begins none before a space. Only addresses are left as they are, since
a space would break them.
"""

from __future__ import annotations

import re
from itertools import groupby

from bot import Block, Span, parse
from channels.sms.render import safe

HAIR = "\u200a"
JOINER = "\u2060"
"""Stands in front of what would begin a quote or a list at the start of a line."""

TICK = "\u02cb"
"""Shown for a backtick of the words: two of those are code wherever they stand."""

_OPENS = re.compile(r"(https?://\S+)|(?<![^\W_])([*_~]+)(?=\S)")
_BEGINS = re.compile(r"^(?=[ ]*(?:>|(?:[-*•]|\d+[.)])(?:\s|$)))")
_MARKS = "*_~"


def whatsapp(text: str) -> str:
    """The words with WhatsApp's marks. Links are written out, and mentions are their names."""
    parts: list[str] = []
    for block in parse(text.replace("\0", "")).blocks:
        if parts:
            parts.append("\n" if block.tight else "\n\n")
        parts.append(_block(block))
    return safe("".join(parts))


def _block(block: Block) -> str:
    quote = "> " * block.quote
    marker = {"": "", "bullet": "- ", "number": f"{block.number}. "}[block.marker]
    indent = "  " * (block.depth - 1 if block.marker else block.depth)
    first, rest = quote + indent + marker, quote + indent + " " * len(marker)
    if block.kind == "rule":
        words = "———"  # three hyphens could begin a list
    elif block.kind == "code":
        words = f"```{_ticked(block.text)}```"
    else:
        words = _spans(block)
    lines = words.split("\n")
    if block.kind != "code":
        # What follows a marker of ours does not stand at the start of its line.
        lines = [line if marker and not n else _BEGINS.sub(JOINER, line) for n, line in enumerate(lines)]
    return "\n".join(((rest if n else first) + line).rstrip() for n, line in enumerate(lines))


def _spans(block: Block) -> str:
    """The words of a paragraph. What stands around a span decides whether marks around it would be marks."""
    spans = [_written(span, bold=span.bold or block.kind == "heading") for span in _linked(block.spans)]
    shown = ""
    for number, span in enumerate(spans):
        after = spans[number + 1].text[:1] if number + 1 < len(spans) else ""
        shown += _styled(span, shown[-1:], after)
    return shown


def _linked(spans: tuple[Span, ...]) -> list[Span]:
    """Links as words and where they lead; nobody can be called by name here."""
    found: list[Span] = []
    for link, group in groupby(spans, key=lambda span: span.link):
        inside = list(group)
        words = "".join(span.text for span in inside).strip()
        found += inside
        if link and not link.startswith("mention:") and link not in (words, f"mailto:{words}", f"tel:{words}"):
            found.append(Span(text=f" ({link})"))
    return found


def _written(span: Span, *, bold: bool) -> Span:
    return Span(text=safe_span(span.text), bold=bold, italic=span.italic, strike=span.strike, code=span.code)


def safe_span(text: str) -> str:
    """A piece of words without controls; its own spaces stay."""
    kept = safe(f"({text})")[1:-1]
    return kept if text else ""


def _styled(span: Span, before: str, after: str) -> str:
    """One span with its marks, line by line, since no mark reaches over the end of one."""
    marks = ("*" if span.bold else "") + ("_" if span.italic else "") + ("~" if span.strike else "")
    if not (marks or span.code):
        return literal(span.text, before, after)
    lines = span.text.split("\n")
    shown = []
    for number, line in enumerate(lines):
        left = before if not number else ""
        right = after if number + 1 == len(lines) else ""
        shown.append(_line(span, line, marks, (left, right)))
    return "\n".join(shown)


def _line(span: Span, line: str, marks: str, around: tuple[str, str]) -> str:
    words = line.strip()
    begin, end = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    left, right = begin or around[0], end or around[1]
    free = not (_touches(left) or _touches(right))
    if not words or not free or (not span.code and any(char in words for char in "*_~`")):
        return literal(line, *around)
    if span.code:
        return f"{begin}`{_ticked(words)}`{end}"
    return f"{begin}{marks}{words}{marks[::-1]}{end}"


def _touches(char: str) -> bool:
    """Whether a mark beside this character would be none, or another one."""
    return bool(char) and (char.isalnum() or char in "*_~`" or char == HAIR)


def literal(text: str, before: str = "", after: str = "") -> str:
    """Words that stay words. `before` and `after` are the characters that stand around them."""
    head = before if before.isalnum() else ""
    tail = "" if after.isspace() or not after else "x"

    def parted(found: re.Match[str]) -> str:
        return found[1] or HAIR.join(found[2]) + HAIR

    shown = _OPENS.sub(parted, head + _ticked(text) + tail)
    return shown[len(head) : len(shown) - len(tail)]


def _ticked(text: str) -> str:
    return text.replace("`", TICK)
