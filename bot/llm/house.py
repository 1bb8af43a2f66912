"""What the house can answer without a model: out of its own pages, by likeness, by copying what stands in a text.

Each engine knows when it does not know: then there is an honest sentence instead of a guess. What is asked about is the
last line of the question; labels and fields stand in its schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from bot.errors import PortMissing, ToolError
from bot.llm.offline import Engine, Engines
from bot.ports import Account, KnowledgeEngine, LongText, Profile, ProfileReader, Question, Summarizer
from bot.ports.engine import Engine as Finder
from bot.ports.engine import Finding
from bot.ports.llm import Answer, Ask
from bot.ports.models import Schema
from bot.services import Services
from bot.text import THRESHOLD, Examples, amounts_in, dates_said, emails_in, integer_in, numbers_in, phones_in

A = TypeVar("A", bound=BaseModel)
R = TypeVar("R", bound=BaseModel)

WORDS_OF_A_SENTENCE = 20
"""How many words a copied sentence has, about: a summary of so many words gets as many sentences as fit."""

_LABEL = re.compile(r"^- (?P<label>[^:\n]+)(?:: (?P<meaning>.*))?$", re.MULTILINE)
_AT_MOST = re.compile(r"at most (\d+) words")

NONE = "none"
"""The label that says that no other one fits."""


def furnish(engines: Engines, services: Services) -> None:
    """Have the engines that stand on `services`; a port that nobody provides is asked for nothing."""
    engines.add(Labels())
    engines.add(Fields(services))
    engines.add(Pages(services))
    engines.add(Gist(services))


class Labels(Engine):
    """Which of the labels in the schema a text is like: by the words of the label and of what is said about it."""

    tasks = ("classify",)

    async def answer(self, ask: Ask) -> Answer | None:
        """The label, or "none" where that is one of them."""
        name, labels = _labels(ask.schema)
        if not labels:
            return None
        said = {found["label"]: found["meaning"] or "" for line in ask.lines for found in _LABEL.finditer(line.text)}
        examples = Examples((label, f"{label} {said.get(label, '')}") for label in labels if label != NONE)
        best = next(iter(examples.rank(_text(ask))), None)
        if best is not None and best.score >= THRESHOLD:
            return _json({name: best.intent}, "likeness")
        return _json({name: NONE}, "likeness") if NONE in labels else None


class Fields(Engine):
    """Copies what a text says into the fields of a schema, by their names. What is not there is not guessed."""

    tasks = ("extract",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, ask: Ask) -> Answer | None:
        """The fields as JSON, or None where a required one could not be found."""
        fields: Mapping[str, Any] = (ask.schema or {}).get("properties", {})
        if not fields:
            return None
        text = _text(ask)
        found = await _found(self._services, ProfileReader, lambda: Account(text=text))
        profile = found.result if found is not None else Profile()
        values = {name: value for name in fields if (value := _value(name, fields[name], text, profile)) is not None}
        missing = [name for name in (ask.schema or {}).get("required", ()) if name not in values]
        return None if missing or not values else _json(values, "rules")


class Pages(Engine):
    """Answers out of the house's pages, with the source."""

    tasks = ("answer",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, ask: Ask) -> Answer | None:
        """A passage that answers it, or None where the pages do not."""
        if ask.schema is not None or ask.tools:
            return None
        found = await _found(self._services, KnowledgeEngine, lambda: Question(question=_text(ask)[:2000]))
        if found is None or not found.result.known:
            return None
        source = next(iter(found.result.sources), "")
        text = f"{found.result.answer}\n\n({source})" if source else found.result.answer
        return Answer(text=text, rung="offline", provider="house", model=found.by)


class Gist(Engine):
    """A summary out of the text's own sentences."""

    tasks = ("summarize",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, ask: Ask) -> Answer | None:
        """The sentences that say most, about as many words as were asked for."""
        asked = next((int(limit[1]) for line in ask.lines if (limit := _AT_MOST.search(line.text))), 60)
        sentences = max(1, min(20, asked // WORDS_OF_A_SENTENCE))
        found = await _found(
            self._services, Summarizer, lambda: LongText(text=_text(ask)[:100_000], sentences=sentences)
        )
        if found is None:
            return None
        return Answer(text=found.result.summary, rung="offline", provider="house", model=found.by)


async def _found(services: Services, port: type[Finder[A, R]], asked: Callable[[], A]) -> Finding[R] | None:
    """What the engine behind a port finds; None where there is none, or it can't say."""
    try:
        return await services.get(port).find(asked())
    except (PortMissing, ToolError, ValidationError):
        return None


def _value(name: str, field: Mapping[str, Any], text: str, profile: Profile) -> object | None:
    """What a text says of a field: a rule for its name, the first that finds something of the field's type."""
    kind = field.get("type", "string")
    if kind in ("integer", "number"):
        found = integer_in(text) if kind == "integer" else next(iter(amounts_in(text)), None)
        return None if found is None else (found if kind == "integer" else float(found))
    for words, look in _RULES.items():
        if any(word in name.lower() for word in words):
            values = look(text, profile)
            return list(values) if kind == "array" else next(iter(values), None)
    return None


Look = Callable[[str, Profile], Sequence[str]]

_RULES: Mapping[tuple[str, ...], Look] = {
    ("mail",): lambda text, _: emails_in(text),
    ("phone", "mobile"): lambda text, _: phones_in(text),
    ("price", "amount", "total", "cost"): lambda text, _: amounts_in(text),
    ("date", "day", "when"): lambda text, _: dates_said(text),
    ("company", "employer"): lambda _, profile: _some(profile.company),
    ("role", "job"): lambda _, profile: _some(profile.role),
    ("place", "city", "town"): lambda _, profile: _some(profile.place),
    ("language",): lambda _, profile: profile.languages,
    ("skill",): lambda _, profile: profile.skills,
    ("interest",): lambda _, profile: profile.interests,
    ("goal",): lambda _, profile: profile.goals,
    ("number", "order", "_id", "reference"): lambda text, _: numbers_in(text),
    ("name",): lambda _, profile: _some(profile.name),
}
"""By parts of a field's name, the more telling ones first."""


def _some(value: str) -> Sequence[str]:
    return (value,) if value else ()


def _labels(schema: Schema | None) -> tuple[str, list[str]]:
    """The one field of a schema, and what may be chosen for it."""
    fields = list((schema or {}).get("properties", {}).items())
    if len(fields) != 1:
        return "", []
    name, field = fields[0]
    return name, list(field.get("enum", ()))


def _json(value: object, engine: str) -> Answer:
    return Answer(text=msgspec.json.encode(value).decode(), rung="offline", provider="house", model=engine)


def _text(ask: Ask) -> str:
    return ask.lines[-1].text if ask.lines else ""
