"""The Bot API's specification as JSON Schema, for those who have it in ../shared: every call and update is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

SPEC = Path(__file__).resolve().parents[3] / "shared" / "data" / "telegram" / "bot-api-spec_api.json"

_SIMPLE = {
    "Integer": {"type": "integer"},
    "Float": {"type": "number"},
    "String": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "True": {"const": True},
}


class Specification:
    """What may be said to Telegram, and what it says."""

    def __init__(self) -> None:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - not everybody has the data, nor needs this

        spec = json.loads(SPEC.read_text(encoding="utf-8"))
        types = {name: _type(found) for name, found in spec["types"].items()}
        types["InputFile"] = {"type": "string"}  # an address, or attach:// and the part of the form
        self._methods = {
            name.lower(): Draft202012Validator({**_fields(found), "$defs": types})
            for name, found in spec["methods"].items()
        }
        self._types = {
            name: Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": types}) for name in ("Update", "Message")
        }

    def call(self, method: str, given: Mapping[str, Any]) -> list[str]:
        """What is wrong with a call."""
        if method.lower() not in self._methods:
            return [f"there is no method {method}"]
        return [f"{method}: {_said(error)}" for error in self._methods[method.lower()].iter_errors(given)]

    def value(self, kind: str, value: object) -> list[str]:
        """What is wrong with an Update or a Message."""
        return [f"{kind}: {_said(error)}" for error in self._types[kind].iter_errors(value)]


@cache
def specification() -> Specification | None:
    """The specification, if it is there."""
    return Specification() if SPEC.is_file() else None


def _said(error: Any) -> str:
    return f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def _type(found: Mapping[str, Any]) -> dict[str, Any]:
    if found.get("subtypes"):
        return {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in found["subtypes"]]}
    return _fields(found)


def _fields(found: Mapping[str, Any]) -> dict[str, Any]:
    fields = found.get("fields") or []
    return {
        "type": "object",
        "properties": {field["name"]: {"anyOf": [_one(name) for name in field["types"]]} for field in fields},
        "required": [field["name"] for field in fields if field["required"]],
        "additionalProperties": False,
    }


def _one(name: str) -> dict[str, Any]:
    if name.startswith("Array of "):
        return {"type": "array", "items": _one(name.removeprefix("Array of "))}
    return _SIMPLE.get(name) or {"$ref": f"#/$defs/{name}"}
