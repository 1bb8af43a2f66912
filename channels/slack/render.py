"""Replies as Block Kit. Pure; knows no network.

Words go into `rich_text`, whose elements are structured: Slack looks for no markup, mention or link in them, so what
people and models write stays what they wrote. `mrkdwn` is used nowhere; labels are `plain_text` without emoji codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot import Button, Card, Media, Reply, parse, plain
from channels.slack.labels import JsonObject, cut
from channels.slack.labels import plain as label
from channels.slack.richtext import LONGEST_URL, seen_words, text_blocks, text_element

MOST_BUTTONS, MOST_CHOICES = 25, 100
"""In one block of actions, and in one select [Slack's reference]."""

FORM, LINK, CHOICE = "form", "link", "choice"
"""How the action ids of our own elements begin."""

_FALLBACK = 3900  # characters of the text that notifications show
_LONGEST_LABEL, _LONGEST_HEAD, _LONGEST_ALT, _LONGEST_OPTION = 75, 150, 2000, 150
_CARD_TEXT, _CARD_BLOCKS, _CARD_FIELDS, _FIELD = 2000, 8, 10, 200
_PLACE = re.compile(r"fd\|([0-9.]*)\|")
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_PUBLIC = re.compile(r"https://[^/?#@\s:]+\.[a-z]{2,}(?:[/?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message for Slack: `text` is for notifications and for those who read no blocks, escaped."""

    text: str
    blocks: list[JsonObject]


def public_picture(media: Media) -> bool:
    """Whether Slack can show it by its address: it fetches pictures itself, from public servers only."""
    return media.type in _PICTURES and len(media.url) <= LONGEST_URL and bool(_PUBLIC.match(media.url))


def render(reply: Reply, *, thread: str = "", author: str = "", form: str = "", pictures: bool = True) -> Posted:
    """A reply as one message. `form` is what the form's button carries; without `pictures` they are links.

    Of a card at most 2,000 characters are shown: it is a card.
    """
    mentions = reply.mentions
    blocks: list[JsonObject] = []
    if author.strip():
        blocks.append({"type": "context", "elements": [label(author, _LONGEST_HEAD)]})
    blocks += text_blocks(reply.text, mentions)
    if reply.card is not None:
        blocks += _card(reply.card, pictures=pictures)
    for media in reply.media[:5]:
        blocks += _picture(media, pictures=pictures) if public_picture(media) else [_link(media)]
    blocks += _actions(reply, thread, form)
    return Posted(_fallback(reply) or "…", blocks)


def fallback(text: str) -> str:
    """Plain words, escaped, so that nothing in them is a mention or a link."""
    words = seen_words(cut(text, _FALLBACK))
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def thread_in(block_id: str) -> str | None:
    """The thread that one of our own blocks stands in; None for other blocks."""
    found = _PLACE.match(block_id)
    return found[1] if found else None


def _card(card: Card, *, pictures: bool) -> list[JsonObject]:
    blocks: list[JsonObject] = [{"type": "header", "text": label(card.title, _LONGEST_HEAD)}]
    if card.image is not None:
        shown = public_picture(card.image)
        blocks += _picture(card.image, pictures=pictures) if shown else [_link(card.image)]
    blocks += text_blocks(cut(card.text, _CARD_TEXT))[:_CARD_BLOCKS]
    lines = []
    for number, field in enumerate(card.fields[:_CARD_FIELDS]):
        name = ("\n" if number else "") + seen_words(cut(field.name, _FIELD)) + ": "
        lines += [
            text_element(name) | {"style": {"bold": True}},
            text_element(seen_words(cut(field.value, _FIELD)) or " "),
        ]
    if lines:
        blocks.append({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": lines}]})
    if card.url.lower().startswith(("https://", "http://")) and len(card.url) <= LONGEST_URL:
        button = {"type": "button", "action_id": LINK, "url": card.url, "text": label(card.title, _LONGEST_LABEL)}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _picture(media: Media, *, pictures: bool) -> list[JsonObject]:
    if not pictures:
        return [_link(media)]
    words = seen_words(media.alt or media.name)
    return [{"type": "image", "image_url": media.url, "alt_text": cut(words, _LONGEST_ALT) or "…"}]


def _link(media: Media) -> JsonObject:
    """A file by its name, and by its address where people can open that."""
    words = cut(seen_words(media.alt or media.name or media.url), _FIELD) or "…"
    linked = media.url.lower().startswith(("https://", "http://")) and len(media.url) <= LONGEST_URL
    element: JsonObject = {"type": "link", "url": media.url, "text": words} if linked else text_element(words)
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}


def _actions(reply: Reply, thread: str, form: str) -> list[JsonObject]:
    elements: list[JsonObject] = []
    if reply.form is not None and form:
        opener = label(reply.form.open, _LONGEST_LABEL)
        elements.append({"type": "button", "action_id": FORM, "text": opener, "value": form})
    if len(reply.buttons) > MOST_BUTTONS:
        options = [
            {"text": label(button.label, _LONGEST_LABEL), "value": cut(button.token, _LONGEST_OPTION)}
            for button in reply.buttons[:MOST_CHOICES]
        ]
        elements.append({"type": "static_select", "action_id": CHOICE, "options": options})
    else:
        elements += [_button(number, button) for number, button in enumerate(reply.buttons)]
    return [
        {"type": "actions", "block_id": f"fd|{thread}|{start}", "elements": elements[start : start + MOST_BUTTONS]}
        for start in range(0, len(elements), MOST_BUTTONS)
    ]


def _button(number: int, button: Button) -> JsonObject:
    text = label(button.label, _LONGEST_LABEL)
    return {"type": "button", "action_id": f"{CHOICE}.{number}", "text": text, "value": button.token}


def _fallback(reply: Reply) -> str:
    parts = [plain(parse(_called(reply)))]
    if reply.card is not None:
        parts.append(reply.card.title)
    parts += [media.alt or media.name for media in reply.media]
    if not any(part.strip() for part in parts):
        parts += [button.label for button in reply.buttons[:MOST_BUTTONS]]
    return fallback("\n".join(part for part in parts if part.strip()))


def _called(reply: Reply) -> str:
    """The text with names in place of calls: the call itself is in the blocks."""
    return re.sub(r"\[([^\]]{0,200})\]\(mention:\d{1,4}\)", r"\1", reply.text) if reply.mentions else reply.text
