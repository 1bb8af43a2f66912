"""Puts values into a CommonMark template so that what people typed stays literally what they typed.

Knows nothing of platforms: what turns "@name" into a mention there is for the channel's own renderer to escape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from bot.errors import Misuse
from bot.rendering.document import Block, Document, merge
from bot.rendering.parsing import parse
from bot.rendering.writing import markdown

_FIELD = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}")
_SPECIAL = re.compile(r"[\\`*_\[\]~<&]|:(?=//)|^(?:[-+=>]|#(?=[#\s]|$)|(?<!.)\d{1,9}(?=[.)](?:\s|$)))")
_DELICATE = re.compile(r"[`\[\]<\\&]|^(?: {4}|[ ]*\t)", re.MULTILINE)
_EMPHASIS = re.compile(r"[*_~]")
_NEWLINES = re.compile(r"\s*[\r\n]\s*")
_HOLE = re.compile("\ue000(\\d+)\ue001")
_HOLE_MARKS = re.compile("[\ue000\ue001]")

_Value = Callable[[re.Match[str]], str]


def escape(text: str) -> str:
    """Make every character literal: no emphasis, link, list or mention comes of a person's words.

    Only what could mean something gets a backslash, since some clients show CommonMark as it is; line breaks become
    spaces.
    """
    return _SPECIAL.sub(_literal, _NEWLINES.sub(" ", text.strip()))


def _literal(found: re.Match[str]) -> str:
    """A number at the start is kept from making a list by a backslash behind it."""
    return found[0] + "\\" if found[0].isdigit() else "\\" + found[0]


def fill(template: str, values: Mapping[str, object]) -> str:
    """Replace each {name} by its value, escaped; {{name}} stays as {name}. Raises Misuse for an unknown name."""
    texts = {name: "" if value is None else str(value) for name, value in values.items()}
    for found in _FIELD.finditer(template):
        if found[2] and found[2] not in texts:
            known = ", ".join(sorted(texts)) or "none"
            raise Misuse(
                f"The text has {{{found[2]}}}, but no value of that name was given (there are: {known}). "
                f"Pass {found[2]}=..., or write {{{{{found[2]}}}}} for the braces themselves."
            )
    if _straight(template, texts):
        return _FIELD.sub(lambda found: f"{{{found[1]}}}" if found[1] else escape(texts[found[2]]), template)
    return _through_document(template, texts)


def _straight(template: str, texts: Mapping[str, str]) -> bool:
    """Whether escaping alone is enough: not in code, links or next to emphasis that depends on its neighbours."""
    if _DELICATE.search(template):
        return False
    if any("\n" in text or "\r" in text or not text.strip() for text in texts.values()):
        return False
    return not _EMPHASIS.search(template) or all(
        text and text[0].isalnum() and text[-1].isalnum() for text in texts.values()
    )


def _through_document(template: str, texts: Mapping[str, str]) -> str:
    names = list(texts)

    def hole(found: re.Match[str]) -> str:
        return f"{{{found[1]}}}" if found[1] else f"\ue000{names.index(found[2])}\ue001"

    def value(found: re.Match[str]) -> str:
        return texts[names[int(found[1])]]

    document = parse(_FIELD.sub(hole, _HOLE_MARKS.sub("", template)))
    blocks = (_filled(block, value) for block in document.blocks)
    return markdown(Document(blocks=tuple(blocks)))


def _filled(block: Block, value: _Value) -> Block:
    spans = []
    for span in block.spans:
        link = _HOLE.sub(lambda found: value(found).strip(), span.link)
        spans.append(replace(span, text=_HOLE.sub(value, span.text), link=link))
    return replace(block, spans=merge(spans))
