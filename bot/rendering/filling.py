"""Puts values into a CommonMark template so that what people typed stays literally what they typed.

Knows nothing of platforms: what turns "@name" into a mention there is for the channel's own renderer to escape. A
`Mention` becomes a link to its place among the mentions, and nothing else does: no words of anybody can call somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from bot.errors import Misuse
from bot.rendering.document import Block, Document, Span, merge
from bot.rendering.mentions import calls, place
from bot.rendering.parsing import parse
from bot.rendering.writing import markdown
from bot.replies import Mention

_FIELD = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}")
_SPECIAL = re.compile(r"[\\`*_\[\]~<&]|:(?=//)|^(?:[-+=>]|#(?=[#\s]|$)|(?<!.)\d{1,9}(?=[.)](?:\s|$)))")
_DELICATE = re.compile(r"[`\[\]<\\&]|^(?: {4}|[ ]*\t)", re.MULTILINE)
_EMPHASIS = re.compile(r"[*_~]")
_NEWLINES = re.compile(r"(?<!\s)[^\S\r\n]*+[\r\n]\s*+")
_HOLE = re.compile("\ue000(\\d+)\ue001")
_HOLE_MARKS = re.compile("[\ue000\ue001]")


def escape(text: str) -> str:
    """Make every character literal: no emphasis, link, list or mention comes of a person's words.

    Only what could mean something gets a backslash, since some clients show CommonMark as it is; line breaks become
    spaces.
    """
    text = text.strip()
    return _SPECIAL.sub(_literal, text if text.isprintable() else _NEWLINES.sub(" ", text))


def _literal(found: re.Match[str]) -> str:
    """A number at the start is kept from making a list by a backslash behind it."""
    return found[0] + "\\" if found[0].isdigit() else "\\" + found[0]


def fill(template: str, values: Mapping[str, object]) -> str:
    """Replace each {name} by its value, escaped; {{name}} stays as {name}. Raises Misuse for an unknown name."""
    return fill_in(template, values)[0]


def fill_in(template: str, values: Mapping[str, object]) -> tuple[str, tuple[Mention, ...]]:
    """The text, and the mentions that its links `mention:0`, `mention:1` ... lead to. Raises Misuse."""
    texts = {name: _shown(value) for name, value in values.items()}
    used = dict.fromkeys(found[2] for found in _FIELD.finditer(template) if found[2])
    for name in used:
        if name not in texts:
            known = ", ".join(sorted(texts)) or "none"
            raise Misuse(
                f"The text has {{{name}}}, but no value of that name was given (there are: {known}). "
                f"Pass {name}=..., or write {{{{{name}}}}} for the braces themselves."
            )
    called = {name: value for name, value in values.items() if name in used and isinstance(value, Mention)}
    if called:
        mentions = tuple(dict.fromkeys(called.values()))
        places = {name: mentions.index(mention) for name, mention in called.items()}
        return _through_document(template, texts, places), mentions
    if _straight(template, texts):
        return _FIELD.sub(lambda found: f"{{{found[1]}}}" if found[1] else escape(texts[found[2]]), template), ()
    return _through_document(template, texts, {}), ()


def _shown(value: object) -> str:
    if isinstance(value, Mention):
        return " ".join(value.name.split()) or value.user
    return "" if value is None else str(value)


def _straight(template: str, texts: Mapping[str, str]) -> bool:
    """Whether escaping alone is enough: not in code, links or next to emphasis that depends on its neighbours."""
    if _DELICATE.search(template):
        return False
    if any("\n" in text or "\r" in text or not text.strip() for text in texts.values()):
        return False
    return not _EMPHASIS.search(template) or all(
        text and text[0].isalnum() and text[-1].isalnum() for text in texts.values()
    )


def _through_document(template: str, texts: Mapping[str, str], places: Mapping[str, int]) -> str:
    names = list(texts)

    def hole(found: re.Match[str]) -> str:
        return f"{{{found[1]}}}" if found[1] else f"\ue000{names.index(found[2])}\ue001"

    document = parse(_FIELD.sub(hole, _HOLE_MARKS.sub("", template)))
    values = _Values([texts[name] for name in names], {names.index(name): number for name, number in places.items()})
    return markdown(Document(blocks=tuple(values.into(block) for block in document.blocks)))


class _Values:
    """The values by the numbers of their holes, and the places of those that are mentions."""

    def __init__(self, texts: list[str], places: Mapping[int, int]) -> None:
        self._texts, self._places = texts, places

    def into(self, block: Block) -> Block:
        """A block with its holes filled, in one go: a value may look like a hole."""
        spans: list[Span] = []
        for span in block.spans:
            link = _HOLE.sub(lambda found: self._texts[int(found[1])].strip(), span.link)
            # Calls in the template itself (a model's words, perhaps), or made by a value, are none.
            filled = replace(span, link="" if calls(link) else link)
            if span.code or span.link or block.kind == "code":
                spans.append(replace(filled, text=_HOLE.sub(lambda found: self._texts[int(found[1])], span.text)))
            else:
                spans += self._pieces(filled)
        return replace(block, spans=merge(spans))

    def _pieces(self, span: Span) -> Iterator[Span]:
        for number, piece in enumerate(_HOLE.split(span.text)):
            if number % 2 == 0:
                yield replace(span, text=piece)
            elif int(piece) in self._places:
                yield replace(span, text=self._texts[int(piece)], link=place(self._places[int(piece)]))
            else:
                yield replace(span, text=self._texts[int(piece)])
