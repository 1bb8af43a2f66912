"""What of a tool's arguments may be written down: choices and counts; no words, no addresses, no files. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Redacted = dict[str, Any]

LONGEST_COUNT = 4
"""Digits of a number that is taken for a count or a choice; a longer one may be somebody's order, code or phone."""


def redacted(asked: BaseModel) -> Redacted:
    """The fields that were set, each as far as it says nothing about anybody."""
    return {
        name: _shown(getattr(asked, name), field)
        for name, field in type(asked).model_fields.items()
        if name in asked.model_fields_set
    }


def shape_of(arguments: Mapping[str, Any], known: Collection[str]) -> Redacted:
    """The same for arguments that fit no model: only names that the tool knows, and how much stands there."""
    return {name: _counted(value) for name, value in arguments.items() if name in known}


def _shown(value: object, field: FieldInfo) -> object:
    if isinstance(value, str) and get_origin(field.annotation) is Literal and value in get_args(field.annotation):
        return value
    return _counted(value)


def _counted(value: object) -> object:
    match value:
        case Enum():
            return value.name
        case None | bool():
            return value
        case int():
            digits = len(str(abs(value)))
            return value if digits <= LONGEST_COUNT else {"digits": digits}
        case str():
            return {"characters": len(value)}
        case bytes():
            return {"bytes": len(value)}
        case BaseModel():
            return {"fields": sorted(value.model_fields_set & type(value).model_fields.keys())}
        case list() | tuple() | dict():
            return {"items": len(value)}
        case _:
            return {"kind": "other"}
