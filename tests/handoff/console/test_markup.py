"""Markup becomes a tree of known tags, whatever people and models write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.console.markup import Node, nodes

KNOWN = {"p", "h", "ul", "ol", "li", "blockquote", "em", "strong", "s", "a", "br", "hr", "code", "pre", "span"} | {
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", []),
        ("Hello **you**", [["p", "Hello ", ["strong", "you"]]]),
        ("one\ntwo", [["p", "one", ["br"], "two"]]),
        ("1. a\n2. b", [["ol", ["li", ["p", "a"]], ["li", ["p", "b"]]]]),
        ("3. c", [["ol", {"start": "3"}, ["li", ["p", "c"]]]]),
        ("[us](https://example.org)", [["p", ["a", {"href": "https://example.org"}, "us"]]]),
        ("[x](ftp://example.org)", [["p", ["span", "x"]]]),
        ("<b>x</b>", [["p", "<b>x</b>"]]),
        ("<script>\nx\n</script>", [["p", "<script>", ["br"], "x", ["br"], "</script>"]]),
        ("![a lamp](https://example.org/l.png)", [["p", ["a", {"href": "https://example.org/l.png"}, "a lamp"]]]),
        ("```\na < b\n```", [["pre", "a < b\n"]]),
        (
            "| Lamp |\n|---:|\n| *€ 89* |",
            [["table", ["thead", ["tr", ["th", "Lamp"]]], ["tbody", ["tr", ["td", ["em", "€ 89"]]]]]],
        ),
    ],
)
def test_commonmark(text: str, tree: list[Node]) -> None:
    assert nodes(text) == tree


@given(st.text(alphabet=st.sampled_from("ab*_[]()<>`!#>-1. \n\\&;:/~|\"'"), max_size=80) | st.text(max_size=60))
def test_only_known_tags_come_out(text: str) -> None:
    def check(node: object) -> None:
        if isinstance(node, str):
            return
        assert isinstance(node, list)
        tag, *rest = node
        assert tag in KNOWN
        if rest and isinstance(rest[0], dict):
            attributes = rest.pop(0)
            assert set(attributes) <= {"href", "start"}
            assert attributes.get("href", "https://").lower().startswith(("https://", "http://", "mailto:", "tel:"))
        for child in rest:
            check(child)

    for node in nodes(text):
        check(node)
