"""What people and models write is looked through once, wherever a pattern searches it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.summaries.textrank import sentences
from bot.context.extracting import Said, extract
from bot.context.measure import rough
from bot.dialog.fields import address_in, url_in
from bot.operations.log import masked
from bot.rendering.filling import escape
from bot.rendering.parsing import parse
from bot.rendering.writing import markdown
from channels.slack.words import words
from tests.growth import assert_linear


def on_slack(text: str) -> str:
    return words({"text": text}, "U1", str)


def summed_up(text: str) -> str:
    return extract([Said(who="customer", text=text)], 100, rough)


def rewritten(text: str) -> str:
    return markdown(parse("# " + text))


@pytest.mark.parametrize(
    ("look", "begin", "unit", "end"),
    [
        (address_in, "", "a", ""),
        (address_in, "", "a@", ""),
        (url_in, "", "a", ""),
        (url_in, "", "a.", ""),
        (url_in, "", "https://", ""),
        (masked, "", "a", ""),
        (masked, "", "«", ""),
        (masked, "", "“", ""),
        (escape, "\n", " ", "x"),
        (parse, "a", " ", "x"),
        (rewritten, "a", "#", "x"),
        (sentences, "", "\n ", "x"),
        (sentences, "", "```a\n", "x"),
        (on_slack, "x", " ", "x"),
        (summed_up, "", "a", ""),
    ],
)
def test_long_words_and_gaps_cost_no_square(look: Callable[[str], object], begin: str, unit: str, end: str) -> None:
    assert_linear(look, begin, unit, end)


PLAIN_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")
PLAIN_URL = re.compile(r"(https?://)?((?:[^\s<>/@:.]+\.)+[^\s<>/@:.]{2,}(?::\d{1,5})?(?:[/?#][^\s<>]*)?)")


@given(st.lists(st.sampled_from(["a", "b1", "@", ".", ",", " ", ":", "/", "https://", "?", ";"]), max_size=14))
def test_addresses_are_found_that_a_plain_search_would_find(signs: list[str]) -> None:
    text = "".join(signs)
    email, url = PLAIN_EMAIL.search(text), PLAIN_URL.search(text)
    assert address_in(text) == (email[0].rstrip(".") if email else None)
    assert url_in(text) == ((url[1] or "https://") + url[2].rstrip(".,;!") if url else None)


@given(st.text(st.sampled_from(" \t\r\nax")).map("a{}a".format))
def test_line_breaks_are_folded_that_a_plain_search_would_fold(text: str) -> None:
    assert escape(text) == (text if text.isprintable() else re.sub(r"\s*[\r\n]\s*", " ", text))
