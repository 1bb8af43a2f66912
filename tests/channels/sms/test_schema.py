"""Twilio's own description of its API is really asked: what it forbids, the strict server's check finds."""

from __future__ import annotations

import pytest

from tests.platforms.twilio_schema import problems, there

needs_data = pytest.mark.skipif(not there, reason="needs Twilio's OpenAPI description in ../shared/data/twilio")

FORM = {"To": ["+14155550123"], "From": ["+14155550100"], "Body": ["hello"]}


@needs_data
def test_what_is_right_is_right() -> None:
    media = ["https://files.example/1.png", "https://files.example/2.png"]
    assert problems({**FORM, "MediaUrl": media, "StatusCallback": ["https://bot.example/x"]}) == []


@needs_data
@pytest.mark.parametrize(
    ("form", "word"),
    [
        ({"Body": ["hello"]}, "To"),
        ({**FORM, "Bdoy": ["hello"]}, "Bdoy is no parameter"),
        ({**FORM, "Body": ["a", "b"]}, "Body comes twice"),
        ({**FORM, "ValidityPeriod": ["soon"]}, "ValidityPeriod"),
        ({**FORM, "SmartEncoded": ["maybe"]}, "SmartEncoded"),
    ],
)
def test_what_is_wrong_is_found(form: dict[str, list[str]], word: str) -> None:
    assert any(word in problem for problem in problems(form))
