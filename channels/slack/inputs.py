"""The fields of a form as inputs of a modal, and back: what was put into them, and what is wrong with it. Pure.

Slack itself holds people to the limits of its elements. What stands in an element from the start has to keep them too,
or Slack opens nothing: what does not is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from bot import Choice, FormField
from channels.slack.labels import JsonObject, cut, plain, size
from channels.slack.words import items, mapping, text_of

_LABEL, _HINT, _OPTION, _OPTION_VALUE, _OPTIONS = 2000, 2000, 75, 150, 100  # all limits are from Slack's reference
_LONGEST_ANSWER = 3000
_RADIOS = 5
"""So many options are seen at a glance; more of them drop down. Slack would take ten."""

_PROBLEM = 300
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")
_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")
_URL = re.compile(r"https?://[^\s<>]+")


def input_of(field: FormField) -> JsonObject:
    """One question of a modal."""
    block: JsonObject = {
        "type": "input",
        "block_id": field.name,
        "label": plain(field.label, _LABEL),
        "element": {"action_id": "value", **_element(field)},
        "optional": field.optional,
    }
    return block | ({"hint": plain(field.hint, _HINT)} if field.hint.strip() else {})


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


def fields_of(view: Mapping[str, object]) -> tuple[str, ...]:
    """The names of a modal's fields, from top to bottom."""
    blocks = map(mapping, items(view.get("blocks")))
    return tuple(text_of(block.get("block_id")) for block in blocks if block.get("type") == "input")


def refused(problems: Mapping[str, str], fields: Sequence[str]) -> JsonObject | None:
    """The answer that leaves a modal open and says what is wrong; None where nothing is that could be shown.

    Slack shows a problem at a field only: what is wrong with the whole is told at the last one, next to the button.
    """
    last = fields[-1] if fields else ""
    shown = {name or last: cut(text, _PROBLEM) for name, text in problems.items() if text and (name or last) in fields}
    return {"response_action": "errors", "errors": shown} if shown else None


def _element(field: FormField) -> JsonObject:
    match field.kind:
        case "number":
            return _number(field)
        case "date":
            return {"type": "datepicker", **({"initial_date": field.value} if _is_date(field.value) else {})}
        case "email":
            return {"type": "email_text_input", **_initial(field.value, _EMAIL)}
        case "url":
            return {"type": "url_text_input", **_initial(field.value, _URL)}
        case "choice":
            return _choice(field)
        case _:
            return _words(field)


def _number(field: FormField) -> JsonObject:
    element: JsonObject = {"type": "number_input", "is_decimal_allowed": not field.whole}
    element |= {"min_value": field.least} if field.least else {}
    element |= {"max_value": field.most} if field.most else {}
    value = field.value if _NUMBER.fullmatch(field.value) else ""
    fits = bool(value) and not (field.whole and "." in value)
    fits = fits and not (field.least and float(value) < float(field.least))
    fits = fits and not (field.most and float(value) > float(field.most))
    return element | ({"initial_value": value} if fits else {})


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _initial(value: str, pattern: re.Pattern[str]) -> dict[str, str]:
    return {"initial_value": value} if pattern.fullmatch(value) and size(value) <= _LONGEST_ANSWER else {}


def _choice(field: FormField) -> JsonObject:
    shown = [(_option(choice), choice) for choice in field.choices[:_OPTIONS]]
    given = field.value.casefold()
    chosen = next((option for option, choice in shown if given and choice.meaning.casefold() == given), None)
    # Nobody can take back what they chose of radio buttons, so what may be left out drops down.
    kind = "radio_buttons" if len(shown) <= _RADIOS and not field.optional else "static_select"
    element: JsonObject = {"type": kind, "options": [option for option, _ in shown]}
    return element | ({"initial_option": chosen} if chosen else {})


def _option(choice: Choice) -> JsonObject:
    return {"text": plain(choice.label, _OPTION), "value": cut(choice.meaning, _OPTION_VALUE)}


def _words(field: FormField) -> JsonObject:
    longest = min(field.longest or _LONGEST_ANSWER, _LONGEST_ANSWER)
    element: JsonObject = {"type": "plain_text_input", "multiline": field.kind == "long", "max_length": longest}
    # Whether a field that may be left out is held to its shortest when it is, Slack's reference does not say.
    shortest = field.shortest if not field.optional and field.shortest <= longest else 0
    element |= {"min_length": shortest} if shortest else {}
    fits = shortest <= len(field.value) and size(field.value) <= longest
    return element | ({"initial_value": field.value} if field.value and fits else {})
