"""CommonMark to Telegram's text with entities. Pure; no markup is ever pasted together, so none can come of words.

Telegram finds names, addresses and commands in plain text by itself. A name would call somebody: an invisible joiner
keeps "@name" from being one. An address shows where it leads, so it may stay a link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from bot import Block, Mention, Value, parse

MOST_ENTITIES = 100
"""Telegram forgets about those behind the hundredth."""

JOINER = "\u2060"
BULLET = "•"
RULE = "———"

_NAME = re.compile(r"(?<![\w@])@(?=\w)")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_LINES = re.compile("\r\n|[\r\u2028\u2029]")
_TURNING = re.compile("[\u202a-\u202e]")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


class Entity(Value, frozen=True):
    """A mark on a text; `offset` and `length` count UTF-16 units, as Telegram does."""

    type: str
    offset: int
    length: int
    url: str = ""
    language: str = ""
    user: str = ""


class Rendered(Value, frozen=True):
    """A text as Telegram takes it."""

    text: str
    entities: tuple[Entity, ...] = ()

    @property
    def units(self) -> int:
        """How long Telegram says that it is."""
        return units(self.text)


def units(text: str) -> int:
    """The length in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def render(text: str, mentions: Sequence[Mention] = ()) -> Rendered:
    """A CommonMark text; a link to `mention:0` calls the first of `mentions`."""
    return render_blocks(parse(text).blocks, mentions)


def render_blocks(blocks: Sequence[Block], mentions: Sequence[Mention] = ()) -> Rendered:
    """The same for what is parsed already."""
    writer = _Writer(mentions)
    for block in blocks:
        writer.block(block)
    writer.end_quote()
    return Rendered(text="".join(writer.parts), entities=tuple(writer.entities))


def literal(text: str) -> str:
    """Words as they are sent: nothing that Telegram refuses or takes out itself, and no name that it would call."""
    text = _TURNING.sub("", _LINES.sub("\n", _SURROGATES.sub("\ufffd", text)))
    text = _CONTROLS.sub(" ", text)
    return _NAME.sub("@" + JOINER, text)


class _Writer:
    """Puts the text together and counts its units."""

    def __init__(self, mentions: Sequence[Mention]) -> None:
        self.parts: list[str] = []
        self.entities: list[Entity] = []
        self._mentions = mentions
        self._at = 0
        self._last = ""
        self._quote_from = -1

    def block(self, block: Block) -> None:
        """Add the next block."""
        separator = ("\n" if block.tight else "\n\n") if self.parts else ""
        if not block.quote:
            self.end_quote()
        self._write(separator)
        if block.quote and self._quote_from < 0:
            self._quote_from = self._at
        # A quote can't stand in a quote on Telegram.
        quote = "> " * (block.quote - 1)
        marker = {"": "", "bullet": f"{BULLET} ", "number": f"{block.number}. "}[block.marker]
        indent = "  " * (block.depth - 1 if block.marker else block.depth)
        self._write(quote + indent + marker)
        rest = quote + indent + " " * len(marker)
        start = self._at
        if block.kind == "rule":
            self._write(RULE)
        elif block.kind == "code":
            self._lines(block.text, rest)
            self._mark("pre", start, language=block.language)
        else:
            self._spans(block, rest)

    def end_quote(self) -> None:
        """The quote is over, if there was one."""
        if self._quote_from >= 0:
            self._mark("blockquote", self._quote_from)
            self._quote_from = -1

    def _spans(self, block: Block, rest: str) -> None:
        spans, link_from = block.spans, 0
        for n, span in enumerate(spans):
            start = self._at
            if not n or spans[n - 1].link != span.link:
                link_from = start
            self._lines(span.text, rest)
            if span.code and not span.link:  # Telegram has no code in a link
                self._mark("code", start)
            else:
                self._mark("bold", start, wanted=span.bold or block.kind == "heading")
                self._mark("italic", start, wanted=span.italic)
                self._mark("strikethrough", start, wanted=span.strike)
            if span.link and (n + 1 == len(spans) or spans[n + 1].link != span.link):
                first = next(i for i in range(n, -1, -1) if not i or spans[i - 1].link != span.link)
                self._link("".join(part.text for part in spans[first : n + 1]), span.link, link_from)

    def _link(self, words: str, link: str, start: int) -> None:
        """The words of a link are written: make them one, or write out where it leads."""
        if link.startswith("mention:"):
            if user := self._called(link):
                self._mark("text_mention", start, user=user)
        elif not says_itself(words, link):  # Telegram finds such a one by itself
            marked = _followable(link) and bool(words.strip()) and self._mark("text_link", start, url=link)
            if not marked:
                self._write(literal(f" ({link})"))

    def _called(self, link: str) -> str:
        number = link.removeprefix("mention:")
        if not number.isascii() or not number.isdigit() or int(number[:6]) >= len(self._mentions):
            return ""
        user = self._mentions[int(number[:6])].user
        return user if user.isascii() and user.isdigit() else ""

    def _lines(self, text: str, rest: str) -> None:
        self._write(literal(text).replace("\n", "\n" + rest))

    def _write(self, text: str) -> None:
        if text:
            if _NAME.search(self._last + text[0]):
                text = JOINER + text  # "@" and "name" in two styles would still be read as one
            self.parts.append(text)
            self._at += units(text)
            self._last = (self._last + text)[-2:]

    def _mark(
        self, kind: str, start: int, *, url: str = "", language: str = "", user: str = "", wanted: bool = True
    ) -> bool:
        """Mark what was written since `start`; False where there is no room for more marks."""
        if not wanted or self._at <= start or len(self.entities) >= MOST_ENTITIES:
            return False
        mark = Entity(type=kind, offset=start, length=self._at - start, url=url, language=language, user=user)
        self.entities.append(mark)
        return True


def unmarked(text: Rendered) -> Rendered:
    """The same words without marks, for when Telegram refuses these; links are written out if there is room."""
    raw, at, parts = text.text.encode("utf-16-le"), 0, []
    for link in sorted((entity for entity in text.entities if entity.url), key=lambda entity: entity.offset):
        end = 2 * (link.offset + link.length)
        parts += [raw[at:end].decode("utf-16-le"), literal(f" ({link.url})")]
        at = end
    words = "".join([*parts, raw[at:].decode("utf-16-le")])
    return Rendered(text=words if units(words) <= max(text.units, 1024) else text.text)


def is_lone_link(text: Rendered) -> bool:
    """Whether a text is one link and nothing else."""
    if [entity.type for entity in text.entities] == ["text_link"]:
        return text.entities[0].length == text.units
    return not text.entities and _followable(text.text.strip())


def says_itself(words: str, link: str) -> bool:
    """Whether a link's words show where it leads."""
    words = words.strip()
    return link in (words, f"mailto:{words}", f"tel:{words}") or link.rstrip("/") == words


def _followable(link: str) -> bool:
    """Whether Telegram makes a link of it. Not its own tg: addresses, which can call people."""
    if _SURROGATES.search(link) or _CONTROLS.search(link) or re.search(r"\s", link):
        return False
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(_HOST.fullmatch(host))
