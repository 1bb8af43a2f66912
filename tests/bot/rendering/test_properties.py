"""What must hold for every text: nothing is lost, every part fits, and people's words stay literal."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rendering import Block, Document, Span, escape, fill, markdown, parse, plain, split
from bot.rendering.parsing import read

MARKS = "ab1.)( \n\\-#>!&;<x/=+*_~`[]|:\t"
EXOTIC = "é🇩🇪👩‍👩‍👧e\u0301한\u1100\u1161\u11a8\u202eאب\u00a0\u2028\x0b\r\0"
PIECES = [
    "**bold words** ",
    "*it*",
    "~~gone~~ ",
    "`code` ",
    "[a link](http://x.y/z) ",
    "<https://q.r>",
    "\n\n```py\nx = [1]\n\ny\n```\n\n",
    "\n- item\n",
    "\n  - inner\n",
    "\n7. seven\n",
    "\n> quoted\n",
    "\n# Title\n",
    "\n***\n",
    "A sentence. ",
    "word ",
    "longwordwithoutspace",
    "👩‍👩‍👧",
]
noise = st.text(alphabet=MARKS + EXOTIC, max_size=60)
prose = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
texts = st.one_of(noise, prose, st.lists(st.one_of(st.sampled_from(PIECES), noise), max_size=8).map("".join))
spans = st.builds(
    Span,
    text=st.text(alphabet=MARKS + EXOTIC, max_size=8),
    bold=st.booleans(),
    italic=st.booleans(),
    strike=st.booleans(),
    code=st.booleans(),
    link=st.sampled_from(["", "", "http://x.y/a(b)&amp;_c", "javascript:alert(1)", "/f?a=1 2", "mailto:a@b.c"]),
)
blocks = st.builds(
    Block,
    spans=st.lists(spans, max_size=4).map(tuple),
    kind=st.sampled_from(["paragraph", "paragraph", "heading", "code", "rule"]),
    level=st.integers(1, 6),
    depth=st.integers(0, 3),
    marker=st.sampled_from(["", "bullet", "number"]),
    number=st.integers(0, 12),
    quote=st.integers(0, 2),
    tight=st.booleans(),
)
documents = st.lists(blocks, max_size=6).map(lambda found: Document(blocks=tuple(found)))


def words(document: Document) -> str:
    """The visible characters and the items' numbers, without white space."""
    parts = []
    for block in document.blocks:
        number = f"{block.number}." if block.marker == "number" else ""
        rule = "---" if block.kind == "rule" else block.text
        parts.append(number + rule)
    return "".join("".join(parts).replace("\0", "\ufffd").split())


def units(text: str) -> int:
    """A platform's measure: UTF-16 units of the plain text."""
    return len(plain(parse(text)).encode("utf-16-le", "surrogatepass")) // 2


@settings(max_examples=600, deadline=None)
@given(texts)
def test_writing_and_reading_again_keeps_every_word(text: str) -> None:
    document = parse(text)
    assert words(parse(markdown(document))) == words(document)


@settings(max_examples=600, deadline=None)
@given(texts)
def test_the_short_way_to_parse_agrees_with_the_long_one(text: str) -> None:
    assert words(parse(text)) == words(read(text))


@pytest.mark.parametrize("measure", [len, units])
@settings(max_examples=400, deadline=None)
@given(texts, st.integers(30, 120))
def test_parts_fit_and_lose_nothing(measure: object, text: str, limit: int) -> None:
    size = units if measure is units else len
    parts = split(text, limit, size)
    assert all(size(part) <= limit for part in parts)
    assert "".join(words(parse(part)) for part in parts) == words(parse(text))


CLUSTERS = ["a", "👩‍👧", "🇩🇪", "🇫🇷", "e\u0301", "\u1112\u1161\u11ab", "👍🏽", "क्\u200dष", " "]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(CLUSTERS), max_size=60), st.integers(12, 30))
def test_no_part_begins_in_the_middle_of_a_character(clusters: list[str], limit: int) -> None:
    whole = set(accumulate((len(cluster.strip()) for cluster in clusters), initial=0))
    parts = split("".join(clusters), limit, len)
    assert set(accumulate(len("".join(part.split())) for part in parts)) <= whole


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=MARKS + EXOTIC, min_size=1, max_size=30))
def test_escaped_words_stay_as_typed(text: str) -> None:
    document = parse("Hello " + escape(text))
    assert [block.kind for block in document.blocks] == ["paragraph"]
    assert all(span == Span(text=span.text) for span in document.blocks[0].spans)
    assert "".join(document.blocks[0].text.split()) == "".join(("Hello" + text.replace("\0", "\ufffd")).split())


@pytest.mark.parametrize(
    "template",
    ["{v}", "Hi {v}!", "**{v}** x", "*a{v}b*", "- {v}\n- b", "# T {v}", "`{v}`", "```\n{v}\n```", "> {v}", "{v}\n---"],
)
@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=MARKS + EXOTIC, max_size=20))
def test_filled_words_stay_as_typed_wherever_they_stand(template: str, value: str) -> None:
    value = value.replace("\0", "0")
    filled = parse(fill(template, {"v": value}))
    expected = words(parse(template)).replace("{v}", "".join(value.split()))
    assert words(filled) == expected
    assert not any(span.link for block in filled.blocks for span in block.spans)


@settings(max_examples=600, deadline=None)
@given(documents)
def test_any_document_can_be_written(document: Document) -> None:
    shown = "".join(
        ("---" if block.kind == "rule" else block.text).replace("\0", "\ufffd") for block in document.blocks
    )
    read_back = "".join(block.text if block.kind != "rule" else "---" for block in parse(markdown(document)).blocks)
    dropped = "(javascript:alert(1))"  # a link that no parser follows is written out as words
    assert "".join(read_back.split()).replace(dropped, "") == "".join(shown.split())
