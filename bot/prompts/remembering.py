"""What skills told of a person, as sources for a prompt: the nearest to the question first, then the newest."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import msgspec

from bot.context import Excerpt
from bot.messages import Value
from bot.prompts.likeness import likeness

TOLD = "told:"
"""What the keys of such facts begin with."""


class Memory(Value, frozen=True):
    """A sentence about a person, and when it was told, in seconds since 1970."""

    text: str
    at: float


def memories(facts: Mapping[str, bytes], question: str) -> tuple[Excerpt, ...]:
    """The memories among a person's facts, each with how much it has to do with the question."""
    found = []
    for key, data in facts.items():
        with contextlib.suppress(msgspec.DecodeError):  # a skill has a key of its own that begins like this
            found.append((key.removeprefix(TOLD), msgspec.json.decode(data, type=Memory)))
    near = likeness(question, [memory.text for _, memory in found])
    return tuple(
        Excerpt(text=memory.text, name=name, origin="memory", relevance=relevance, at=memory.at)
        for (name, memory), relevance in zip(found, near, strict=True)
    )
