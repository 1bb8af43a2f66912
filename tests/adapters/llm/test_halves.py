"""Characters that come in halves are joined, and halves that stay alone can't reach the store."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adapters.llm.answers import Reader
from bot.ports import CallPiece, Inquiry, Line, Words

FIRST, SECOND, LAMP = "\ud83d", "\udca1", "\U0001f4a1"

ANSWERS = [
    ([f"a lamp {FIRST}", f"{SECOND} for you"], f"a lamp {LAMP} for you"),
    ([f"a lamp {FIRST}{SECOND}"], f"a lamp {LAMP}"),
    ([f"a lamp {FIRST}", " for you"], "a lamp \ufffd for you"),
    (["a lamp ", f"{SECOND}!"], "a lamp \ufffd!"),
    ([f"a lamp {FIRST}"], "a lamp \ufffd"),
    ([FIRST, "", SECOND], LAMP),
]


def chunk(reason: str | None = None, **delta: Any) -> SimpleNamespace:
    said = SimpleNamespace(**{"content": None, "tool_calls": None, **delta})
    choice = SimpleNamespace(index=0, delta=said, finish_reason=reason)
    return SimpleNamespace(usage=None, choices=[choice])


@pytest.mark.parametrize(("said", "whole"), ANSWERS)
def test_words_are_whole(said: list[str], whole: str) -> None:
    reader = Reader(Inquiry(model="m", lines=(Line(role="user", text="Hi"),)))
    pieces = [piece for text in said for piece in reader.chunk(chunk(content=text))]
    pieces += [*reader.chunk(chunk("stop")), *reader.end()]
    words = [piece.text for piece in pieces if isinstance(piece, Words)]
    assert "".join(words) == whole
    assert all(text.encode() for text in words)


@pytest.mark.parametrize(("said", "whole"), ANSWERS)
def test_arguments_are_whole(said: list[str], whole: str) -> None:
    reader = Reader(Inquiry(model="m", lines=(Line(role="user", text="Hi"),)))
    pieces = []
    for place, text in enumerate(said):
        function = SimpleNamespace(name="" if place else "find", arguments=text)
        call = SimpleNamespace(index=0, id="" if place else "a", function=function)
        pieces += reader.chunk(chunk(tool_calls=[call]))
    pieces += [*reader.chunk(chunk("tool_calls")), *reader.end()]
    arguments = [piece.arguments for piece in pieces if isinstance(piece, CallPiece)]
    assert "".join(arguments) == whole
    assert all(isinstance(text.encode(), bytes) for text in arguments)
