"""A reply as rich text for a terminal: pure, and safe against control characters in what people wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from bot import Block, Button, Capabilities, Card, Media, Reply, Span, parse, plain

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DIM = Style(dim=True)


def clean(text: str) -> str:
    """Drop what could move the cursor, change colours or turn the writing direction of the whole line."""
    return _CONTROL.sub("", text)


def render(reply: Reply, capabilities: Capabilities) -> Text:
    """What the person sees of a reply: words, card, files, buttons."""
    parts = []
    if reply.text.strip():
        parts.append(words(reply.text, markdown=capabilities.markdown))
    if reply.card is not None:
        parts.append(_card(reply.card))
    parts += [_file(item) for item in reply.media]
    if reply.buttons:
        parts.append(buttons(reply.buttons))
    return Text("\n").join(parts)


def words(text: str, *, markdown: bool) -> Text:
    """CommonMark with styles where the channel has them, as plain lines elsewhere."""
    document = parse(clean(text))
    if not markdown:
        return Text(clean(plain(document)))
    shown = Text()
    for block in document.blocks:
        if shown:
            shown.append("\n" if block.tight else "\n\n")
        shown.append_text(_block(block))
    return shown


def buttons(offered: Sequence[Button]) -> Text:
    """The buttons on one line, with the number to type for each."""
    parts = [Text(f"[ {n} {clean(button.label)} ]", style="bold cyan") for n, button in enumerate(offered, 1)]
    return Text("  ").join(parts)


def _block(block: Block) -> Text:
    marker = {"": "", "bullet": "• ", "number": f"{block.number}. "}[block.marker]
    lead = "│ " * block.quote + "  " * max(0, block.depth - (1 if block.marker else 0))
    if block.kind == "rule":
        return Text(lead + "─" * 20, style=_DIM)
    inner = Text().join(_span(span) for span in block.spans)
    if block.kind == "heading":
        inner.stylize("bold underline")
    if block.kind == "code":
        inner.stylize("green")
    lines = inner.split("\n", allow_blank=True)
    rest = lead + " " * len(marker)
    return Text("\n").join(Text(rest if n else lead + marker).append_text(line) for n, line in enumerate(lines))


def _span(span: Span) -> Text:
    link = clean(span.link)
    style = Style(
        bold=span.bold or None,
        italic=span.italic or None,
        strike=span.strike or None,
        color="green" if span.code else "blue" if link else None,
        underline=bool(link) or None,
    )
    shown = Text(clean(span.text), style=style)
    if link and link.removeprefix("mailto:") != span.text:
        shown.append(f" ({link})", style=_DIM)
    return shown


def _card(card: Card) -> Text:
    lines = [Text(clean(card.title), style="bold")]
    if card.text:
        lines.append(words(card.text, markdown=True))
    lines += [Text.assemble((f"{clean(field.name)}: ", "dim"), clean(field.value)) for field in card.fields]
    if card.url:
        lines.append(Text(clean(card.url), style="blue underline"))
    if card.image is not None:
        lines.append(_file(card.image))
    content = Text("\n").join(lines).split("\n", allow_blank=True)
    return Text("\n").join(Text("┃ ", style=_DIM).append_text(line) for line in content)


def _file(media: Media) -> Text:
    name = media.alt or media.name or media.type
    return Text.assemble(("[file] ", "dim"), clean(name), " ", (clean(media.url), "blue underline"))
