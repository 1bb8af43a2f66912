"""What Slack refuses, and what it shows: the limits of its reference, and Block Kit as a person sees it.

Where ../shared/data has Slack's own types as JSON Schema, everything that is sent is held against them too.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "slack"
SCHEMAS = DATA / "json-schema-slack-types-3.2.0"
PAYLOADS = DATA / "bolt-python-test-payloads"

Json = dict[str, Any]

_TEXTS = {"header": 150, "button": 75, "option": 75}


def units(text: str) -> int:
    """UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def wrong_message(body: Json) -> str:
    """Slack's word for what is wrong with a message; empty when nothing is."""
    text, blocks = body.get("text", ""), body.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if units(text) > 40_000:
        return "msg_too_long"
    if any(mark in text for mark in ("<@", "<!", "<#", "<http")):
        return "test_fallback_has_markup"  # ours: the fallback never calls anybody
    if body.get("unfurl_links") or body.get("unfurl_media") or body.get("link_names"):
        return "test_unfolds"  # ours: words never become more than words
    return wrong_blocks(blocks)


def wrong_blocks(blocks: list[Json], most: int = 50) -> str:
    """What is wrong with blocks."""
    if len(blocks) > most:
        return "invalid_blocks: more than 50"
    if _against("blocks", blocks):
        return "invalid_blocks: schema: " + _against("blocks", blocks)
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)) or any(len(id) > 255 for id in ids):
        return "invalid_blocks: block_id"
    for block in blocks:
        if problem := _wrong_block(block):
            return f"invalid_blocks: {problem}"
    try:  # what Slack's own library would not let out
        for known in Block.parse_all(blocks):
            known.validate_json()
    except SlackObjectFormationError as problem:
        return f"invalid_blocks: {problem}"
    return ""


def wrong_view(view: Json) -> str:
    """What is wrong with a modal or a Home."""
    if _against("view", view):
        return "invalid_arguments: schema: " + _against("view", view)
    try:
        View(**view).validate_json()
    except SlackObjectFormationError as problem:
        return f"invalid_arguments: {problem}"
    if view["type"] == "modal" and (units(view["title"]["text"]) > 24 or units(view["submit"]["text"]) > 24):
        return "invalid_arguments: title"
    if len(view.get("private_metadata", "")) > 3000 or len(view["blocks"]) > 100:
        return "invalid_arguments: size"
    ids = [block.get("block_id") for block in view["blocks"] if block.get("block_id")]
    if len(ids) != len(set(ids)):
        return "invalid_arguments: block_id"
    for block in view["blocks"]:
        if block["type"] == "input":
            if units(block["label"]["text"]) > 2000 or not block["label"]["text"]:
                return "invalid_arguments: label"
            if problem := _wrong_element(block["element"]) or _wrong_input(block["element"]):
                return f"invalid_arguments: {problem}"
    return wrong_blocks([block for block in view["blocks"] if block["type"] != "input"], 100)


def wrong_answer(view: Json, answer: Any) -> str:
    """What is wrong with the answer to a modal that was sent in; "errors" may name its inputs only."""
    if not answer:
        return ""
    match answer.get("response_action"):
        case "clear":
            return "clear has nothing with it" if len(answer) > 1 else ""
        case "errors":
            inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
            errors = answer.get("errors") or {}
            return "" if errors and set(errors) <= inputs and all(errors.values()) else "errors"
        case _:
            return "response_action"


def wrong_arguments(method: str, body: Json) -> str:
    """What Slack's own client would not let a caller say: an argument that a method has not, or one that is missing."""
    call = getattr(AsyncWebClient, method.replace(".", "_"), None)
    if call is None:
        return ""
    known = inspect.signature(call).parameters
    needed = {name for name, one in known.items() if one.default is one.empty and one.kind is one.KEYWORD_ONLY}
    if missing := needed - set(body):
        return f"invalid_arguments: {method} lacks {sorted(missing)}"
    unknown = set(body) - set(known) - {"token"}
    return f"test_unknown_argument: {method} has no {sorted(unknown)}" if unknown else ""


def wrong_stream(body: Json) -> str:
    """Slack's word for what is wrong with a stream that begins [its reference, and what others saw of chats of two]."""
    direct, (team, user) = (
        body["channel"].startswith("D"),
        (body.get(f"recipient_{one}_id") for one in ("team", "user")),
    )
    if direct and (team or user):
        return "invalid_arguments"
    if not direct and not user:
        return "missing_recipient_user_id"
    if not direct and not str(team).startswith("T"):
        return "missing_recipient_team_id"
    return wrong_markdown(body)


def wrong_markdown(body: Json) -> str:
    """A part of a stream has 12,000 characters at most, and some."""
    text = body.get("markdown_text", "")
    if not text:
        return "no_text"
    return "msg_too_long" if units(text) > 12_000 else "test_markup" if re.search("<[@!#h]", text) else ""


def wrong_manifest(manifest: Json) -> str:
    """What is wrong with a manifest; the schema that it is held against too is Slack's own, where it is at hand."""
    shown, features, settings = (manifest[name] for name in ("display_information", "features", "settings"))
    if not 0 < len(shown["name"]) <= 35 or not 0 < len(shown["description"]) <= 140:
        return "display_information"
    commands, shortcuts = features.get("slash_commands", [{}]), features.get("shortcuts", [{}])
    if not 0 < len(commands) <= 50 or not 0 < len(shortcuts) <= 10:
        return "too many, or an empty list"
    for one in filter(None, commands):
        if not re.fullmatch(r"/[^\s/]{1,31}", one["command"]) or not 0 < len(one["description"]) <= 2000:
            return f"slash_commands: {one}"
        if ("url" in one) == settings["socket_mode_enabled"]:
            return "a command has an address in HTTP only"
    for one in filter(None, shortcuts):
        if not 0 < len(one["name"]) <= 24 or not 0 < len(one["description"]) <= 150:
            return f"shortcuts: {one}"
    scopes, events = manifest["oauth_config"]["scopes"]["bot"], settings["event_subscriptions"]["bot_events"]
    if len(scopes) != len(set(scopes)) or len(events) != len(set(events)):
        return "twice the same"
    missing = [event for event in events if not NEEDED.get(event, set()) <= set(scopes)]
    return f"no scope for {missing}" if missing else ""


NEEDED: dict[str, set[str]] = {
    "app_mention": {"app_mentions:read"},
    "assistant_thread_context_changed": {"assistant:write"},
    "assistant_thread_started": {"assistant:write"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "reaction_added": {"reactions:read"},
    "reaction_removed": {"reactions:read"},
}
"""The scopes without which Slack lets nobody subscribe to an event [Slack's reference]."""


def _wrong_input(element: Json) -> str:
    """The limits of inputs, which what stands in them from the start has to keep as well."""
    value = element.get("initial_value", "")
    match element["type"]:
        case "plain_text_input":
            least, most = element.get("min_length", 0), element.get("max_length", 3000)
            if not 0 <= least <= most <= 3000 or most < 1:
                return "plain_text_input"
            return "" if not value or least <= units(value) <= most else "initial_value"
        case "number_input":
            least, most = (element.get(name) for name in ("min_value", "max_value"))
            if least is not None and most is not None and float(least) > float(most):
                return "number_input"
            if value and not element["is_decimal_allowed"] and not re.fullmatch(r"-?\d+", value):
                return "initial_value"
            if not value:
                return ""
            fits = (least is None or float(value) >= float(least)) and (most is None or float(value) <= float(most))
            return "" if fits else "initial_value"
        case "datepicker":
            given = element.get("initial_date", "2026-01-01")
            return "" if re.fullmatch(r"\d{4}-\d\d-\d\d", given) else "initial_date"
        case "radio_buttons" | "static_select":
            options, initial = element["options"], element.get("initial_option")
            if element["type"] == "radio_buttons" and not 0 < len(options) <= 10:
                return "options"
            values = [option["value"] for option in options]
            return "" if len(values) == len(set(values)) and (not initial or initial in options) else "initial_option"
        case _:
            return ""


def _wrong_block(block: Json) -> str:
    match block["type"]:
        case "section":
            return "section" if units(block["text"]["text"]) > 3000 else ""
        case "rich_text":
            # The reference says nothing of rich text; sections have 3,000, and we keep to that.
            texts = [element for element in walk(block) if element.get("type") in ("text", "link", "user")]
            if any(element.get("type") == "text" and not element["text"] for element in texts):
                return "empty text"
            people = [element["user_id"] for element in texts if element.get("type") == "user"]
            if any(not re.fullmatch("[UW][A-Z0-9]+", user) for user in people):
                return "no such user"
            return "rich_text" if sum(units(element.get("text", "")) for element in texts) > 3000 else ""
        case "header":
            return "header" if not 0 < units(block["text"]["text"]) <= 150 else ""
        case "image":
            long = len(block["image_url"]) > 3000 or units(block["alt_text"]) > 2000
            return "image" if long or not block["alt_text"] or not block["image_url"].startswith("http") else ""
        case "context":
            return "context" if not 0 < len(block["elements"]) <= 10 else ""
        case "actions":
            elements = block["elements"]
            ids = [element["action_id"] for element in elements]
            if not 0 < len(elements) <= 25 or len(ids) != len(set(ids)):
                return "actions"
            return next((problem for element in elements if (problem := _wrong_element(element))), "")
        case _:
            return ""


def _wrong_element(element: Json) -> str:
    match element["type"]:
        case "button":
            fits = 0 < units(element["text"]["text"]) <= 75 and len(element.get("value", "")) <= 2000
            return "" if fits and element["text"]["text"].strip() else "button"
        case "static_select" | "radio_buttons":
            options = element["options"]
            if not 0 < len(options) <= 100:
                return "options"
            bad = [o for o in options if not 0 < units(o["text"]["text"]) <= 75 or not 0 < len(o["value"]) <= 150]
            return "option" if bad else ""
        case _:
            return ""


@cache
def _validator(name: str) -> Any:
    if not SCHEMAS.is_dir() or find_spec("jsonschema") is None:
        return None
    import jsonschema  # noqa: PLC0415 - only where the schemas are

    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema)


def _against(name: str, value: object) -> str:
    validator = _validator(name)
    if validator is None:
        return ""
    error = next(iter(validator.iter_errors(value)), None)
    return f"{list(error.absolute_path)}: {error.message[:200]}" if error is not None else ""


def walk(value: object) -> Iterator[Json]:
    """Every object inside of a block, in order."""
    if isinstance(value, list):
        for one in value:
            yield from walk(one)
    elif isinstance(value, dict):
        yield value
        for one in value.values():
            if isinstance(one, dict | list):
                yield from walk(one)


# --- what a person sees


def seen(message: Json) -> str:
    """A message as it is drawn: its blocks, or its text where it has none, and the names of its files."""
    blocks = message.get("blocks") or []
    words = "\n".join(draw(block) for block in blocks) if blocks else _unescaped(message.get("text", ""))
    files = [file.get("title") or file.get("name", "") for file in message.get("files", [])]
    return "\n".join([words, *files])


def draw(block: Json) -> str:
    """One block."""
    match block["type"]:
        case "rich_text":
            return rich(block)
        case "divider":
            return "---"
        case "header" | "section":
            return str(block["text"]["text"])
        case "image":
            return str(block["alt_text"])
        case "context":
            return " ".join(element["text"] for element in block["elements"])
        case "actions":
            return "\n".join(label for element in block["elements"] for label in _labels(element))
        case "input":
            return str(block["label"]["text"])
        case other:
            raise AssertionError(f"nobody draws {other}")


def rich(block: Json) -> str:
    """Rich text as lines: lists with "- " and "1. ", each part on a line of its own."""
    lines = []
    for part in block["elements"]:
        if part["type"] == "rich_text_list":
            for number, item in enumerate(part["elements"], 1):
                marker = f"{number}. " if part["style"] == "ordered" else "- "
                lines.append("  " * part.get("indent", 0) + marker + _inline(item))
        else:
            lines.append(_inline(part))
    return "\n".join(lines)


def bold(message: Json) -> str:
    """All words in bold."""
    return " ".join(
        element["text"]
        for element in walk(message.get("blocks", []))
        if element.get("type") in ("text", "link") and element.get("style", {}).get("bold")
    )


def called(message: Json) -> list[str]:
    """The people whom a message calls."""
    return [element["user_id"] for element in walk(message.get("blocks", [])) if element.get("type") == "user"]


def links(message: Json) -> list[str]:
    """Where the links of a message lead."""
    return [element["url"] for element in walk(message.get("blocks", [])) if element.get("type") == "link"]


def _inline(part: Json) -> str:
    words = []
    for element in part["elements"]:
        match element["type"]:
            case "text":
                words.append(element["text"])
            case "link":
                url, text = element["url"], element.get("text", "")
                same = text.strip() in (url, url.removeprefix("mailto:"), url.removeprefix("tel:"), url.rstrip("/"))
                words.append(text if same else f"{text} ({url})")
            case "user":
                words.append("@" + element["user_id"])
            case other:
                raise AssertionError(f"nobody draws {other}")
    return "".join(words)


def _labels(element: Json) -> list[str]:
    if element["type"] == "static_select":
        return [option["text"]["text"] for option in element["options"]]
    return [element["text"]["text"]]


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
