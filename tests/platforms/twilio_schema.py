"""Checks what is sent to Twilio against Twilio's own OpenAPI description, where ../shared/data has it."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "twilio"
SPEC = DATA / "twilio_api_v2010.json"

there = SPEC.is_file() and find_spec("jsonschema") is not None
"""Whether the description, and something to check with, are there."""


def problems(form: dict[str, list[str]]) -> list[str]:
    """What is wrong with a form that creates a message; nothing where there is no description."""
    if not there:
        return []
    validator, lists = _validator()
    value: dict[str, Any] = {name: given if name in lists else given[0] for name, given in form.items()}
    repeated = [f"{name} comes twice" for name, given in form.items() if len(given) > 1 and name not in lists]
    unknown = [f"{name} is no parameter" for name in form if name not in _properties()]
    wrong = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(value)]
    return repeated + unknown + wrong


@cache
def _spec() -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    return spec


@cache
def _properties() -> dict[str, Any]:
    post = _spec()["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]
    schema = post["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    properties: dict[str, Any] = schema["properties"]
    return properties


@cache
def _validator() -> tuple[Any, frozenset[str]]:
    import jsonschema  # noqa: PLC0415 - not every machine has it

    schema = {"type": "object", "required": ["To"], "properties": {n: _texts(p) for n, p in _properties().items()}}
    lists = frozenset(name for name, value in _properties().items() if value.get("type") == "array")
    schema["components"] = _spec()["components"]
    return jsonschema.Draft202012Validator(schema), lists


def _texts(schema: dict[str, Any]) -> dict[str, Any]:
    """A form holds texts: its numbers and booleans are checked as such."""
    patterns = {"integer": "^-?[0-9]+$", "number": "^-?[0-9.]+$", "boolean": "^(true|false)$"}
    if schema.get("type") in patterns:
        return {"type": "string", "pattern": patterns[schema["type"]]}
    return {key: value for key, value in schema.items() if key != "nullable"}
