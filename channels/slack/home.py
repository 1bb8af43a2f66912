"""What the app shows of itself: its Home, and the prompts that an assistant's thread begins with. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot import KnownCommand
from channels.slack.forms import JsonObject, plain

_MOST_LINES, _MOST_PROMPTS = 90, 4  # a view has 100 blocks; a thread shows four prompts [Slack's reference]
_LINE, _TITLE, _MESSAGE = 300, 100, 500
_GREETING = "Write to me in Messages, or call me by name in a channel."
_CAN = "What I can do"


def home_view(commands: Sequence[KnownCommand], language: str = "") -> JsonObject:
    """The Home: what the bot can do."""
    blocks: list[JsonObject] = [{"type": "header", "text": plain(_CAN, _TITLE)}, _line(_GREETING)]
    for command in commands[:_MOST_LINES]:
        blocks.append(_line(f"/{command.name}", about(command, language)))
    return {"type": "home", "blocks": blocks}


def about(command: KnownCommand, language: str) -> str:
    """What a command does, in a language, or else in the one for all others."""
    short = language.partition("-")[0].lower()
    return command.about.get(short) or command.about.get("") or next(iter(command.about.values()), "")


def prompts(given: Sequence[str], commands: Sequence[KnownCommand]) -> list[dict[str, str]]:
    """What to suggest in a new thread: what the operator wrote, or else the first commands."""
    said = [(text, text) for text in given]
    said = said or [(about(command, "") or f"/{command.name}", f"/{command.name}") for command in commands]
    return [{"title": title[:_TITLE], "message": message[:_MESSAGE]} for title, message in said[:_MOST_PROMPTS]]


def _line(first: str, rest: str = "") -> JsonObject:
    words: list[JsonObject] = [{"type": "text", "text": first[:_LINE]}]
    if rest:
        words = [words[0] | {"style": {"bold": True}}, {"type": "text", "text": f" {rest[:_LINE]}"}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}
