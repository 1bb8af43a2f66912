"""What a model wrote, as an instance of a pydantic model: found in its words, checked, and mended once.

Models wrap JSON in fences and sentences, whatever they were asked for. Nothing is guessed: what does not fit is told to
the model once, with the places, and then to the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from msgspec.structs import replace
from pydantic import BaseModel, ValidationError

from bot.errors import Misfit
from bot.ports.llm import Answer, Ask
from bot.ports.models import Line, Schema

M = TypeVar("M", bound=BaseModel)

_FENCE = re.compile(r"```[a-zA-Z]*+\s*+(.*?)```", re.DOTALL)
_STARTS = re.compile(r"[{\[]")
_UNREADABLE = (ValueError, RecursionError)  # the latter of a text of nothing but brackets
_MOST_STARTS = 50
_MOST_PROBLEMS = 10


async def into(complete: Callable[[Ask], Awaitable[Answer]], ask: Ask, shape: type[M]) -> M:
    """Ask for JSON of this shape. Raises Misfit when the second answer does not fit either, and all of `complete`."""
    asked = replace(ask, schema=schema_of(shape), needs=tuple(dict.fromkeys((*ask.needs, "json"))))
    answer = await complete(asked)
    try:
        return read(answer.text, shape)
    except Misfit as misfit:
        told = (
            Line(role="assistant", text=answer.text),
            Line(role="user", text=f"That does not fit: {misfit}. Answer again with the JSON alone, mended."),
        )
    second = await complete(replace(asked, lines=(*asked.lines, *told), cache="never"))
    return read(second.text, shape)


def schema_of(shape: type[BaseModel]) -> Schema:
    """Its JSON Schema, closed: strict modes of providers want every object to say that it has no other keys."""
    schema: Schema = shape.model_json_schema()
    _close(schema)
    return schema


def read(text: str, shape: type[M]) -> M:
    """The first JSON in a text that fits. Raises Misfit with the places where the best one does not."""
    problem = "there is no JSON in it"
    for found in _candidates(text):
        try:
            return shape.model_validate(found)
        except ValidationError as error:
            problem = said(error)
    raise Misfit(problem)


def _candidates(text: str) -> Iterator[Any]:
    """What could be the JSON: the whole, what is fenced, and what begins at a bracket; the last ones first.

    A model that thinks aloud first gives its answer at the end.
    """
    for part in (text, *reversed(_FENCE.findall(text))):
        try:
            yield json.loads(part)
        except _UNREADABLE:
            continue
    decoder, ends = json.JSONDecoder(), []
    at = 0
    for _ in range(_MOST_STARTS):
        start = _STARTS.search(text, at)
        if start is None:
            break
        try:
            value, at = decoder.raw_decode(text, start.start())
        except _UNREADABLE:
            at = start.start() + 1
            continue
        ends.append(value)
    yield from reversed(ends)


def said(error: ValidationError) -> str:
    """The mistakes, by place; never the values, which may be a person's words."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(str(part) for part in detail['loc']) or 'the whole'}: {detail['msg']}"
        for detail in details[:_MOST_PROBLEMS]
    )


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)
