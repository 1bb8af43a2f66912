"""Checks requests and answers against OpenAI's own description of its API, where ../shared/data has it."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SPEC = Path(__file__).resolve().parents[3] / "shared" / "data" / "openai" / "openapi.json"

there = SPEC.is_file() and find_spec("jsonschema") is not None
"""Whether the description, and something to check with, are there."""

REQUEST = "CreateChatCompletionRequest"
CHUNK = "CreateChatCompletionStreamResponse"
ANSWER = "CreateChatCompletionResponse"
EMBEDDING = "CreateEmbeddingRequest"


def problems(name: str, value: Any) -> list[str]:
    """What is wrong with a value of the schema `name`; nothing where there is no description."""
    if not there:
        return []
    errors = _validator(name).iter_errors(value)
    found = [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in errors]
    if name in (REQUEST, EMBEDDING) and isinstance(value, dict):
        found += [f"{key} is no parameter" for key in value if key not in properties(name)]
    return found


def load() -> None:
    """Read the description now: it takes a second, which must not be in anybody's answer."""
    for name in (REQUEST, CHUNK, ANSWER, EMBEDDING):
        problems(name, {})


@cache
def properties(name: str) -> frozenset[str]:
    """The names that an object of this schema may have."""
    found: set[str] = set()

    def gather(schema: dict[str, Any]) -> None:
        if "$ref" in schema:
            gather(_schemas()[schema["$ref"].rpartition("/")[2]])
        found.update(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            gather(part)

    gather(_schemas()[name])
    return frozenset(found)


@cache
def _schemas() -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    schemas: dict[str, Any] = _nullable(spec["components"]["schemas"])
    return schemas


def _nullable(value: Any) -> Any:
    """`nullable` is a word of OpenAPI 3.0, which JSON Schema does not know."""
    if isinstance(value, list):
        return [_nullable(part) for part in value]
    if not isinstance(value, dict):
        return value
    made = {key: _nullable(part) for key, part in value.items() if key != "nullable"}
    if value.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made


@cache
def _validator(name: str) -> Any:
    import jsonschema  # noqa: PLC0415 - not every machine has it

    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _schemas()}}
    return jsonschema.Draft202012Validator(schema)
