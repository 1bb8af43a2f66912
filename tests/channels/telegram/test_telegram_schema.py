"""The strict server speaks as the official one does, and its check of what is said to it can fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.platforms import telegram, telegram_rules
from tests.platforms.telegram import ANA, TelegramServer
from tests.platforms.telegram_schema import SPEC, specification

needs_data = pytest.mark.skipif(not SPEC.is_file(), reason="needs the Bot API's data in ../shared/data/telegram")

OFFICIAL = (
    "Bad Request: chat not found",
    "Bad Request: group chat was upgraded to a supergroup chat",
    "Bad Request: wrong file_id or the file is temporarily unavailable",
    "Bad Request: secret token is too long",
    "Bad Request: secret token contains unallowed characters",
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    "Not Found: method not found",
    "Internal Server Error",
    "Unauthorized",
)
"""Refusals that the official server's own source has word by word; the others come from deeper inside."""


@needs_data
def test_refusals_are_in_the_official_words() -> None:
    strings = json.loads((SPEC.parent / "official_server_error_strings.json").read_text(encoding="utf-8"))
    known = {error["text"] for error in strings["errors"]}
    ours = "".join(Path(module.__file__ or "").read_text(encoding="utf-8") for module in (telegram, telegram_rules))
    for said in OFFICIAL:
        assert said in known
        assert f'"{said}"' in ours


@needs_data
@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("sendMessage", {"text": "no chat"}),
        ("sendMessage", {"chat_id": 1, "text": 5}),
        ("sendMessage", {"chat_id": 1, "text": "x", "colour": "red"}),
        ("sendMessage", {"chat_id": 1, "text": "x", "entities": [{"type": "bold", "offset": 0}]}),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": {"inline_keyboard": [{"text": "x"}]}}),
        ("sendEverything", {}),
    ],
)
def test_wrong_calls_are_found(method: str, given: dict[str, object]) -> None:
    known = specification()
    assert known is not None
    assert known.call(method, given)
    assert known.call("sendMessage", {"chat_id": 1, "text": "x"}) == []


@needs_data
def test_wrong_updates_are_found() -> None:
    server = TelegramServer()
    server.update(message=server.message("fine"))
    assert server.problems == []
    server.update(message={"message_id": 1, "from": ANA})
    assert server.problems
