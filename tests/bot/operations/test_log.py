"""Logs are JSON or text, and hold neither secrets nor anybody's words."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.operations.log import configure, masked
from bot.settings import LogSettings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_where_nobody_sits() -> None:
    stream = io.StringIO()
    configure(LogSettings(), set(), stream)
    log = structlog.get_logger()
    log.debug("too_quiet")
    log.info("reply_sent", turn="c1.2", ms=3, odd={1, 2}.__class__)
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["turn"], line["ms"]) == ("reply_sent", "info", "c1.2", 3)


def test_text_where_it_is_wanted() -> None:
    stream = io.StringIO()
    configure(LogSettings(format="text", level="debug"), set(), stream)
    structlog.get_logger().debug("reply_sent", turn="c1.2")
    assert "reply_sent" in stream.getvalue()
    assert "turn=c1.2" in stream.getvalue()
    assert "\x1b" not in stream.getvalue(), "no colours where no terminal is"


def test_secrets_are_hidden_by_value_wherever_they_stand_even_those_that_come_later() -> None:
    stream = io.StringIO()
    secrets = {"xoxb-first-token"}
    configure(LogSettings(), secrets, stream)
    log = structlog.get_logger()
    token = "xoxb-first-token"
    log.info("one", url=f"https://x/{token}/y", deep={"a": [token]}, error=ValueError(token))
    secrets.add("second-token")
    log.warning("two", what="second-token and xoxb-first-token")
    assert "token" not in stream.getvalue()
    assert lines(stream)[1]["what"] == "[hidden] and [hidden]"


def test_an_exception_is_told_by_kind_and_place_without_its_quotations() -> None:
    stream = io.StringIO()
    configure(LogSettings(), set(), stream)
    try:
        int("my card is 4111111111111111")
    except ValueError:
        structlog.get_logger().exception("skill_failed")
    (line,) = lines(stream)
    assert line["error"] == "ValueError: invalid literal for int() with base 10: '…'"
    assert "tests/bot/operations/test_log.py:" in str(line["at"])
    assert "4111" not in stream.getvalue()


def test_the_libraries_speak_through_the_same_mouth() -> None:
    stream = io.StringIO()
    configure(LogSettings(), {"hunter2hunter2"}, stream)
    logging.getLogger("aiohttp.server").error("token hunter2hunter2 %s", 5)
    logging.getLogger("aiohttp.access").info("GET /")
    (line,) = lines(stream)
    assert (line["logger"], line["say"], line["level"]) == ("aiohttp.server", "token [hidden] 5", "error")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("no order \"W123\" for 'ann'", "no order '…' for '…'"),
        ("write to ann@example.org now", "write to …@… now"),
        ("call 4915112345678, room 12", "call …, room 12"),
    ],
)
def test_masking(words: str, expected: str) -> None:
    assert masked(words) == expected
