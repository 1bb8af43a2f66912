"""From a reply's CommonMark to the words of a text message. Pure: knows neither HTTP nor numbers.

There is no markup in SMS, so nothing that people or models write can become any. Telephones make links of addresses
by themselves; nobody can keep them from it.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot import Block, parse, plain
from channels.sms.gsm import fold

MOST_MEDIA = 10
"""Files of one message, by Twilio's API."""

_LINE = re.compile("\r\n|[\r\u0085\u2028\u2029\v\f]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HALF = re.compile("[\ud800-\udfff]")
_BLANK = re.compile(r"\n{3,}")


def render(text: str, *, keep_unicode: bool = False) -> str:
    """The words, with links written out. Typographic marks become plain ones where that saves the dearer alphabet."""
    document = parse(text.replace("\0", ""))
    words = safe(plain(replace(document, blocks=tuple(_unmentioned(block) for block in document.blocks))))
    return words if keep_unicode else fold(words)


def safe(text: str) -> str:
    """Without what could rearrange a screen or end a field: controls, direction marks, halves of characters."""
    text = _HALF.sub("\ufffd", _LINE.sub("\n", text)).replace("\t", " ")
    return _BLANK.sub("\n\n", _CONTROL.sub("", text)).strip()


def _unmentioned(block: Block) -> Block:
    """Nobody can be called by name here: a mention is its words."""
    if not any(span.link.startswith("mention:") for span in block.spans):
        return block
    spans = (replace(span, link="") if span.link.startswith("mention:") else span for span in block.spans)
    return replace(block, spans=tuple(spans))
