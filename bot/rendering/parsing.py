"""CommonMark (and ~~strike~~) to a Document. It keeps every word: HTML and tables stay as they were typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.rendering.document import Block, Document, Kind, Marker, Span, merge

_MAX_NESTING = 100
_MAX_MARKS = 10_000
_CHECK_ABOVE = 10_000
_MARKS = re.compile(r"[\[\]*_`<&~!\\]|^ {0,3}(?:[-+>#]|\d{1,9}[.)])|\n\s*\n", re.MULTILINE)

# Lines without a mark: what most replies are made of. Escaped punctuation is fine.
_PLAIN_LINE = r"(?![ \t]|[-+=>#]|\d{1,9}[.)])(?:[^\\`*_\[\]<&~\n\r\0]|\\[!-/:-@\[-`{-~]|&(?![#\w])|<(?=\s))++"
_PLAIN = re.compile(rf"{_PLAIN_LINE}(?:\\?\n{_PLAIN_LINE}|\n(?:[ \t]*\n)++{_PLAIN_LINE})*+\s*")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BREAK = re.compile(r"(?:(?<![ \t])[ \t]++)?\\?\n")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


class _CommonMark(MarkdownIt):
    """The parser without its URL encoding: platforms want links as they were written."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 -- the library's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 -- the library's name
        return link


@cache
def _parser() -> MarkdownIt:
    parser = _CommonMark("commonmark", {"html": False, "maxNesting": _MAX_NESTING})
    return parser.enable("strikethrough").disable(["html_block", "html_inline"])


def parse(text: str) -> Document:
    """Read CommonMark.

    A text with more than 10,000 marks, or nested 50 deep, is nobody's prose: it is taken literally, which keeps a
    megabyte of brackets from holding up the loop for seconds.
    """
    if _PLAIN.fullmatch(text):
        return _paragraphs(text)
    if len(text) > _CHECK_ABOVE and sum(1 for _ in _MARKS.finditer(text)) > _MAX_MARKS:
        return literal(text)
    return read(text)


def read(text: str) -> Document:
    """Read CommonMark with the whole parser, whatever the text."""
    tokens = _parser().parse(text)
    if any(token.level >= _MAX_NESTING - 2 for token in tokens):
        return literal(text)  # the library drops what is nested deeper
    reader = _Reader()
    for token in tokens:
        reader.read(token)
    return Document(blocks=tuple(reader.blocks))


def literal(text: str) -> Document:
    """Take a text word for word, as one paragraph without marks; blank lines become line breaks."""
    lines = text.replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    words = "\n".join(stripped for line in lines if (stripped := line.strip()))
    return Document(blocks=(Block(spans=(Span(text=words),)),) if words else ())


def _paragraphs(text: str) -> Document:
    parts = [_unescape(_BREAK.sub("\n", part.strip())) for part in _BLANK_LINES.split(text.rstrip())]
    if len(parts) > _MAX_MARKS:
        parts = ["\n".join(parts)]
    return Document(blocks=tuple(Block(spans=(Span(text=part),)) for part in parts))


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: found[1], text) if "\\" in text else text


class _Reader:
    """Walks over the library's tokens and keeps count of the lists and quotes around."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._lists: list[int | None] = []  # the next number of each open list; None for bullets
        self._quote = 0
        self._marker: Marker = ""
        self._marker_depth = 0
        self._number = 0
        self._level = 0
        self._tight = False
        self._last_line = 0

    def read(self, token: Token) -> None:
        """Take in the next token."""
        match token.type:
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._open_item(token)
            case "list_item_close":
                self._empty_item()
            case "blockquote_open":
                self._quote += 1
            case "blockquote_close":
                self._quote -= 1
            case "paragraph_open" | "heading_open":
                self._place(token)
                self._level = int(token.tag[1:]) if token.type == "heading_open" else 0
            case "inline":
                self._add("heading" if self._level else "paragraph", _spans(token.children or ()))
                self._level = 0
            case "fence" | "code_block":
                self._place(token)
                words = (Span(text=token.content.removesuffix("\n")),)
                self._add("code", merge(list(words)), language=(token.info.split() or [""])[0])
            case "hr":
                self._place(token)
                self._add("rule", ())
            case _:
                pass

    def _open_item(self, token: Token) -> None:
        self._empty_item()  # "- - x": the outer item has nothing of its own
        self._marker_depth = len(self._lists)
        number = self._lists[-1]
        self._marker = "bullet" if number is None else "number"
        if number is not None:
            self._number = number
            self._lists[-1] = number + 1
        self._place(token)

    def _empty_item(self) -> None:
        if self._marker:
            self._last_line += 1
            self._add("paragraph", ())

    def _place(self, token: Token) -> None:
        first, last = token.map or (self._last_line, self._last_line)
        self._tight = bool(self.blocks) and first <= self._last_line
        if token.type != "list_item_open":  # an item's own end includes the blank lines behind it
            self._last_line = last

    def _add(self, kind: Kind, spans: tuple[Span, ...], language: str = "") -> None:
        block = Block(
            kind=kind,
            spans=spans,
            level=self._level,
            language=language,
            depth=self._marker_depth if self._marker else len(self._lists),
            marker=self._marker,
            number=self._number if self._marker == "number" else 0,
            quote=self._quote,
            tight=self._tight,
        )
        self._marker = ""
        self.blocks.append(block)


def _spans(tokens: Sequence[Token]) -> tuple[Span, ...]:
    spans: list[Span] = []
    bold = italic = strike = 0
    link, link_start = "", 0
    for token in tokens:
        code = False
        words = token.content
        target = link
        match token.type:
            case "strong_open" | "strong_close":
                bold += token.nesting
            case "em_open" | "em_close":
                italic += token.nesting
            case "s_open" | "s_close":
                strike += token.nesting
            case "link_open":
                link, link_start = str(token.attrs.get("href", "")), len(spans)
            case "link_close":
                words = "" if len(spans) > link_start else link
                target, link = link, ""
            case "softbreak" | "hardbreak":
                words = "\n"
            case "code_inline":
                code = True
            case "image":
                source = str(token.attrs.get("src", ""))
                target = link or source
                words = "".join(child.content for child in token.children or ()) or source
            case _:
                pass
        if words:
            style = Span(text=words, bold=bold > 0, italic=italic > 0, strike=strike > 0, code=code, link=target)
            spans.append(style)
    return merge(spans)
