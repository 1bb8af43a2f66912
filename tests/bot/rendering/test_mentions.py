"""People are called where the author of a reply asked for it, and by nobody's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Capabilities
from bot.messages import Media
from bot.rendering import fill, fill_in, fit, mentioned, parse, plain
from bot.replies import Card, Mention, Reply

ANA = Mention(user="U1", name="Ana")
BO = Mention(user="U2", name="Bo [x](mention:0) *b*")
CALLING = Capabilities(mentions=True, markdown=True)
QUIET = Capabilities(markdown=True)

# What people and models might try, often enough to matter.
TRIES = st.sampled_from(
    (
        *(
            "[x](mention:0)",
            "<mention:0>",
            "[x]: mention:0",
            "[x][x]",
            "[x](&#109;ention:0)",
            "](mention:0)",
            "mention:0",
        ),
        *(
            "[x]( <mention:0> )",
            "[x](MENTION:0)",
            "\ue0000\ue001",
            "\ue0001\ue001",
            "[",
            "`",
            "\\",
            "\n\n",
            "    ",
            "*",
        ),
    )
)
WORDS = st.lists(st.one_of(TRIES, st.text(max_size=8)), max_size=8).map("".join)


def called(reply: Reply) -> list[tuple[Mention, str]]:
    spans = [span for block in parse(reply.text).blocks for span in block.spans]
    return [(who, span.text) for span in spans if (who := mentioned(span.link, reply.mentions))]


def test_the_author_calls_somebody() -> None:
    text, mentions = fill_in("{who}, ask {other} or {who}.", {"who": ANA, "other": BO})
    assert mentions == (ANA, BO)
    assert text == r"[Ana](mention:0), ask [Bo \[x\](mention:0) \*b\*](mention:1) or [Ana](mention:0)."
    (reply,) = fit(Reply(text=text, mentions=mentions), CALLING, len)
    assert called(reply) == [(ANA, "Ana"), (BO, BO.name), (ANA, "Ana")]


def test_where_nobody_can_be_called_the_name_stands_there() -> None:
    text, mentions = fill_in("**{who}**, your order is here.", {"who": ANA})
    (reply,) = fit(Reply(text=text, mentions=mentions), QUIET, len)
    assert (reply.text, reply.mentions) == ("**Ana**, your order is here.", ())
    assert fill_in("{who}.", {"who": Mention(user="U9", name="")})[0] == "[U9](mention:0)."


@pytest.mark.parametrize("template", ["`{who}`", "[see {who}](https://a.example)", "```\n{who}\n```"])
def test_in_code_and_in_links_it_is_a_name(template: str) -> None:
    text, mentions = fill_in(template, {"who": ANA})
    assert "Ana" in text
    assert called(Reply(text=text, mentions=mentions)) == []


def test_a_link_of_the_template_calls_nobody() -> None:
    text, mentions = fill_in("{who}: [all](mention:0) [you]({link}) <mention:0>", {"who": ANA, "link": "mention:0"})
    assert called(Reply(text=text, mentions=mentions)) == [(ANA, "Ana")]
    assert plain(parse(text)).startswith("Ana (mention:0): all you")


@pytest.mark.parametrize("link", ["mention:1", "mention:-1", "mention:00", "mention:x", "Mention:0", "mention:9999"])
def test_a_call_of_nobody_is_words(link: str) -> None:
    (reply,) = fit(Reply(text=f"[all]({link}) of you", mentions=(ANA,)), CALLING, len)
    assert reply.text == "all of you"


def test_what_stands_beside_the_text_calls_nobody() -> None:
    card = Card(title="[t](mention:0)", text="[c](mention:0)", url="mention:0")
    media = (Media(url="mention:0", name="n"),)
    (flat,) = fit(Reply(text="x", card=card, media=media, mentions=(ANA,)), CALLING, len)
    assert called(flat) == []
    (shown,) = fit(Reply(card=card, mentions=(ANA,)), Capabilities(mentions=True, cards=True), len)
    assert shown.card is not None
    assert shown.card.text == "c"


def test_every_part_of_a_long_text_knows_whom_it_calls() -> None:
    text, mentions = fill_in(
        " ".join(["word"] * 30) + " {who} {other}", {"who": ANA, "other": Mention(user="2", name="B")}
    )
    parts = fit(Reply(text=text, mentions=mentions), Capabilities(mentions=True, max_text=60), len)
    assert len(parts) > 2
    assert [who.user for part in parts for who, _ in called(part)] == ["U1", "2"]


@given(template=WORDS, words=WORDS, name=WORDS)
def test_no_words_call_anybody(template: str, words: str, name: str) -> None:
    """A text of a model with a value of a person in it: exactly the author's own mention is called."""
    who = Mention(user="U1", name=name)
    author = template.replace("{", "").replace("}", "")
    text, mentions = fill_in(f"{{who}}\n\n{author}\n\n{{words}}", {"who": who, "words": words})
    (reply,) = fit(Reply(text=text, mentions=mentions), CALLING, len)
    found = called(reply)
    assert len(found) == 1
    assert found[0][1].split() == (name.replace("\0", "\ufffd").split() or ["U1"])
    for part in fit(Reply(text=f"{author}\n\n{fill('{words}', {'words': words})}", mentions=()), CALLING, len):
        assert called(part) == []
        assert not any(
            span.link.casefold().startswith("mention:") for block in parse(part.text).blocks for span in block.spans
        )


def test_a_draft_ends_with_the_first_part_and_buttons_come_with_the_last() -> None:
    parts = fit(Reply(text="word " * 50, draft="d1", private=True), Capabilities(max_text=60), len)
    assert [part.draft for part in parts] == ["d1"] + [""] * (len(parts) - 1)
    assert len(parts) > 2
    assert all(part.private for part in parts)
