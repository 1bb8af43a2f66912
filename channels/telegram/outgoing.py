"""A reply as the calls to Telegram that it takes. Pure: which call comes when, and what each one carries."""

from __future__ import annotations

import hashlib
from typing import Literal

from msgspec.structs import replace

from bot import Block, Button, Card, Media, Reply, Span, Value, parse, split
from channels.telegram.albums import sets
from channels.telegram.render import Rendered, literal, render, render_blocks, units

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_LABEL = 64
MAX_DATA = 64
"""Bytes that a button can carry."""

_ALT = 200
_ROW = 30
_SIDE_BY_SIDE = 3
_NOTHING_TO_SAY = "…"

Kind = Literal["photo", "animation", "voice", "audio", "video", "document"]

_KINDS: dict[str, Kind] = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "image/gif": "animation",
    "audio/ogg": "voice",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "video/mp4": "video",
}
# Telegram fetches documents of these types only; others have to be uploaded.
_FETCHED_DOCUMENTS = ("application/pdf", "application/zip")


class Outgoing(Value, frozen=True):
    """One message on Telegram: a text, or a file with a caption, or an album of those; `buttons` stand below it.

    `share_phone` is on a button that shares a number; `grows` says that it will be edited, so nothing but buttons of
    its own may come with it.
    """

    text: Rendered = Rendered(text="")
    media: Media | None = None
    buttons: tuple[Button, ...] = ()
    share_phone: str = ""
    grows: bool = False
    album: tuple[Outgoing, ...] = ()


def measure(text: str) -> int:
    """How long a CommonMark text is on Telegram."""
    return render(text).units


def compose(reply: Reply, *, apart: bool = False) -> tuple[Outgoing, ...]:
    """The messages of a reply, in order; the buttons go with the last. `apart` keeps the text off the pictures."""
    files = list(reply.media)
    if reply.card is not None and reply.card.image is not None:
        files.insert(0, reply.card.image)
    together, below = sets(files, kind_of), bool(reply.buttons or reply.share_phone)
    under = below and not apart and bool(together) and len(together[-1]) > 1
    blocks = [*parse(reply.text).blocks, *(_card(reply.card) if reply.card is not None else ())]
    # The caption of one is shown below its album, if it is the only one that has any.
    alone = bool(together) and not any(_alt(media) for media in together[0][1:])
    caption = render_blocks([*blocks, *_alt(files[0])], reply.mentions) if alone and not apart and not under else None
    if caption is not None and caption.units > MAX_CAPTION:
        caption = None
    texts = [Outgoing(text=text) for text in _texts(reply, blocks)] if caption is None else []
    shown = [_shown(some, None if number else caption) for number, some in enumerate(together)]
    calls = [*shown, *texts] if under else [*texts, *shown]  # what has buttons comes last
    if below:
        if not calls or calls[-1].album:
            calls.append(Outgoing(text=Rendered(text=_NOTHING_TO_SAY)))
        calls[-1] = replace(calls[-1], buttons=reply.buttons, share_phone=reply.share_phone)
    return tuple(calls)


def _shown(files: tuple[Media, ...], caption: Rendered | None) -> Outgoing:
    """Files that are shown together; the first of them with the caption, if there is one."""
    ones = [
        Outgoing(media=media, text=caption if caption is not None and not number else render_blocks(_alt(media)))
        for number, media in enumerate(files)
    ]
    return ones[0] if len(ones) == 1 else Outgoing(album=tuple(ones))


def kind_of(media: Media) -> Kind:
    """As what a file is sent."""
    return _KINDS.get(media.type.partition(";")[0].strip().lower(), "document")


def is_fetched(media: Media) -> bool:
    """Whether Telegram gets such a file itself, given its address."""
    return kind_of(media) != "document" or media.type in _FETCHED_DOCUMENTS


def as_link(outgoing: Outgoing) -> Outgoing:
    """The text to send where a file can't be: its name and where it is, and what stood below it."""
    media = outgoing.media
    if media is None:
        return outgoing
    name = media.alt or media.name or media.url
    link = render_blocks([Block(spans=(Span(text=name[:_ALT], link=media.url),))])
    said = outgoing.text.text
    if said and units(said) + link.units + 1 <= MAX_TEXT:
        moved = tuple(replace(entity, offset=entity.offset + units(said) + 1) for entity in link.entities)
        link = Rendered(text=f"{said}\n{link.text}", entities=(*outgoing.text.entities, *moved))
    return replace(outgoing, text=link, media=None)


def data_of(token: str) -> str:
    """What a button carries for a token: the token, or a fingerprint of one that is too long."""
    if len(token.encode()) <= MAX_DATA:
        return token
    return "#" + hashlib.sha256(token.encode()).hexdigest()[:40]


def rows(buttons: tuple[Button, ...]) -> list[list[Button]]:
    """Short buttons side by side, long ones below each other."""
    found: list[list[Button]] = []
    room = 0
    for button in buttons:
        width = len(button.label) + 2
        if found and len(found[-1]) < _SIDE_BY_SIDE and width <= room:
            found[-1].append(button)
        else:
            found.append([button])
            room = _ROW
        room -= width
    return found


def label_of(words: str) -> str:
    """What stands on a button, as it is shown."""
    label = " ".join(literal(words).split()) or _NOTHING_TO_SAY
    return label if units(label) <= MAX_LABEL else _first_units(label, MAX_LABEL - 1).rstrip() + "…"


def _first_units(text: str, most: int) -> str:
    """As many whole characters as there is room for."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


def _texts(reply: Reply, blocks: list[Block]) -> list[Rendered]:
    """The text and the card in one message if they fit, else one after the other."""
    whole = render_blocks(blocks, reply.mentions)
    if whole.units <= MAX_TEXT or reply.card is None:
        return [whole] if whole.text else []
    before = render(reply.text, reply.mentions)
    card = split(replace(parse(""), blocks=tuple(_card(reply.card))), MAX_TEXT, measure)
    return [*([before] if before.text else []), *(render(part) for part in card)]


def _card(card: Card) -> list[Block]:
    """A card is a quote that begins with its title: a coloured box in Telegram's programs."""
    blocks = [Block(spans=(Span(text=card.title, bold=True),))] if card.title.strip() else []
    blocks += parse(card.text).blocks
    if card.fields:
        lines = "\n".join(f"{field.name}: {field.value}" for field in card.fields)
        blocks.append(Block(spans=(Span(text=lines),)))
    if card.url:
        blocks.append(Block(spans=(Span(text=card.url, link=card.url),)))
    return [replace(block, quote=block.quote + 1, tight=bool(number)) for number, block in enumerate(blocks)]


def _alt(media: Media) -> list[Block]:
    """Telegram has no place for a description but the caption."""
    words = " ".join(media.alt.split())[:_ALT]
    return [Block(spans=(Span(text=words, italic=True),))] if words else []
