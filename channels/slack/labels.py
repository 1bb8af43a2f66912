"""Plain text in Slack's own lengths: labels, titles, options. Pure."""

from __future__ import annotations

from channels.slack.words import text_of

JsonObject = dict[str, object]


def plain(text: str, most: int) -> JsonObject:
    """A text object that never has markup or emoji codes, cut to `most` characters; never empty."""
    words = "".join(char if char.isprintable() else " " for char in text_of(text))
    return {"type": "plain_text", "text": cut(words.strip(), most) or "…", "emoji": False}


def cut(text: str, most: int) -> str:
    """At most so many characters, as Slack counts them: those beyond U+FFFF are two."""
    if size(text) <= most:
        return text
    kept = text[: most - 1]
    while size(kept) > most - 1:
        kept = kept[:-1]
    return kept + "…"


def size(text: str) -> int:
    """The length in UTF-16 units: no platform counts more."""
    return len(text) + sum(1 for char in text if char > "\uffff")
