"""What people see is the text: no more, no less, and nothing in it becomes a mark by itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import Button, Capabilities, Card, Choice, Field, Media, Mention, Reply, escape, parse, plain
from bot.rendering import fit
from bot.testing.channel_kit import HOSTILE
from channels.telegram.outgoing import MAX_CAPTION, MAX_TEXT, as_link, compose, data_of, label_of, measure, rows
from channels.telegram.render import Entity, Rendered, is_lone_link, literal, render, units, unmarked
from tests.platforms.telegram import words
from tests.platforms.telegram_rules import JOINER, clean, taken

FULL = Capabilities(max_text=MAX_TEXT, buttons=20, markdown=True, cards=True, media=True)


def shown(text: Rendered) -> str:
    """As the strict server shows it: it refuses marks that are out of place."""
    entities = [
        {"type": one.type, "offset": one.offset, "length": one.length, **({"url": one.url} if one.url else {})}
        for one in text.entities
    ]
    seen, kept = taken({"text": text.text, "entities": entities}, "text", "entities", 10**9, "")
    return words({"text": seen, "entities": kept})


def squeezed(text: str) -> str:
    """Words only: a bullet is drawn as a dot, a rule as a line, and space at the ends of lines is gone."""
    text = clean(re.sub("[\u2028\u2029]", "\n", text)).replace(JOINER, "").replace("•", "-").replace("———", "---")
    return "".join(re.sub(r"[\x80-\x9f]", " ", re.sub("[\ud800-\udfff]", "\ufffd", text)).split())


MARKED = st.lists(
    st.sampled_from(
        ["word", "**", "*", "~~", "`", "```\n", "\n", "\n\n", "> ", "- ", "1. ", "# ", "[a](https://b.example/c)", "🙂",
         "[x](javascript:1)", "<https://d.example>", "@ana", "@", "---\n", "[q](tg://user?id=1)", " ", "[m](mention:0)",
         "\\", "[`c`](https://e.example)", "e\u0301", "\t", "[**b** i](http://f.example)"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(MARKED)
@example("> - a\n> - b\n\n[a](https://b.example)")
@example("*@*ana")
def test_what_is_shown_is_what_plain_text_would_show(text: str) -> None:
    text = text.replace("[m](mention:0)", "m")  # no mention, no link
    # A quote without words has a bar in plain text only.
    assert squeezed(shown(render(text))).replace(">", "") == squeezed(plain(parse(text))).replace(">", "")


@given(st.text(max_size=300))
@example("<b>bold</b> &amp; *x* _y_ [z](https://e.example)")
@example("tg://user?id=5001 @ana @@ana a@b.example")
def test_escaped_words_are_shown_as_they_are_and_have_no_marks(text: str) -> None:
    rendered = render(escape(text))
    assert rendered.entities == ()
    assert squeezed(shown(rendered)) == squeezed(text.replace("\0", "\ufffd"))  # CommonMark knows no NUL


@given(st.text(max_size=300) | MARKED)
def test_no_words_call_anybody(text: str) -> None:
    rendered = render(text)
    assert not re.search(r"(?<![\w@])@\w", rendered.text)
    assert all(one.type != "text_mention" and not one.url.startswith("tg:") for one in rendered.entities)


@given(st.text(max_size=200) | MARKED)
def test_marks_fit_their_text(text: str) -> None:
    rendered = render(text)
    assert rendered.units == measure(text) == len(rendered.text.encode("utf-16-le")) // 2
    for one in rendered.entities:
        assert 0 <= one.offset < one.offset + one.length <= rendered.units


def test_styles_are_marks() -> None:
    text = render("# Head\n\n🙂 **bold** *it* ~~gone~~ `code` [link](https://e.example/a)\n\n```python\nx = 1\n```")
    assert text.text == "Head\n\n🙂 bold it gone code link\n\nx = 1"
    assert [(one.type, one.offset, one.length) for one in text.entities] == [
        ("bold", 0, 4),
        ("bold", 9, 4),
        ("italic", 14, 2),
        ("strikethrough", 17, 4),
        ("code", 22, 4),
        ("text_link", 27, 4),
        ("pre", 33, 5),
    ]
    assert (text.entities[-2].url, text.entities[-1].language) == ("https://e.example/a", "python")


def test_lists_and_quotes() -> None:
    text = render("> said\n>\n> > before\n\nthen:\n\n- one\n  more\n  1. inner\n- two")
    assert text.text == "said\n\n> before\n\nthen:\n\n• one\n  more\n  1. inner\n• two"
    assert [(one.type, one.offset, one.length) for one in text.entities] == [("blockquote", 0, 14)]


def test_only_the_author_calls_people() -> None:
    ana = Mention(user="5001", name="Ana")
    text = "[Ana](mention:0), [Ben](mention:1), [you](tg://user?id=5002), @carl"
    called = [one for one in render(text, [ana]).entities if one.user]
    assert called == [Entity(type="text_mention", offset=0, length=3, user="5001")]
    assert render(text).text == "Ana, Ben, you (tg://user?id=5002), @\u2060carl"
    assert render("[x](mention:0)", [Mention(user="@channel", name="x")]).entities == ()
    assert render("[x](mention:²)", [ana]).text == "x"


def test_links_that_telegram_would_not_make_are_written_out() -> None:
    for link in ("javascript:alert(1)", "http://localhost/x", "https://a b", "mailto:ana@shop.example"):
        assert render(f"[here](<{link}>)").entities == ()
        assert link in render(f"[here](<{link}>)").text
    assert render("<https://shop.example/x>").text == "https://shop.example/x"


def test_behind_the_hundredth_mark_links_are_written_out() -> None:
    text = render(" ".join(f"[a{n}](https://e.example/{n})" for n in range(120)))
    assert len(text.entities) == 100
    assert "a99 a100 (https://e.example/100)" in text.text


def test_without_marks_links_are_written_out() -> None:
    assert unmarked(render("🙂 **a** [b](https://e.example) c")).text == "🙂 a b (https://e.example) c"


def test_a_lone_link_has_a_preview() -> None:
    assert is_lone_link(render("https://shop.example/lamp"))
    assert is_lone_link(render("[Lamp](https://shop.example/lamp)"))
    assert not is_lone_link(render("See https://shop.example/lamp"))
    assert not is_lone_link(render("[a](https://a.example) [b](https://b.example)"))


@settings(max_examples=15)
@given(st.text(max_size=200) | MARKED, st.integers(1, 30))
def test_any_reply_that_the_core_fits_is_within_the_limits(text: str, times: int) -> None:
    reply = Reply(
        text=f"{text} " * times, card=Card(title="T", text=text * times), media=(Media(url="https://e.example/x"),)
    )
    for part in fit(reply, FULL, measure):
        for outgoing in compose(part):
            most = MAX_CAPTION if outgoing.media is not None else MAX_TEXT
            assert outgoing.text.units <= most


@pytest.mark.parametrize("what", HOSTILE)
def test_parts_hold_all_the_words(what: str) -> None:
    text = HOSTILE[what]
    parts = [outgoing for part in fit(Reply(text=text), FULL, measure) for outgoing in compose(part)]
    assert all(outgoing.text.units <= MAX_TEXT for outgoing in parts)
    assert squeezed("".join(shown(outgoing.text) for outgoing in parts)).replace(">", "") == squeezed(
        plain(parse(text))
    ).replace(">", "")


def test_a_short_text_is_the_caption_of_its_picture() -> None:
    picture = Media(url="https://e.example/cat.png", type="image/png", alt="A cat")
    (both,) = compose(Reply(text="**Look:**", media=(picture,)))
    assert both.text.text == "Look:\n\nA cat"
    text, alone = compose(Reply(text="Look: " * 300, media=(picture,)))
    assert (text.media, alone.media) == (None, picture)
    assert alone.text.text == "A cat"
    assert len(compose(Reply(text="Look:", media=(picture,)), apart=True)) == 2


def test_buttons_are_under_the_last_message() -> None:
    button = Button(token="t", label="Yes", value="yes")
    picture = Media(url="https://e.example/cat.png", type="image/png")
    reply = Reply(text="Sure?", media=(picture, picture), choices=(Choice(label="Yes"),), buttons=(button,))
    assert [outgoing.buttons for outgoing in compose(reply)] == [(), (button,)]
    assert compose(Reply(buttons=(button,)))[0].text.text == "…"
    assert compose(Reply()) == ()


def test_a_card_is_a_quote_under_the_text() -> None:
    card = Card(
        title="Blue *lamp*",
        text="Bright.",
        fields=(Field(name="Price", value="40 €"),),
        url="https://shop.example/lamp",
        image=Media(url="https://shop.example/lamp.png", type="image/png"),
    )
    (one,) = compose(Reply(text="This?", card=card))
    assert one.text.text == "This?\n\nBlue *lamp*\nBright.\nPrice: 40 €\nhttps://shop.example/lamp"
    assert {(mark.type, mark.offset) for mark in one.text.entities} == {("blockquote", 7), ("bold", 7)}
    assert one.media == card.image


def test_labels_and_tokens_within_their_limits() -> None:
    assert label_of("  a\nb ") == "a b"
    assert units(label_of("🙂" * 100)) <= 64
    assert label_of("x" * 100).endswith("…")
    assert label_of("\x00 ") == "…"
    assert data_of("c0123456789abcdef0123.17.20.1") == "c0123456789abcdef0123.17.20.1"
    assert len(data_of("é" * 40).encode()) <= 64
    assert data_of("é" * 40) != data_of("é" * 41)
    short, long = Button(token="t", label="1", value=""), Button(token="t", label="x" * 20, value="")
    assert [len(row) for row in rows((short,) * 7)] == [3, 3, 1]
    assert [len(row) for row in rows((long,) * 2)] == [1, 1]


def test_a_file_that_can_not_be_sent_is_a_link_with_all_that_stood_below_it() -> None:
    media = Media(url="https://e.example/a.pdf", name="a.pdf")
    (outgoing,) = compose(
        Reply(text="**Bill** 🙂", media=(media,), buttons=(Button(token="t", label="Ok", value="ok"),))
    )
    link = as_link(outgoing)
    assert words({"text": link.text.text, "entities": [
        {"type": one.type, "offset": one.offset, "length": one.length, "url": one.url} for one in link.text.entities
    ]}) == "Bill 🙂\na.pdf (https://e.example/a.pdf)"  # fmt: skip
    assert link.buttons == outgoing.buttons


def test_what_telegram_would_take_out_is_not_sent() -> None:
    assert literal("a\x00b\r\nc\u202ed\ud83d") == "a b\ncd\ufffd"
