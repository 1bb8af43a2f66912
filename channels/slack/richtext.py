"""CommonMark as Slack's rich text: structured elements, in which nothing is looked for. Pure."""

from __future__ import annotations

import re

from bot import Block, Mention, Span, parse
from channels.slack.labels import JsonObject, size

LONGEST = 3000
"""Of the text in one block, in UTF-16 units. Slack's reference says it of sections; of rich text it says nothing."""

LONGEST_URL = 3000
"""Characters [Slack's reference, of buttons and pictures]."""

_BLOCK_WEIGHT = 100  # a message has 50 blocks: 30 for its text, and the rest for what comes with it
_DEEPEST = 8
_MENTION = re.compile(r"mention:(\d{1,4})")
_USER = re.compile("[UW][A-Z0-9]+")
_LINKS = ("https://", "http://", "mailto:", "tel:")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def measure(text: str) -> int:
    """How long a text is in its blocks; many blocks count as long, since there may be 50."""
    blocks = text_blocks(text)
    return max(sum(_length(block) for block in blocks), len(blocks) * _BLOCK_WEIGHT)


def text_blocks(text: str, mentions: tuple[Mention, ...] = ()) -> list[JsonObject]:
    """CommonMark as rich text."""
    return _Writer(mentions).write(parse(text).blocks)


class _Writer:
    """Collects elements of rich text; a rule between them begins a new block."""

    def __init__(self, mentions: tuple[Mention, ...]) -> None:
        self._mentions = mentions
        self._blocks: list[JsonObject] = []
        self._elements: list[JsonObject] = []
        self._section: list[JsonObject] = []
        self._last = ""

    def write(self, blocks: tuple[Block, ...]) -> list[JsonObject]:
        """All of it."""
        for block in blocks:
            self._add(block)
        self._close()
        return self._blocks

    def _add(self, block: Block) -> None:
        if block.kind == "rule" and not block.quote:
            self._close()
            self._blocks.append({"type": "divider"})
            self._last = ""
        elif block.kind == "code" and seen_words(block.text).strip():
            self._section += [text_element(_marker(block))] if block.marker else []
            self._element("rich_text_preformatted", seen_words(block.text), [])
        elif block.quote:
            again = self._last == "rich_text_quote"
            lead = ("\n" if block.tight else "\n\n") if again else ""
            self._element("rich_text_quote", lead + _marker(block), self._inline(block), more=again)
        elif block.marker and self._listed(block):
            return
        else:
            self._paragraph(block)

    def _listed(self, block: Block) -> bool:
        """A list item; False where Slack's lists can't show it: they count from 1, and go 9 deep."""
        style = "bullet" if block.marker == "bullet" else "ordered"
        inline, indent = self._inline(block), max(0, block.depth - 1)
        if indent > _DEEPEST or not inline:
            return False
        item: JsonObject = {"type": "rich_text_section", "elements": inline}
        last = self._elements[-1] if self._elements and self._last == "rich_text_list" else {}
        items = last.get("elements")
        fits = last.get("style") == style and last.get("indent") == indent and isinstance(items, list)
        if isinstance(items, list) and fits and (style == "bullet" or block.number == len(items) + 1):
            items.append(item)
            return True
        if style == "ordered" and block.number != 1:
            return False
        self._flush()
        self._elements.append({"type": "rich_text_list", "style": style, "indent": indent, "elements": [item]})
        self._last = "rich_text_list"
        return True

    def _paragraph(self, block: Block) -> None:
        lead = ("\n" if block.tight else "\n\n") if self._section else ("\n" if self._last else "")
        lead += "  " * (block.depth - 1 if block.marker else block.depth) + _marker(block)
        inline = self._inline(block)
        if not inline and not lead.strip():
            return
        self._section += [text_element(lead)] if lead else []
        self._section += inline
        self._last = "rich_text_section"

    def _element(self, kind: str, lead: str, inline: list[JsonObject], *, more: bool = False) -> None:
        self._flush()
        words = ([text_element(lead)] if lead else []) + inline
        if not words:
            return
        before = self._elements[-1].get("elements") if more and self._elements else None
        if isinstance(before, list):
            before += words
        else:
            self._elements.append({"type": kind, "elements": words})
        self._last = kind

    def _flush(self) -> None:
        if self._section:
            self._elements.append({"type": "rich_text_section", "elements": self._section})
            self._section = []

    def _close(self) -> None:
        self._flush()
        if self._elements:
            self._blocks.append({"type": "rich_text", "elements": self._elements})
            self._elements = []

    def _inline(self, block: Block) -> list[JsonObject]:
        heading = block.kind == "heading"
        if block.kind == "rule":
            return [text_element("---")]
        return [element for span in block.spans for element in self._span(span, heading=heading)]

    def _span(self, span: Span, *, heading: bool) -> list[JsonObject]:
        words = seen_words(span.text)
        if not words:
            return []
        style: JsonObject = {
            name: True
            for name, on in (
                ("bold", span.bold or heading),
                ("italic", span.italic),
                ("strike", span.strike),
                ("code", span.code),
            )
            if on
        }
        look: JsonObject = {"style": style} if style else {}
        if found := _MENTION.fullmatch(span.link):
            number = int(found[1])
            user = self._mentions[number].user.rpartition("/")[2] if number < len(self._mentions) else ""
            if _USER.fullmatch(user):  # Slack refuses the whole message for somebody whom it can't know
                return [{"type": "user", "user_id": user}]
            return [text_element(words) | look]
        url = seen_words(span.link)
        if url.lower().startswith(_LINKS) and len(url) <= LONGEST_URL and not re.search(r"\s", url):
            return [{"type": "link", "url": url, "text": words} | look]
        shown = f"{words} ({url})" if url and url != words else words
        return [text_element(shown) | look]


def _marker(block: Block) -> str:
    return {"": "", "bullet": "• ", "number": f"{block.number}. "}[block.marker]


def text_element(words: str) -> JsonObject:
    return {"type": "text", "text": words}


def seen_words(text: str) -> str:
    """Without what nobody can see and Slack may refuse."""
    return _UNSEEN.sub("", text)


def _length(value: object) -> int:
    """The words and addresses anywhere in a block, and one for each line that it begins."""
    if isinstance(value, list):
        return sum(_length(one) for one in value)
    if not isinstance(value, dict):
        return 0
    own = sum(size(str(value[key])) for key in ("text", "url") if isinstance(value.get(key), str))
    name = 20 if value.get("type") == "user" else 0
    return own + name + (1 if "elements" in value else 0) + _length(value.get("elements", []))
