"""Whatever a stranger sends, nothing raises and nothing takes long."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.replies import Button
from bot.text import (
    Chosen,
    Examples,
    Unsure,
    amounts_in,
    choose,
    date_in,
    dates_said,
    decimal_in,
    digits,
    emails_in,
    fill,
    integer_in,
    meaning,
    numbers_in,
    phones_in,
    yes_no,
)
from bot.text.plain import words

TODAY = date(2026, 11, 20)
EXAMPLES = Examples([("a", "where is order {number}"), ("b", "move it to {city}"), ("c", "I don't want it, cancel")])
OPTIONS = [
    Button(token="t1", label="Yes, 2 of them", value="yes"),
    Button(token="t2", label="🚚", value=""),
    Button(token="t3", label="Blue \ud800", value="3"),
]
EVERYTHING: dict[str, Callable[[str], object]] = {
    "choose": lambda text: choose(text, OPTIONS),
    "meaning": meaning,
    "yes_no": yes_no,
    "digits": digits,
    "numbers_in": numbers_in,
    "emails_in": emails_in,
    "phones_in": phones_in,
    "amounts_in": amounts_in,
    "integer_in": integer_in,
    "decimal_in": decimal_in,
    "date_in": lambda text: date_in(text, TODAY),
    "dates_said": dates_said,
    "rank": EXAMPLES.rank,
    "fill": lambda text: fill("from {place} to {number} on {date} at {town} for {amount}", text),
    "words": words,
}

LANGUAGE = [
    "one",
    "two",
    "hundred",
    "and",
    "double",
    "oh",
    "w",
    "#W2611340",
    "1234567",
    "$12.50",
    "1.200",
    "2026-11-20",
    "31/02/2026",
    "in",
    "999",
    "months",
    "ago",
    "last",
    "friday",
    "3",
    "march",
    "a@b.co",
    "+49",
    "170",
    "1234567",
    "don't",
    "want",
    "to",
    "cancel",
    "yes",
    "no",
    "👍",
    "👎",
    "the",
    "second",
    "blue",
    "one,",
    "please?",
    "मदद",
    "مساعدة",
    "٢",
    "½",
    "²",
    "Ⅷ",
    "�",
    "\x00",
    "ﷺ",
    "ﬁ",
    "İ",
    "ß",
    "\u202e",
    "{number}",
    "0",
    "00",
    "-1",
    "99999999999999999999",
    "9999-99-99",
    "february",
    "30",
    "ending",
    "in",
    "340",
    "not",
]

anything = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=()), max_size=200),
    st.lists(st.sampled_from(LANGUAGE), max_size=12).map(" ".join),
    st.lists(st.sampled_from(LANGUAGE), max_size=12).map("".join),
)


@given(anything)
@settings(max_examples=300, deadline=None)
def test_nothing_raises(text: str) -> None:
    for read in EVERYTHING.values():
        read(text)


@given(anything, st.lists(anything, min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_choices_are_among_those_offered(text: str, labels: list[str]) -> None:
    options = [Button(token=f"t{place}", label=label, value="") for place, label in enumerate(labels)]
    match choose(text, options):
        case Chosen(button=button):
            assert button in options
        case Unsure(options=several):
            assert len(several) > 1
            assert all(option in options for option in several)


@given(st.lists(anything, min_size=1, max_size=6), anything)
@settings(max_examples=200, deadline=None)
def test_scores_lie_between_nothing_and_one(sentences: list[str], text: str) -> None:
    examples = Examples([(str(place), sentence) for place, sentence in enumerate(sentences)])
    assert all(0.0 <= score.score <= 1.0 for score in examples.rank(text))


@given(
    st.lists(
        st.sampled_from(["where", "is", "my", "parcel", "blue", "lamp", "order", "refund", "arrives"]),
        min_size=1,
        max_size=8,
    )
)
@settings(deadline=None)
def test_an_examples_own_sentence_scores_one(spoken: list[str]) -> None:
    examples = Examples([("own", " ".join(spoken)), ("other", "open the shop"), ("more", "where is the blue refund")])
    assert examples.rank(" ".join(spoken).upper() + "!")[0].score == 1.0


MEGABYTES = {
    "one letter": "a" * 1_000_000,
    "one digit": "1" * 1_000_000,
    "digits apart": "1 " * 500_000,
    "number words": "one two double " * 70_000,
    "address": "a." * 500_000 + "@",
    "ats": "a@" * 500_000,
    "spaces": " " * 1_000_000,
    "brackets": "(+1-" * 250_000,
    "commas": "1,000" * 200_000,
    "ligatures": "\ufdfa" * 1_000_000,
    "accents": "e\u0301" * 500_000,
    "slots": "{a}" * 330_000,
}


@pytest.mark.parametrize("reader", EVERYTHING)
def test_a_megabyte_is_quick(reader: str) -> None:
    for name, text in MEGABYTES.items():
        start = time.process_time()
        EVERYTHING[reader](text)
        assert time.process_time() - start < 1.0, name
