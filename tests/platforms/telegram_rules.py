"""What Telegram lets through: lengths in UTF-16 units, marks, buttons, secrets; and in which words it says no."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

JOINER = "\u2060"

_WORDS = re.compile(
    "text|caption|url|secret_token|callback_query_id|file_id|action|parse_mode|language_code|photo|document|voice|audio"
    "|video|animation|ip_address"
)
_MARKS = re.compile("bold|italic|underline|strikethrough|spoiler|blockquote|code|pre|text_link|text_mention")
_TAGS = re.compile("b|strong|i|em|u|ins|s|strike|del|a|code|pre|blockquote|tg-spoiler|span")
# What the server takes out of every text, or makes a space of.
_DROPPED = re.compile("[\r\u2028-\u202e]")
_SPACED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Refusal(Exception):
    """A call is refused, and in which words."""

    def __init__(self, code: int, said: str, parameters: dict[str, int] | None = None) -> None:
        super().__init__(said)
        self.code, self.said, self.parameters = code, said, parameters


def decoded(name: str, value: str) -> Any:
    """A field of a form as JSON, unless it is words."""
    if _WORDS.fullmatch(name):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def units(text: str) -> int:
    """How long Telegram says that a text is."""
    return len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """A text as it is shown."""
    return _SPACED.sub(" ", _DROPPED.sub("", text))


def taken(
    given: Mapping[str, Any], words: str, marks: str, most: int, too_long: str, *, strict: bool = False
) -> tuple[str, list[dict[str, Any]]]:
    """A text and its marks, as they will be shown. `strict` refuses all marks."""
    text, entities = str(given.get(words) or ""), list(given.get(marks) or [])
    if given.get("parse_mode"):
        _check_html(text)
    if clean(text) != text:
        raise AssertionError("the server would have to change the text, and the marks would not fit any more")
    for entity in entities:
        _check_mark(entity, text)
    if strict and entities:
        raise Refusal(400, "Bad Request: can't parse entities: refused for a test")
    start = units(text) - units(text.lstrip())
    text = text.strip()
    if units(text) > most:
        raise Refusal(400, f"Bad Request: {too_long}")
    kept = []
    for entity in entities[:100]:
        offset = max(0, entity["offset"] - start)
        length = min(entity["offset"] - start + entity["length"], units(text)) - offset
        if length > 0:
            kept.append(entity | {"offset": offset, "length": length})
    return text, kept


def _check_mark(entity: Mapping[str, Any], text: str) -> None:
    offset, length = entity["offset"], entity["length"]
    raw = text.encode("utf-16-le")
    if not _MARKS.fullmatch(entity["type"]):
        raise Refusal(400, f"Bad Request: can't parse entities: unsupported type {entity['type']}")
    if offset < 0 or length < 1 or offset + length > len(raw) // 2:
        raise Refusal(400, "Bad Request: can't parse entities: out of the text")
    for edge in (offset, offset + length):
        if 0 < edge < len(raw) // 2 and 0xDC <= raw[edge * 2 + 1] <= 0xDF:
            raise Refusal(400, "Bad Request: can't parse entities: in the middle of a character")
    if entity["type"] == "text_link" and not re.match(r"https?://[^\s/]+", entity.get("url", "")):
        raise Refusal(400, "Bad Request: can't parse entities: not a link")


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if not _TAGS.fullmatch(tag):
            raise Refusal(400, f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Refusal(400, f'Bad Request: can\'t parse entities: Unexpected end tag "{tag}"')


def _check_html(text: str) -> None:
    parser = _Html()
    parser.feed(text)
    parser.close()
    if parser.open:
        raise Refusal(400, "Bad Request: can't parse entities: Can't find end tag")


def check_buttons(markup: Any) -> Any:
    """The buttons of a message."""
    if not markup or "inline_keyboard" not in markup:
        return None
    buttons = [button for row in markup["inline_keyboard"] for button in row]
    if len(buttons) > 100:
        raise Refusal(400, "Bad Request: reply markup is too long")
    for button in buttons:
        if not button["text"].strip():
            raise Refusal(400, "Bad Request: can't parse inline keyboard button: Text must be non-empty")
        if not 1 <= len(button["callback_data"].encode()) <= 64:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
    return markup


def check_keyboard(markup: Any, *, private: bool) -> list[dict[str, Any]] | None:
    """The buttons below the chat's input line that a message brings; none takes them away, None leaves them."""
    if markup and markup.get("remove_keyboard"):
        return []
    if not markup or "keyboard" not in markup:
        return None
    found: list[dict[str, Any]] = [button for row in markup["keyboard"] for button in row]
    if not found or any(not button["text"].strip() for button in found):
        raise Refusal(400, "Bad Request: can't parse keyboard button: Text must be non-empty")
    if not private and any(button.get("request_contact") for button in found):
        raise Refusal(400, "Bad Request: phone number can be requested in private chats only")
    return found


def check_secret(secret: str) -> None:
    """The webhook's secret."""
    if len(secret) > 256:
        raise Refusal(400, "Bad Request: secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")


def check_commands(commands: list[dict[str, str]]) -> None:
    """The menu of commands."""
    if len(commands) > 100:
        raise Refusal(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise Refusal(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
