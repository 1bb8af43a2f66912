"""CommonMark in, plain lines and parts out: by example."""

from __future__ import annotations

import time

import pytest

from bot.rendering import Block, Document, Span, markdown, parse, plain, split


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Bold**, *it*, ~~old~~ and `code`.", "Bold, it, old and code."),
        ("[our shop](https://a.b/c_d?e=1&f=2)", "our shop (https://a.b/c_d?e=1&f=2)"),
        ("<https://a.b/c>", "https://a.b/c"),
        ("[https://a.b](https://a.b/)", "https://a.b"),
        ("<me@a.b> [+1 2](tel:+1)", "me@a.b +1 2 (tel:+1)"),
        ("![A red lamp](https://a.b/x.png)", "A red lamp (https://a.b/x.png)"),
        ("[](https://a.b)", "https://a.b"),
        ("- one\n- two\n  1. in\n  2. in two\n", "- one\n- two\n  1. in\n  2. in two"),
        ("7. seven\n8. eight\n   more\n", "7. seven\n8. eight\n   more"),
        ("# Title\ntext\n\n\nmore", "Title\ntext\n\nmore"),
        ("> said\n> so", "> said\n> so"),
        ("```py\na = [1]\n\nb\n```", "a = [1]\n\nb"),
        ("one\ntwo\\\nthree", "one\ntwo\nthree"),
        ("<b>not html</b> &amp; 1 < 2", "<b>not html</b> & 1 < 2"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("1\\) Yes\\\n2\\) No", "1) Yes\n2) No"),
        ("- - x", "-\n  - x"),
        ("", ""),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(parse(text)) == shown
    assert plain(parse(markdown(parse(text)))) == shown


def test_the_document_says_what_stands_where() -> None:
    document = parse("# Hi\n\nA **b *c*** `d`\n\n3. e\n   ```py\n   f\n   ```\n\n> - g")
    assert document == Document(
        blocks=(
            Block(kind="heading", level=1, spans=(Span(text="Hi"),)),
            Block(
                spans=(
                    Span(text="A "),
                    Span(text="b ", bold=True),
                    Span(text="c", bold=True, italic=True),
                    Span(text=" "),
                    Span(text="d", code=True),
                )
            ),
            Block(depth=1, marker="number", number=3, spans=(Span(text="e"),)),
            Block(kind="code", language="py", depth=1, tight=True, spans=(Span(text="f"),)),
            Block(depth=1, marker="bullet", quote=1, spans=(Span(text="g"),)),
        )
    )


def test_two_lists_do_not_become_one_that_renumbers() -> None:
    assert plain(parse(markdown(parse("1. a\n2. b\n\n1) c\n2) d")))).split() == [
        "1.",
        "a",
        "2.",
        "b",
        "1.",
        "c",
        "2.",
        "d",
    ]


@pytest.mark.parametrize(
    "text", ["> " * 200 + "deep", "- " * 200 + "deep", "[" * 20_000 + "deep", "\n\n".join("x" * 20_000)]
)
def test_absurd_texts_keep_their_words(text: str) -> None:
    wanted = "deep" if "deep" in text else "x" * 20_000
    assert wanted in "".join(plain(parse(text)).split())


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("short", 10, ["short"]),
        ("anything at all", 0, ["anything at all"]),
        (" \n ", 10, []),
        ("First part.\n\nSecond part.", 15, ["First part.", "Second part."]),
        ("One is here. Two is here.", 20, ["One is here.", "Two is here."]),
        ("some words only", 11, ["some words", "only"]),
        ("aaaaaaaaaaaa", 5, ["aaaaa", "aaaaa", "aa"]),
        ("**some words only**", 14, ["**some words**", "**only**"]),
        ("see the [a b](http://x.y) now", 20, ["see the", "[a b](http://x.y)", "now"]),
        ("```py\na = 1\nb = 2\n```", 19, ["```py\na = 1\n```", "```py\nb = 2\n```"]),
        ("9. one two\n10. three", 12, ["9. one two", "10. three"]),
        ("9. one two three", 12, ["9. one two", "three"]),
        ("> one two three", 12, ["> one two", "> three"]),
        ("some text\n\n# Title\n\nmore text", 22, ["some text", "# Title\n\nmore text"]),
        ("日本語です。次の文です。", 8, ["日本語です。", "次の文です。"]),
    ],
)
def test_split(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit, len) == parts


def test_a_link_that_can_not_fit_is_written_out_and_cut() -> None:
    url = "https://a.b/" + "x" * 50
    parts = split(f"Look at [this]({url}) now", 30, len)
    assert all(len(part) <= 30 for part in parts)
    assert "".join("".join(plain(parse(part)).split()) for part in parts) == f"Lookatthis({url})now"


def test_one_character_too_big_is_still_sent() -> None:
    assert split("ab", 1, lambda text: 2 * len(text)) == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox, jumps over it. It is a well-known sentence!\n" * 16_000,
        "x" * 1_000_000,
        "some **bold** text and *it* here. " * 30_000,
        "- an item with words\n" * 48_000,
        "[" * 1_000_000,
        "a\n\n" * 333_000,
    ],
    ids=["prose", "one word", "bold", "list", "brackets", "tiny paragraphs"],
)
def test_a_megabyte_is_split_in_time(text: str) -> None:
    started = time.process_time()
    parts = split(text, 1600, len)
    assert time.process_time() - started < 2.0  # about 0.3 s here; the rest is for slow machines
    assert all(len(part) <= 1600 for part in parts)
    assert sum(len(part) for part in parts) >= len("".join(text.split()))
