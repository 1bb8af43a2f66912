"""A model's reasoning is seen by nobody, however the stream cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompts import Private, visible
from tests.growth import assert_linear


def shown(pieces: list[str]) -> str:
    """What a person sees in the end, when each piece is shown as it comes."""
    private, screen = Private(), ""
    for chunk in (*map(private.feed, pieces), private.end()):
        screen = chunk.text if chunk.anew else screen + chunk.text
    assert screen == private.text
    return screen.strip()


ANSWERS = [
    ("<thinking>They want a refund.</thinking>\n\nYou get it back.", "You get it back."),
    ("<THINK>\nhm\n</THINK>Yes.", "Yes."),
    ("Yes.<thinking>never closed, secret", "Yes."),
    ("<thinking>all of it, secret", ""),
    ("hm, secret</think>Yes.", "Yes."),
    ("<thinking>a<thinking>secret</thinking>secret</thinking>Yes.", "Yes."),
    ("<thinking>I <think about it> secret</thinking>Yes.", "Yes."),
    ('<data from="tool">14 May</data> it is.', "14 May it is."),
    ("1 < 2, a <b>bold</b> claim", "1 < 2, a <b>bold</b> claim"),
    ("I <3 you <th", "I <3 you"),
    ("if x<y then thinking>no", "if x<y then thinking>no"),
    ("<thinking", ""),
    ("Look: <", "Look:"),
    ("Yes < thinking > secret < / thinking > No", "Yes  No"),
]


@pytest.mark.parametrize(("answer", "seen"), ANSWERS)
def test_whole_or_letter_by_letter_it_is_the_same(answer: str, seen: str) -> None:
    assert visible(answer) == seen
    assert shown(list(answer)) == seen
    assert "secret" not in seen


PIECES = [
    "<thinking>",
    "</thinking>",
    "<think>",
    "</think>",
    "secret ",
    "word ",
    "<",
    ">",
    "</",
    "<data>",
    "think",
    " < 3 ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_however_it_is_cut_the_same_is_shown(pieces: list[str], sizes: list[int]) -> None:
    answer = "".join(pieces)
    cut: list[str] = []
    place = 0
    while place < len(answer):
        size = sizes[len(cut) % len(sizes)]
        cut.append(answer[place : place + size])
        place += size
    assert shown(cut) == visible(answer)


@given(st.text("ab<>/ \n", max_size=30), st.text("cd<>/ \n", max_size=30))
def test_what_stands_between_the_marks_is_never_shown(thought: str, answer: str) -> None:
    whole = f"<thinking>X{thought}X</thinking>{answer}"
    for cut in ([whole], list(whole)):
        private = Private()
        for chunk in map(private.feed, cut):
            assert "X" not in chunk.text
        assert "X" not in private.end().text
        assert "X" in private.thought


def test_an_ordinary_answer_is_never_held_back() -> None:
    private = Private()
    assert [private.feed(piece).text for piece in ("Hel", "lo, 1 < 2 ", "and so on")] == [
        "Hel",
        "lo, 1 < 2 ",
        "and so on",
    ]
    assert private.feed("x" * 500 + "<").text == "x" * 500
    assert private.feed("b>").text == "<b>"


@pytest.mark.parametrize(("begin", "unit"), [("<", " "), ("</", "\n"), ("", "<think "), ("<think", " "), ("", "< ")])
def test_a_mark_that_never_ends_is_looked_through_once(begin: str, unit: str) -> None:
    assert_linear(visible, begin, unit, "x")
