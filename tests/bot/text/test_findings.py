"""Order numbers, e-mail addresses, phone numbers and sums."""

from __future__ import annotations

import pytest

from bot.text.findings import amounts_in, emails_in, numbers_in, phones_in
from tests.bot.text.tables import each


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("has #W2611340 shipped and 1234567?", ["W2611340", "1234567"]),
        ("w2611340.", ["W2611340"]),
        ("order one two three four five", ["12345"]),
        ("it's #12", ["12"]),
        ("order 112-1234567-1234567", ["112-1234567-1234567"]),
        ("ORD-2024-00123 and FD-1042", ["ORD-2024-00123", "FD-1042"]),
        ("order number is 555", ["555"]),
        ("order no.778 9", ["778"]),
        ("1234 and #1234", ["1234"]),
        ("order12345 order#4567", ["12345", "4567"]),
    ],
)
def test_order_numbers(text: str, numbers: list[str]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(
    "text",
    each("""two of them|call +49 170 1234567|(555) 123-4567|paid $1200 on 2026-11-20|1000 mg of it|since 2019
covid-19|1234.50
a1234@example.com|1500 rupees|on 3 march 2026|12"""),
)
def test_what_is_no_order_number(text: str) -> None:
    assert numbers_in(text) == []


def test_phones() -> None:
    assert phones_in("call +49 170 1234567 or (555) 123-4567") == ["+491701234567", "5551234567"]
    assert phones_in("0049 170 1234567") == ["+491701234567"]
    assert phones_in("9876543210") == ["9876543210"]
    assert phones_in("order 1234567 of 2026-11-20 for $1,234,567.00") == []


def test_emails() -> None:
    found = emails_in("I'm jane.doe+x@example.co.uk; <mailto:a@b.co|A@b.co>.")
    assert found == ["jane.doe+x@example.co.uk", "a@b.co"]
    assert emails_in("me@home, @handle, a@b") == []


def test_amounts() -> None:
    assert amounts_in("5 or $12.50 for #77, order 123456") == ["$12.50", "5"]
    assert amounts_in("nothing") == []
