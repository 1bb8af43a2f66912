"""Who may be called by a text: only those whom a reply names, at the places where its author put them.

A link to `mention:0` stands for the first of a reply's mentions. Wherever else such a link comes from, it is words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from bot.rendering.document import Block, Document, merge
from bot.rendering.parsing import parse
from bot.rendering.writing import markdown
from bot.replies import Mention

_SCHEME = "mention:"
_PLACE = re.compile(r"mention:(0|[1-9][0-9]{0,3})")
_LINKS = re.compile(r"\]\s*[(:\[]|<")
"""Without one of these a text has no link at all, so that most texts need not be read for this."""


def mentioned(link: str, mentions: Sequence[Mention]) -> Mention | None:
    """Whom a link calls; None when it calls nobody. Then a channel shows its words, and no link."""
    found = _PLACE.fullmatch(link)
    place = int(found[1]) if found else len(mentions)
    return mentions[place] if place < len(mentions) else None


def calls(link: str) -> bool:
    """Whether a link looks like a call, of somebody or nobody."""
    return link.strip().casefold().startswith(_SCHEME)


def place(number: int) -> str:
    """The link that calls the mention of this number."""
    return f"{_SCHEME}{number}"


def only(text: str, mentions: Sequence[Mention]) -> str:
    """The text with no calls but those of `mentions`; what looked like another is words."""
    if not _LINKS.search(text):
        return text
    document = parse(text)
    if all(mentioned(span.link, mentions) for block in document.blocks for span in block.spans if calls(span.link)):
        return text
    return markdown(Document(blocks=tuple(without(block, mentions) for block in document.blocks)))


def without(block: Block, mentions: Sequence[Mention] = ()) -> Block:
    """The block with no calls but those of `mentions`."""
    spans = [
        replace(span, link="") if calls(span.link) and not mentioned(span.link, mentions) else span
        for span in block.spans
    ]
    return replace(block, spans=merge(spans))
