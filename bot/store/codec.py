"""Values to JSON and back, for the store's columns. Knows no SQL.

Text from outside may hold lone surrogates, which UTF-8 has no bytes for: they become U+FFFD here. Event ids keep them
apart (as `\\ud800`), because two different ids must stay different.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bot.messages import Due, Message
from bot.replies import Reply
from bot.store.contract import DeskCall

V = TypeVar("V", bound=msgspec.Struct)

encode = msgspec.json.Encoder().encode
decode_message = msgspec.json.Decoder(Message).decode
decode_reply = msgspec.json.Decoder(Reply).decode
decode_call = msgspec.json.Decoder(DeskCall).decode
decode_due = msgspec.json.Decoder(Due).decode


def clean(value: V) -> V:
    """The same value with U+FFFD in place of every lone surrogate."""
    return msgspec.convert(_clean(msgspec.to_builtins(value)), type(value))


def clean_text(text: str) -> str:
    """The same text with U+FFFD in place of every lone surrogate."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_id(text: str) -> str:
    """An id that UTF-8 can hold; different ids stay different."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _clean(value: object) -> object:
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return value
