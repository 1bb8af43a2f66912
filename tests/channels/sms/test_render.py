"""What is sent is what was meant: words as they are, nothing that rearranges a screen, links in sight."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import escape, parse, plain
from bot.channel import Capabilities
from bot.messages import Media
from bot.rendering import fit
from bot.rendering.portions import serve
from bot.replies import Reply
from channels.sms.gsm import measure, size
from channels.sms.render import render, safe

LIMITS = Capabilities(max_text=1600, max_parts=1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Hello**, *you*", "Hello, you"),
        ("[our shop](https://shop.example)", "our shop (https://shop.example)"),
        ("<https://shop.example>", "https://shop.example"),
        ("- tea\n- coffee", "- tea\n- coffee"),
        ("Hello [Ana](mention:0), and [x](mention:U7)", "Hello Ana, and x"),
        ("a\u202eb\u2066c\x07d\x1b[2J", "abcd[2J"),
        ("first\u2028second", "first\nsecond"),
        ("it’s “5” – or…", 'it\'s "5" - or...'),
    ],
)
def test_rendering(text: str, shown: str) -> None:
    assert render(text) == shown


def test_marks_stay_where_the_operator_wants_them() -> None:
    assert render("it’s “5”", keep_unicode=True) == "it’s “5”"


@given(st.text())
def test_what_people_say_is_shown_as_it_is(text: str) -> None:
    words = " ".join(text.split())
    assert squeezed(render(escape(text), keep_unicode=True)) == squeezed(safe(words))


@given(st.text())
def test_any_markdown_shows_its_words(text: str) -> None:
    assert squeezed(render(text, keep_unicode=True)) == squeezed(safe(plain(parse(text.replace("\0", "")))))


@given(st.text())
def test_no_control_gets_through(text: str) -> None:
    shown = render(text)
    assert all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cs") for char in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


WORDS = st.lists(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Z")), min_size=1, max_size=30))


@given(WORDS, st.integers(1, 10), st.integers(1, 40))
def test_whatever_the_core_fits_keeps_the_limits_and_every_word(words: list[str], segments: int, times: int) -> None:
    text = escape(" ".join(words * times))

    def measured(part: str) -> int:
        return measure(render(part), segments, 1600)

    parts = fit(Reply(text=text), LIMITS, measured)
    shown = [render(part.text) for part in parts]
    assert all(len(part) <= 1600 and size(part).segments <= segments for part in shown)
    assert squeezed("".join(shown)) == squeezed(render(text))
    now, rest = serve(Reply(text=text), LIMITS, measured)
    assert all(size(render(part.text)).segments <= segments for part in now + rest)
    assert len(now) <= 1


def test_files_and_choices_become_words() -> None:
    picture = Media(url="https://files.example/cat.png", name="cat.png", alt="A cat")
    (part,) = fit(Reply(text="Look:", media=(picture,)), LIMITS, len)
    assert render(part.text) == "Look:\n\nA cat (https://files.example/cat.png)"


def squeezed(text: str) -> str:
    """Without white space, which a split and a paragraph may change."""
    return "".join(text.split())
