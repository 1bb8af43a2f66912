"""Turning what steps return into JSON and back, typed by the step's return annotation.

The live path returns the decoded copy too, so that a value that would change on replay is found at once.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
from pydantic import BaseModel, TypeAdapter

from bot.errors import Misuse

Decode = Callable[[bytes], Any]


class Codec:
    """Encodes and decodes one type."""

    def __init__(self, kind: Any) -> None:
        self._decode: Decode
        self._pydantic: TypeAdapter[Any] | None = None
        if _has_pydantic(kind):
            self._pydantic = TypeAdapter(kind)
            self._decode = self._pydantic.validate_json
        else:
            self._decode = msgspec.json.Decoder(kind).decode

    def encode(self, value: object) -> bytes:
        """JSON of a value."""
        return self._pydantic.dump_json(value) if self._pydantic else msgspec.json.encode(value)

    def decode(self, data: bytes) -> Any:
        """The value of some JSON."""
        return self._decode(data)


def freeze(name: str, kind: Any, value: object) -> tuple[bytes, Any]:
    """Encode a value and decode it again.

    Raises Misuse when it can't be stored, or comes back as something else (a tuple without an annotation, say).
    """
    try:
        codec = codec_for(kind)
        data = codec.encode(value)
        copy = codec.decode(data)
    except (TypeError, ValueError, msgspec.MsgspecError, NotImplementedError) as problem:
        raise Misuse(f"{name} gave a {type(value).__name__} that can't be stored: {problem}") from problem
    if copy != value:
        raise Misuse(
            f"{name} gave {type(value).__name__}, which comes back from the journal as {type(copy).__name__}; "
            "annotate its return type"
        )
    return data, copy


@lru_cache(maxsize=1024)
def codec_for(kind: Any) -> Codec:
    """The codec of a type; Any keeps plain JSON."""
    return Codec(kind)


def return_type(function: Callable[..., object]) -> Any:
    """What a function is annotated to return; Any where it says nothing."""
    try:
        hints = typing.get_type_hints(getattr(function, "__func__", function))
    except (NameError, TypeError):
        return Any
    return hints.get("return", Any)


def _has_pydantic(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return True
    if dataclasses.is_dataclass(kind):
        return False
    return any(_has_pydantic(part) for part in typing.get_args(kind))
