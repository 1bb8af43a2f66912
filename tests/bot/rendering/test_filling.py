"""Values in templates."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.errors import Misuse
from bot.rendering import escape, fill, parse, plain


def shown(text: str) -> str:
    return plain(parse(text))


@pytest.mark.parametrize(
    ("template", "value", "wanted"),
    [
        ("I can't find {v}.", "*1_2*", "I can't find *1_2*."),
        ("{v}", "# no title", "# no title"),
        ("{v}", "- no\n- list", "- no\n- list"),
        ("{v}", "[x](http://evil) <http://evil> @all", "[x](http://evil) <http://evil> @all"),
        ("**{v}**", '"quoted" ', '"quoted"'),
        ("`{v}`", "A_1`b", "A_1`b"),
        ("```\n{v}\n```", "*raw*", "*raw*"),
        ("[Track]({v})", "https://a.b/c d_(e)", "Track (https://a.b/c%20d_(e))"),
        ("Total: {v}", Decimal("5.10"), "Total: 5.10"),
        ("{v}!", None, "!"),
        ("{{v}} and {x y} {v}", 1, "{v} and {x y} 1"),
        ("{v}", "{v}", "{v}"),
    ],
)
def test_fill(template: str, value: object, wanted: str) -> None:
    filled = fill(template, {"v": value})
    assert shown(filled) == wanted
    links = {span.link for block in parse(filled).blocks for span in block.spans if span.link}
    assert links <= {"https://a.b/c%20d_(e)"}


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(Misuse, match=r"\{nmber\}.*there are: name, number"):
        fill("Order {nmber}", {"number": 1, "name": "x"})


def test_escape_is_one_line_of_words() -> None:
    assert escape("a*b\n\n# c") == "a\\*b # c"
