"""CommonMark as a small tree of plain lists, from which the page builds its nodes. Pure; makes no HTML.

A node is a string (text) or a list: ["p", child...], ["a", {"href": ...}, child...]. Only the tags below exist, so
nothing that a person or a model wrote can become anything else.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token

Node = str | list["Node | dict[str, str]"]

_LINKS = ("https://", "http://", "mailto:", "tel:")
_TAGS = {
    "paragraph": "p",
    "heading": "h",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "em": "em",
    "strong": "strong",
    "s": "s",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
}
_LONGEST = 20_000


def nodes(text: str) -> list[Node]:
    """The blocks of a CommonMark text. A text beyond any message's length is shown as it is."""
    if len(text) > _LONGEST:
        return [["p", text]]
    # Raw HTML stays visible as text, and images become links: the page loads nothing that a message names.
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["strikethrough", "table"])
    return _build(parser.disable("html_block").parse(text))


def _build(tokens: list[Token]) -> list[Node]:
    root: list[Node | dict[str, str]] = []
    stack = [root]
    for token in tokens:
        kind, _, side = token.type.rpartition("_")
        if side == "open":
            node = _opened(kind, token)
            stack[-1].append(node)
            stack.append(node)
        elif side == "close":
            stack.pop()
        elif token.type == "inline":
            stack[-1].extend(_build(token.children or []))
        else:
            stack[-1].extend(_leaf(token))
    return [node for node in root if not isinstance(node, dict)]


def _opened(kind: str, token: Token) -> list[Node | dict[str, str]]:
    if kind == "link":
        href = str(token.attrGet("href") or "")
        return ["a", {"href": href}] if href.lower().startswith(_LINKS) else ["span"]
    if kind == "ordered_list" and (start := token.attrGet("start")) is not None:
        return ["ol", {"start": str(start)}]
    return [_TAGS.get(kind, "span")]


def _leaf(token: Token) -> list[Node]:
    match token.type:
        case "softbreak" | "hardbreak":
            return [["br"]]
        case "code_inline":
            return [["code", token.content]]
        case "fence" | "code_block":
            return [["pre", token.content]]
        case "hr":
            return [["hr"]]
        case "image":
            src = str(token.attrGet("src") or "")
            label = token.content or src
            return [["a", {"href": src}, label]] if src.lower().startswith(_LINKS) else [label]
        case _:
            return [token.content] if token.content else []
