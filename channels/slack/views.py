"""What is not a message: a form as a modal, the app's Home, suggested prompts. Pure; the fields are in `inputs`.

A form has to be found again when its button is pressed, perhaps in another process: it is written on the button itself
where it fits, and in a note elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from bot import Form, KnownCommand, Value
from channels.slack.inputs import input_of
from channels.slack.labels import JsonObject, plain

LONGEST_VALUE = 2000
"""Characters on a button [Slack's reference]; the other limits are from there too."""

NOTED = "note:"
_TITLE, _FIELDS = 24, 100
_MOST_LINES, _MOST_PROMPTS = 90, 4  # a view has 100 blocks; a thread shows four prompts [Slack's reference]
_LINE, _PROMPT_TITLE, _PROMPT = 300, 100, 500
_GREETING = "Write to me in Messages, or call me by name in a channel."
_CAN = "What I can do"


class Place(Value, frozen=True):
    """What a modal carries, to say where it belongs; `note` is the key of the form's note, if it has one.

    `team` is whose installation opened it: what is sent in may name another workspace of the same organisation.
    """

    token: str
    chat: str
    thread: str = ""
    note: str = ""
    team: str = ""


def packed(form: Form) -> str:
    """The form for its own button; empty when it is too long for one."""
    text = written(form)
    return text if len(text) <= LONGEST_VALUE and not text.startswith(NOTED) else ""


def written(form: Form) -> str:
    """The form as JSON; half characters become question marks."""
    text = json.dumps(msgspec.to_builtins(form), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def unpacked(text: str) -> Form:
    """The form on a button. Raises ValueError."""
    return msgspec.json.decode(text, type=Form)


def modal(form: Form, place: Place) -> JsonObject:
    """The view to open for a form."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain(form.title, _TITLE),
        "submit": plain("OK", _TITLE),
        "private_metadata": msgspec.json.encode(place).decode(),
        "blocks": [input_of(field) for field in form.fields[:_FIELDS]],
    }


def place_of(metadata: str) -> Place | None:
    """What a modal carries; None for one that is not ours."""
    try:
        return msgspec.json.decode(metadata, type=Place)
    except ValueError:
        return None


def home_view(commands: Sequence[KnownCommand], language: str = "") -> JsonObject:
    """The Home: what the bot can do."""
    blocks: list[JsonObject] = [{"type": "header", "text": plain(_CAN, _LINE)}, _line(_GREETING)]
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
    return [{"title": title[:_PROMPT_TITLE], "message": message[:_PROMPT]} for title, message in said[:_MOST_PROMPTS]]


def _line(first: str, rest: str = "") -> JsonObject:
    words: list[JsonObject] = [{"type": "text", "text": first[:_LINE]}]
    if rest:
        words = [words[0] | {"style": {"bold": True}}, {"type": "text", "text": f" {rest[:_LINE]}"}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}
