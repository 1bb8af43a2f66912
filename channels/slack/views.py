"""What is not a message: a form as a modal, a modal that was filled in, the app's Home, suggested prompts. Pure.

A form has to be found again when its button is pressed, perhaps in another process: it is written on the button itself
where it fits, and in a note elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec

from bot import Form, FormField, KnownCommand, Value
from channels.slack.words import items, mapping, text_of

JsonObject = dict[str, object]

LONGEST_VALUE = 2000
"""Characters on a button [Slack's reference]; the other limits are from there too."""

NOTED = "note:"
_TITLE, _LABEL, _HINT, _OPTION, _OPTION_VALUE, _OPTIONS, _FIELDS = 24, 2000, 2000, 75, 150, 100, 100
_LONGEST_ANSWER = 3000

_MOST_LINES, _MOST_PROMPTS = 90, 4  # a view has 100 blocks; a thread shows four prompts [Slack's reference]
_LINE, _PROMPT_TITLE, _PROMPT = 300, 100, 500
_GREETING = "Write to me in Messages, or call me by name in a channel."
_CAN = "What I can do"


class _Place(Value, frozen=True):
    """What a modal carries, to say where it belongs."""

    token: str
    chat: str
    thread: str = ""


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


def modal(form: Form, chat: str, thread: str) -> JsonObject:
    """The view to open for a form."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain(form.title, _TITLE),
        "submit": plain("OK", _TITLE),
        "private_metadata": msgspec.json.encode(_Place(token=form.token, chat=chat, thread=thread)).decode(),
        "blocks": [_input(field) for field in form.fields[:_FIELDS]],
    }


def place_of(metadata: str) -> tuple[str, str, str] | None:
    """The form's token, the chat and the thread; None for a modal that is not one of ours."""
    try:
        place = msgspec.json.decode(metadata, type=_Place)
    except ValueError:
        return None
    return place.token, place.chat, place.thread


def answers(view: Mapping[str, object]) -> tuple[dict[str, str], str]:
    """The values by the names of their fields, and all of it as lines of text."""
    state = mapping(mapping(view.get("state")).get("values"))
    labels = {
        text_of(block.get("block_id")): text_of(mapping(block.get("label")).get("text"))
        for block in map(mapping, items(view.get("blocks")))
    }
    values, lines = {}, []
    for name, actions in state.items():
        for action in map(mapping, mapping(actions).values()):
            option = mapping(action.get("selected_option"))
            value = text_of(action.get("value")) or text_of(action.get("selected_date")) or text_of(option.get("value"))
            shown = text_of(mapping(option.get("text")).get("text")) or value
            values[text_of(name)] = value
            if shown:
                lines.append(f"{labels.get(name) or name}: {shown}")
    return values, "\n".join(lines)


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


def _input(field: FormField) -> JsonObject:
    block: JsonObject = {
        "type": "input",
        "block_id": field.name,
        "label": plain(field.label, _LABEL),
        "element": _element(field),
        "optional": field.optional,
    }
    return block | ({"hint": plain(field.hint, _HINT)} if field.hint.strip() else {})


def _element(field: FormField) -> JsonObject:
    match field.kind:
        case "number":
            return {"type": "number_input", "action_id": "value", "is_decimal_allowed": True}
        case "date":
            return {"type": "datepicker", "action_id": "value"}
        case "email":
            return {"type": "email_text_input", "action_id": "value"}
        case "choice":
            options = [
                {"text": plain(choice.label, _OPTION), "value": cut(choice.meaning, _OPTION_VALUE)}
                for choice in field.choices[:_OPTIONS]
            ]
            return {"type": "static_select", "action_id": "value", "options": options}
        case kind:
            return {
                "type": "plain_text_input",
                "action_id": "value",
                "multiline": kind == "long",
                "max_length": _LONGEST_ANSWER,
            }


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
