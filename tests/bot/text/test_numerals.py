"""Numbers in words."""

from __future__ import annotations

import pytest

from bot.text.numerals import cardinal, digits
from tests.bot.text.tables import each


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("order number one two three four five six seven", "order number 1234567"),
        ("double five triple zero oh one", "5500001"),
        ("twelve thirty four", "1234"),
        ("it is W two six one one, I think", "it is W2611, I think"),
        ("one hundred and five", "105"),
        ("two thousand and twelve pounds", "2012 pounds"),
        ("five thousand six hundred and seven", "5607"),
        ("twenty twenty six", "2026"),
        ("twenty-five", "25"),
        ("oh seven nine one two", "07912"),
        ("1 two 3", "123"),
        ("One Two", "12"),
    ],
)
def test_runs_become_digits(text: str, written: str) -> None:
    assert digits(text) == written


@pytest.mark.parametrize(
    "text",
    each("""I'd like one please|one|one or two|oh two days|order 1234 two days ago|W 261|w two|I two|double
hundred thousand
double double|and one|someone twofold|two, three"""),
)
def test_the_rest_stays(text: str) -> None:
    assert digits(text) == text


def test_the_tail_of_a_long_text_stays() -> None:
    text = "one two " + "x " * 500_000 + "one two"
    assert digits(text) == "12 " + text[8:]


def test_cardinals() -> None:
    assert cardinal(["two", "thousand", "and", "five"]) == 2005
    assert cardinal(["twelve"]) == 12
    assert cardinal(["one", "two"]) is None
    assert cardinal(["blue"]) is None
    assert cardinal([]) is None
