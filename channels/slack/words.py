"""What a person wrote on Slack, as plain words: rich text and mrkdwn without their marks. Pure.

Knows nothing of messages. Values come from a stranger's JSON: whatever is not as it should be is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from emoji import emojize

Names = Callable[[str], str]
"""The name of a user id; empty when nobody knows it."""

_ENTITY = re.compile(r"<([^<>\s|][^<>|]*)(?:\|([^<>]*))?>")
_OWN = "\ue0fe"
"""Stands for the mention of ourselves until it is taken out, with the space and punctuation that it brought."""

_CALLED = re.compile(rf"^\s*{_OWN}[,:]?\s*|(?:(?<![ \t])[ \t]++)?{_OWN}")
_SURROGATES = re.compile("[\ud800-\udfff]")


def text_of(value: object) -> str:
    """A text; empty for anything else. Half characters become U+FFFD: nobody could store them."""
    return _SURROGATES.sub("\ufffd", value) if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, object]:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """A JSON array; empty for anything else."""
    return value if isinstance(value, list) else []


def words(event: Mapping[str, object], own: str, names: Names) -> str:
    """The words of a message event, without the mention of ourselves (`own`)."""
    rich = [block for block in map(mapping, items(event.get("blocks"))) if block.get("type") == "rich_text"]
    text = "\n".join(_rich(block, own, names) for block in rich)
    if not text.strip():
        text = from_mrkdwn(text_of(event.get("text")), own, names)
    return _CALLED.sub("", text).strip()


def mentions(event: Mapping[str, object], user: str) -> bool:
    """Whether a message event calls `user`."""
    return bool(user) and bool(re.search(rf"<@{re.escape(user)}[|>]", text_of(event.get("text"))))


def from_mrkdwn(text: str, own: str, names: Names) -> str:
    """Entities written out; asterisks stay, since nobody can tell a mark from a person's own."""

    def written(found: re.Match[str]) -> str:
        target, label = found[1], found[2] or ""
        if target[0] == "@":
            return _OWN if target[1:] == own else "@" + (label or names(target[1:]) or target[1:])
        if target[0] == "#":
            return "#" + (label or target[1:])
        if target[0] == "!":
            return label or "@" + target[1:].partition("^")[0]
        return _link(target, label)

    text = _ENTITY.sub(written, text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _link(url: str, label: str) -> str:
    bare = url.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (url, bare):
        return bare
    if bare.split("://")[-1].rstrip("/") == label.rstrip("/"):
        return label
    return f"{label} ({bare})"


def _rich(block: Mapping[str, object], own: str, names: Names) -> str:
    lines: list[str] = []
    for part in map(mapping, items(block.get("elements"))):
        if part.get("type") == "rich_text_list":
            numbered = part.get("style") == "ordered"
            for number, item in enumerate(map(mapping, items(part.get("elements"))), 1):
                lines.append((f"{number}. " if numbered else "- ") + _inline(item, own, names))
        else:
            lines.append(_inline(part, own, names).removesuffix("\n"))
    return "\n".join(lines)


def _inline(part: Mapping[str, object], own: str, names: Names) -> str:
    return "".join(_element(element, own, names) for element in map(mapping, items(part.get("elements"))))


def _element(element: Mapping[str, object], own: str, names: Names) -> str:
    match element.get("type"):
        case "text":
            return text_of(element.get("text"))
        case "link":
            return _link(text_of(element.get("url")), text_of(element.get("text")))
        case "user":
            user = text_of(element.get("user_id"))
            return _OWN if user == own else "@" + (names(user) or user)
        case "emoji":
            return _emoji(element)
        case "channel":
            return "#" + text_of(element.get("channel_id"))
        case "usergroup":
            return "@" + text_of(element.get("usergroup_id"))
        case "broadcast":
            return "@" + text_of(element.get("range"))
        case "date":
            return text_of(element.get("fallback"))
        case _:
            return ""


def emoji_of(name: str) -> str:
    """The character behind Slack's name of a reaction, without a skin's tone; a workspace's own keeps its name."""
    plain = name.partition("::")[0]
    character = emojize(f":{plain}:", language="alias")
    return plain if character == f":{plain}:" else character


def _emoji(element: Mapping[str, object]) -> str:
    try:
        return text_of("".join(chr(int(code, 16)) for code in text_of(element["unicode"]).split("-")))
    except (KeyError, ValueError, OverflowError):
        return f":{text_of(element.get('name'))}:"
