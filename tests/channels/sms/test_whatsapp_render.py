"""On WhatsApp, marks are where the reply has them, and words of people never become one.

`marked` reads as WhatsApp's own help pages say, and where they leave it open, as greedily as it could: a mark begins
behind anything that is no letter or digit, before anything that is no space.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import escape, parse, plain
from channels.sms.render import safe
from channels.sms.whatsapp import HAIR, JOINER, TICK, whatsapp
from tests.channels.sms.rig import rig
from tests.platforms.twilio import OURS, THEIRS

_ADDRESS = re.compile(r"https?://\S+")
_LINE = re.compile(r"(?m)^ *(?:[-*•] |> ?|\d+[.)] )")
NASTY = st.text(alphabet=st.sampled_from(list("ab1 .(*_~`>-\n\\[]:/•")), max_size=40)


def marked(shown: str) -> list[tuple[str, str]]:
    """What WhatsApp makes of a text: each mark and the words in it."""
    found = [("`", match[1] or match[2]) for match in re.finditer(r"```(.+?)```|`([^`\n]+)`", shown, re.DOTALL)]
    rest = _ADDRESS.sub("address", re.sub(r"```.+?```|`[^`\n]+`", "code", shown, flags=re.DOTALL))
    for mark in "*_~":
        pattern = rf"(?<![^\W_]){re.escape(mark)}(?=\S)([^\n]*?\S){re.escape(mark)}(?![^\W_])"
        found += [(mark, match[1]) for match in re.finditer(pattern, rest)]
    return found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Hello**, *you* ~~no~~", "*Hello*, _you_ ~no~"),
        ("# Title\n\nText", "*Title*\n\nText"),
        ("- tea\n- **coffee**", "- tea\n- *coffee*"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said\n> twice", "> said\n> twice"),
        ("run `a_b *c*`", "run `a_b *c*`"),
        ("```\nx = *y*\n```", "```x = *y*```"),
        ("[our shop](https://shop.example)", "our shop (https://shop.example)"),
        ("Hello [Ana](mention:0)", "Hello Ana"),
        ("it’s “5” – or…", "it’s “5” – or…"),
        ("foo**bar**baz", "foobarbaz"),
        (escape("*x*"), f"{JOINER}*{HAIR}x*"),
        (escape("so *x*"), f"so *{HAIR}x*"),
        (escape("snake_case_name 2*3*4"), "snake_case_name 2*3*4"),
        (escape("https://shop.example/_a_/b"), "https://shop.example/_a_/b"),
        (escape("- no list"), f"{JOINER}- no list"),
        (escape("`rm -rf`"), f"{TICK}rm -rf{TICK}"),
    ],
)
def test_rendering(text: str, shown: str) -> None:
    assert whatsapp(text) == shown


@given(NASTY | st.text())
def test_plain_text_never_becomes_a_mark(text: str) -> None:
    shown = whatsapp(escape(text))
    assert marked(shown) == []
    assert not _LINE.search(shown)


@given(NASTY, NASTY)
def test_words_beside_a_mark_of_ours_become_none(before: str, after: str) -> None:
    shown = whatsapp(f"{escape(before)} **loud** {escape(after)}")
    assert marked(shown) in ([("*", "loud")], [])


@given(NASTY | st.text())
def test_any_markdown_shows_its_words(text: str) -> None:
    words = safe(plain(parse(text.replace("\0", ""))))
    assert _bare(whatsapp(text)) == _bare(words)


@pytest.mark.parametrize("words", ["loud", "very loud", "it’s 5 € (today)"])
def test_bold_is_bold(words: str) -> None:
    assert marked(whatsapp(f"This is **{words}**, you see.")) == [("*", words)]


async def test_whatsapp_gets_its_marks_and_sms_none() -> None:
    async with rig({"sender": f"whatsapp:{OURS}"}) as w, rig() as s:
        assert (await w.send("Your order is **on its way**.", f"whatsapp:{THEIRS}")).body == (
            "Your order is *on its way*."
        )
        assert (await s.send("Your order is **on its way**.")).body == "Your order is on its way."
        assert w.channel.capabilities.markdown
        assert not s.channel.capabilities.markdown
        # No segments there: what would be ten in SMS is one message.
        assert w.channel.measure("ж" * 1500) == 1500
        assert w.channel.price("ж" * 1500, w.delivery("x", f"whatsapp:{THEIRS}").address).units == 1


async def test_what_was_sent_is_found_again_with_its_marks() -> None:
    async with rig({"sender": f"whatsapp:{OURS}"}) as r:
        made = r.delivery("**Yes** or *no*?", f"whatsapp:{THEIRS}")
        r.twilio.fail("close after")
        with pytest.raises(Exception, match="did not answer"):
            await r.channel.send(made)
        found = await r.channel.find_sent(made)
        assert found is not None
        assert found.platform_id == r.twilio.taken[0].sid


def _bare(text: str) -> str:
    """The words only."""
    return re.sub(rf"[*_~`{TICK}{HAIR}{JOINER}—-]|\s", "", text)
