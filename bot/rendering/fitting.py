"""Makes a reply fit a channel: what it can't show becomes text, what is too long becomes several. Pure.

Asks what the channel can do, never which channel it is.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.channel import Capabilities
from bot.messages import Media
from bot.phrases import ENGLISH, Phrases
from bot.rendering.document import Block, Document, Span
from bot.rendering.mentions import only, without
from bot.rendering.parsing import parse
from bot.rendering.splitting import Measure, split
from bot.rendering.writing import markdown
from bot.replies import Card, Reply


def degrade(reply: Reply, capabilities: Capabilities, phrases: Phrases = ENGLISH) -> Reply:
    """Turn choices, a card and media into text where the channel can't show them; everything else stays.

    Nobody is called but the reply's own mentions, and nobody where the channel can't. A form is left out: who asks it
    asks its questions one by one.
    """
    reply = _uncalled(reply, capabilities)
    card = reply.card
    flat_card = card is not None and not capabilities.cards
    media = reply.media
    if card is not None and flat_card and card.image is not None:
        media = (card.image, *media)
    flat_media = bool(media) and not capabilities.media
    labels = [button.label for button in reply.buttons] or [choice.label for choice in reply.choices]
    flat_choices = len(labels) > capabilities.buttons
    if not (flat_card or flat_media or flat_choices):
        return reply
    blocks: list[Block] = []
    if card is not None and flat_card:
        blocks += _card(card)
    if flat_media:
        blocks += _links(media)
    if flat_choices:
        blocks += _numbered(labels, phrases.number_or_words if reply.free else phrases.number)
    whole = (*parse(reply.text).blocks, *(without(block) for block in blocks))
    return replace(
        reply,
        text=markdown(Document(blocks=whole)),
        card=None if flat_card else card,
        media=() if flat_media else media,
        choices=() if flat_choices else reply.choices,
        buttons=() if flat_choices else reply.buttons,
    )


def _uncalled(reply: Reply, capabilities: Capabilities) -> Reply:
    """The reply without a form that can't be shown, and without calls that are not to be made."""
    mentions = reply.mentions if capabilities.mentions else ()
    form = reply.form if capabilities.forms else None
    share = reply.share_phone if capabilities.shares_phone else ""
    text = only(reply.text, mentions)
    card = reply.card
    words = only(card.text, ()) if card else ""
    if card is not None and words != card.text:
        card = replace(card, text=words)
    if text is reply.text and mentions is reply.mentions and form is reply.form and card is reply.card:
        return reply if share == reply.share_phone else replace(reply, share_phone=share)
    return replace(reply, text=text, mentions=mentions, form=form, card=card, share_phone=share)


def fit(reply: Reply, capabilities: Capabilities, measure: Measure, phrases: Phrases = ENGLISH) -> list[Reply]:
    """The replies to send for one reply: degraded and split.

    The first one ends the draft; buttons, card, media, form and what shares a number go with the last.
    """
    reply = degrade(reply, capabilities, phrases)
    texts = split(reply.text, capabilities.max_text, measure)
    extras = reply.card is not None or reply.form is not None or bool(reply.media or reply.buttons or reply.choices)
    if not texts:
        return [replace(reply, text="")] if extras else []
    if len(texts) == 1:
        return [replace(reply, text=texts[0])]
    bare = replace(reply, card=None, media=(), buttons=(), choices=(), form=None, share_phone="")
    first = [replace(bare, text=text, draft="" if number else reply.draft) for number, text in enumerate(texts[:-1])]
    return [*first, replace(reply, text=texts[-1], draft="")]


def _numbered(labels: list[str], hint: str) -> list[Block]:
    """Plain lines, not a CommonMark list: the numbers are what the person types back."""
    lines = (f"{number}) {' '.join(label.split())}" for number, label in enumerate(labels, 1))
    return [_paragraph(Span(text="\n".join(lines))), _paragraph(Span(text=hint))]


def _links(media: tuple[Media, ...]) -> list[Block]:
    return [_paragraph(Span(text=item.alt or item.name or item.url, link=item.url)) for item in media]


def _card(card: Card) -> list[Block]:
    blocks = [_paragraph(Span(text=card.title, bold=True))]
    blocks += parse(card.text).blocks
    if card.fields:
        blocks.append(_paragraph(Span(text="\n".join(f"{field.name}: {field.value}" for field in card.fields))))
    if card.url:
        blocks.append(_paragraph(Span(text=card.url, link=card.url)))
    return blocks


def _paragraph(span: Span) -> Block:
    return Block(spans=(span,))
