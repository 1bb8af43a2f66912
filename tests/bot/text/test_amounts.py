"""The one number that an answer states."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.text.amounts import decimal_in, integer_in
from tests.bot.text.tables import each


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200.50", "1200.50"),
        ("1.200,50", "1200.50"),
        ("€ 3,50", "3.50"),
        ("$12.50 please", "12.50"),
        ("0.500", "0.500"),
        ("twelve", "12"),
        ("twenty five", "25"),
        ("two thousand and five", "2005"),
        ("-2", "-2"),
        ("about 12 of them", "12"),
        ("a dozen", "12"),
        ("rs 500", "500"),
        ("1,200", "1200"),
        ("one", "1"),
    ],
)
def test_decimals(text: str, value: str) -> None:
    assert decimal_in(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    each("""2 or 3|1.200|the red one|A4|2nd|one two three||12kg|I don't want 2|1,2,3|between 2 and 5|1 000|no|12 34
I have been waiting for my order for about 12 days and nobody has told me anything"""),
)
def test_unsure(text: str) -> None:
    assert decimal_in(text) is None


def test_integers_are_whole() -> None:
    assert integer_in("12 please") == 12
    assert integer_in("3.00") == 3
    assert integer_in("3.5") is None
    assert integer_in("9" * 500) is None
