"""Slots of examples."""

from __future__ import annotations

import pytest

from bot.text.slots import fill


@pytest.mark.parametrize(
    ("example", "text", "filled"),
    [
        ("has order {number} shipped", "Has order #W2611340 shipped?", {"number": "W2611340"}),
        ("has order {number} shipped", "has order one two three four shipped", {"number": "1234"}),
        ("has order {number} shipped", "has it shipped", {}),
        ("compare {number} and {number2}", "compare 1234 and 5678", {"number": "1234", "number2": "5678"}),
        ("deliver to {city}", "please deliver it to New York, thanks", {"city": "New York"}),
        ("refund {amount} to {email}", "refund $12.50 to a@b.co", {"amount": "$12.50", "email": "a@b.co"}),
        ("come {date}", "come next Friday at 3 or tomorrow", {"date": "next friday"}),
        ("call {phone}", "call me at +49 170 1234567", {"phone": "+491701234567"}),
        ("play {song} by {artist}", "Play Yesterday by The Beatles!", {"song": "Yesterday", "artist": "The Beatles"}),
        ("my name is {name}", "hello, my name is Zoë please", {"name": "Zoë"}),
        ("a {b} c", "zzz", {}),
        ("no slots", "anything", {}),
    ],
)
def test_fill(example: str, text: str, filled: dict[str, str]) -> None:
    assert fill(example, text) == filled
