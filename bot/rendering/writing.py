"""A Document back to CommonMark that parses to the same words. Knows nothing of sizes and platforms."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby

from markdown_it.common.normalize_url import validateLink
from msgspec.structs import replace

from bot.rendering.document import Block, Document, Span, merge
from bot.rendering.parsing import parse

_INLINE = re.compile(r"[\\`*_\[\]~]|&(?=[#\w])|<(?!\s)|!\Z")
_LINE_START = re.compile(r"^(?:[-+=>#]|\d{1,9}(?=[.)]))")
_AUTOLINK = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^<>\x00-\x20\x7f]*")
_LANGUAGE = re.compile(r"[\w+#.-]+")
_URL_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
_URL_SPECIAL = re.compile(r"[\\()&]")
_TICKS = re.compile(r"`+")
_MAX_NUMBER = 999_999_999

_Test = Callable[[Span], bool]


def markdown(document: Document) -> str:
    """Write CommonMark. Styles that CommonMark can't express where they stand are dropped; words never are."""
    writer = _Writer()
    for block in document.blocks:
        writer.write(block)
    return "".join(writer.parts)


class _Writer:
    """Places blocks below each other and keeps the indents of the open list items."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._items: list[tuple[int, int]] = []  # (depth, width of the indent) of the open items
        self._numbers: dict[int, tuple[int, str]] = {}  # indent -> last number and its delimiter
        self._last = Block(kind="rule")

    def write(self, block: Block) -> None:
        """Add the next block."""
        if "\r" in block.text:
            block = replace(block, spans=tuple(replace(span, text=_one_newline(span.text)) for span in block.spans))
        lines = _block_lines(block)
        if not lines and not block.marker:
            return
        if block.marker and not block.depth:
            block = replace(block, depth=1)
        if block.quote != self._last.quote:
            self._items.clear()
            self._numbers.clear()
        while self._items and (self._items[-1][0] >= block.depth if block.marker else self._items[-1][0] > block.depth):
            self._items.pop()
        indent = self._items[-1][1] if self._items else 0
        closed = indent + 1 if block.marker else indent
        self._numbers = {place: last for place, last in self._numbers.items() if place < closed}
        marker = self._marker(block, indent)
        inside = block.depth > self._last.depth or (not block.marker and block.depth == self._last.depth)
        self._separate(block, lines, inside=inside)
        quote = "> " * block.quote
        first, rest = quote + " " * indent + marker, quote + " " * (indent + len(marker))
        if not lines:
            self.parts.append(first.rstrip())
        for n, line in enumerate(lines):
            self.parts.append((f"\n{rest}" if n else first) + line if line else "\n" + rest.rstrip() if n else first)
        if block.marker:
            self._items.append((block.depth, indent + len(marker)))
        self._last = block

    def _marker(self, block: Block, indent: int) -> str:
        if block.marker != "number":
            self._numbers.pop(indent, None)
            return "- " if block.marker else ""
        number = min(block.number, _MAX_NUMBER)
        before, delimiter = self._numbers.get(indent, (number - 1, "."))
        if before + 1 != number:
            delimiter = ")" if delimiter == "." else "."  # or the two lists would become one, and renumber
        self._numbers[indent] = (number, delimiter)
        return f"{number}{delimiter} "

    def _separate(self, block: Block, lines: list[str], *, inside: bool) -> None:
        if not self.parts:
            return
        last = self._last
        same = block.quote == last.quote
        blank_item = bool(last.marker) and not last.text.strip() and last.kind == "paragraph"
        interrupts = bool(lines) and (block.marker == "bullet" or (block.marker == "number" and block.number == 1))
        sibling = bool(block.marker) and bool(last.marker) and bool(lines) and block.depth <= last.depth
        follows = last.kind != "paragraph" or interrupts or sibling
        follows = follows or (block.kind in ("code", "heading") and not block.marker)
        if same and ((block.tight and follows) or (blank_item and inside)):
            self.parts.append("\n")
        elif same and block.quote:
            self.parts.append("\n" + "> " * (block.quote - 1) + ">\n")
        else:
            self.parts.append("\n\n")


def _block_lines(block: Block) -> list[str]:
    if block.kind == "rule":
        return ["***"]
    if block.kind == "code":
        return _fence(block.text, block.language)
    lines = _text_lines(block, block.spans)
    if any(span.styled for span in block.spans) and _visible(lines) != _squeeze(block.text):
        # Emphasis such as a"b" with only the quotes bold has no CommonMark; the words matter more.
        return _text_lines(block, tuple(Span(text=s.text, code=s.code, link=s.link) for s in block.spans))
    return lines


def _text_lines(block: Block, spans: tuple[Span, ...]) -> list[str]:
    lines = [line.strip() for line in _linked(merge(_followable(spans))).split("\n")]
    if block.kind == "heading":
        words = re.sub(r"(?<!#)#++$", lambda found: "\\#" * len(found[0]), " ".join(lines).strip())
        return [f"{'#' * max(1, block.level)} {words}".rstrip()]
    lines = [_LINE_START.sub(_guard, line) for line in lines if line]
    return [line + "\\" for line in lines[:-1]] + lines[-1:]


def _visible(lines: list[str]) -> str:
    return _squeeze("".join(block.text for block in parse("\n".join(lines)).blocks))


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _guard(found: re.Match[str]) -> str:
    return found[0] + "\\" if found[0][0].isdigit() else "\\" + found[0]


def _fence(text: str, language: str) -> list[str]:
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    language = language if _LANGUAGE.fullmatch(language) else ""
    return [fence + language, *text.split("\n"), fence]


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _linked(spans: tuple[Span, ...]) -> str:
    if len(spans) == 1 and not (spans[0].styled or spans[0].code or spans[0].link):
        return literal_text(spans[0].text)
    return "".join(_link(tuple(group), link) for link, group in groupby(spans, key=lambda span: span.link))


def _followable(spans: tuple[Span, ...]) -> list[Span]:
    """Links that no parser follows (javascript:) as words, or their marks would be shown."""
    found: list[Span] = []
    for link, together in groupby(spans, key=lambda span: span.link):
        group = list(together)
        if not link or validateLink(link):
            found += group
        elif any(span.text.strip() for span in group):  # nobody saw a link without words
            found += [replace(span, link="") for span in group]
            found.append(Span(text=f" ({link})"))
    return found


def _link(spans: tuple[Span, ...], link: str) -> str:
    words = "".join(span.text for span in spans)
    if not link or not words.strip():
        return _styled(spans)
    url = _URL_UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", link)
    if words == link and len(spans) == 1 and not (spans[0].code or spans[0].styled) and _AUTOLINK.fullmatch(link):
        return f"<{link}>"
    url = _URL_SPECIAL.sub(lambda found: "\\" + found[0], url)
    return _around("[", _styled(spans), f"]({url})")


def _styled(spans: tuple[Span, ...]) -> str:
    return _marked(spans, (("~~", lambda s: s.strike), ("**", lambda s: s.bold), ("*", lambda s: s.italic)))


def _marked(spans: tuple[Span, ...], marks: tuple[tuple[str, _Test], ...]) -> str:
    if not marks:
        return "".join(_code(span.text) if span.code else literal_text(span.text) for span in spans)
    (mark, test), rest = marks[0], marks[1:]
    parts = []
    for on, group in groupby(spans, key=test):
        inner = _marked(tuple(group), rest)
        parts.append(_around(mark, inner, mark) if on else inner)
    return "".join(parts)


def _around(before: str, words: str, after: str) -> str:
    """Put marks around words, but not around the space at their edges, where CommonMark does not see them."""
    core = words.strip()
    if not core:
        return words
    start = words.index(core)
    return words[:start] + before + core + after + words[start + len(core) :]


def _code(text: str) -> str:
    text = text.replace("\n", " ")
    if not text.strip():
        return text
    runs = {len(run) for run in _TICKS.findall(text)}
    ticks = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def literal_text(text: str) -> str:
    """Escape what CommonMark would take for a mark inside a line."""
    return _INLINE.sub(lambda found: "\\" + found[0], text)
