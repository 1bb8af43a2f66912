"""Tells what a model says to people from what it thinks, and from calls that it writes into its text.

Some models (Qwen, Llama, many small ones) write a call as a fenced block of JSON, or between <tool_call> tags, where
their server does not know their habit. Text that may become one is held back until it is clear.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from typing import Any

from bot.ports import ToolCall

THINK, THOUGHT = "<think>", "</think>"
MARKS = ("```", "<tool_call>", "<|python_tag|>")
FENCES = {"", "json", "tool_call", "tool_calls", "tool_code"}
BLOCK = re.compile(r"```[a-z_]*\s*(.*?)(?:```|\Z)|<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)


class Speech:
    """The text of one answer, as it comes. Without `tools` nothing in it can be a call."""

    def __init__(self, tools: Collection[str]) -> None:
        self._tools = frozenset(tools)
        self._kept = ""
        self._begun = self._thinking = self._held = False
        self._plain = not self._tools

    @property
    def thinking(self) -> bool:
        """Whether what comes now is thought, and not said."""
        return self._thinking

    def add(self, text: str) -> str:
        """What may be shown now."""
        self._kept += text
        if not self._begun and not self._begins():
            return ""
        if self._held:
            return ""
        if self._plain:
            return self._take(len(self._kept))
        return self._look()

    def end(self) -> tuple[str, list[ToolCall]]:
        """The answer is over: what is still to be shown, and the calls that were written into the text."""
        kept, self._kept = self._kept, ""
        if self._thinking:
            return "", []
        calls = calls_in(kept, self._tools) if self._held else []
        return ("", calls) if calls else (kept, [])

    def _begins(self) -> bool:
        """Get past thoughts at the beginning; False while it is not clear yet."""
        if self._thinking:
            _, end, rest = self._kept.partition(THOUGHT)
            if not end:
                return False
            self._thinking, self._kept = False, rest
        self._kept = self._kept.lstrip()
        if not self._kept:
            return False
        if self._kept.startswith(THINK):
            self._thinking = True
            return self._begins()
        if THINK.startswith(self._kept):
            return False
        self._begun = True
        self._held = not self._plain and self._kept[0] in "{["
        return True

    def _look(self) -> str:
        """Show what stands before a mark; hold the rest if it can be a call."""
        at = min((found for mark in MARKS if (found := self._kept.find(mark)) >= 0), default=-1)
        if at < 0:
            return self._take(len(self._kept) - _tail(self._kept))
        if self._kept.startswith("```", at):
            line, newline, _ = self._kept[at + 3 :].partition("\n")
            if line.strip().lower() not in FENCES and (newline or not _may_become(line.strip().lower())):
                self._plain = True  # a block of code: what follows is text
                return self._take(len(self._kept))
            if not newline and "{" not in line:
                return self._take(at)  # which fence it is, the rest of the line tells
        self._held = True
        return self._take(at)

    def _take(self, size: int) -> str:
        taken, self._kept = self._kept[:size], self._kept[size:]
        return taken


def calls_in(text: str, tools: Collection[str]) -> list[ToolCall]:
    """The calls of tools that a text consists of; none where anything else is in its JSON."""
    blocks = [one or two for one, two in BLOCK.findall(text)] or [text.replace("<|python_tag|>", "")]
    calls: list[ToolCall] = []
    for value in (value for block in blocks for value in _values(block)):
        call = _call(value, tools, len(calls))
        if call is None:
            return []
        calls.append(call)
    return calls


def _values(text: str) -> list[Any]:
    """JSON values one after the other; lists are opened. What can't be read makes the text no call."""
    found: list[Any] = []
    decoder = json.JSONDecoder()
    text = text.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[1:-1]  # the doubled braces of a chat template, which small models copy
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except ValueError:
            return found if found else [None]
        found.extend(value if isinstance(value, list) else [value])
        text = text[end:].lstrip(" \t\r\n;,")
    return found


def _call(value: object, tools: Collection[str], number: int) -> ToolCall | None:
    if not isinstance(value, dict):
        return None
    inner = value.get("function")
    whole = inner if isinstance(inner, dict) else value
    name = whole.get("name") or (inner if isinstance(inner, str) else None)
    arguments: object = next((whole[key] for key in ("arguments", "parameters", "args") if key in whole), {})
    if name not in tools:
        return None
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    mark = hashlib.sha256(f"{number}{name}{written}".encode()).hexdigest()[:12]
    return ToolCall(id=f"call_{mark}", name=str(name), arguments=written)


def _tail(text: str) -> int:
    """How many characters at the end may be the beginning of a mark."""
    longest = max(len(mark) for mark in MARKS) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in MARKS):
            return size
    return 0


def _may_become(word: str) -> bool:
    return any(fence.startswith(word) for fence in FENCES) or word.startswith(("json{", "json {", "{", "["))
