"""Replies as Block Kit: what a person sees is what was said, and nothing in it calls, links or marks up by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import (
    Button,
    Capabilities,
    Card,
    Choice,
    Field,
    Form,
    FormField,
    Media,
    Mention,
    Reply,
    escape,
    parse,
    plain,
    split,
)
from bot.clock import SystemClock
from bot.rendering import fit
from bot.testing.channel_kit import HOSTILE
from channels.slack.channel import SlackChannel
from channels.slack.inputs import answers, input_of, refused
from channels.slack.labels import size
from channels.slack.render import MOST_BUTTONS, render, thread_in
from channels.slack.richtext import LONGEST, measure, text_blocks
from channels.slack.settings import SlackAccount
from channels.slack.views import LONGEST_VALUE, Place, modal, packed, place_of, unpacked
from tests.platforms.slack_rules import bold, called, links, rich, seen, units, wrong_blocks, wrong_message, wrong_view

# What Slack's servers drop or what is no text: control characters and half characters.
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from(" \n*_~`<>&@#!|[]():/."), max_size=300)
MARKUP = st.lists(
    st.sampled_from(
        ["# ", "* ", "1. ", "2. ", "- ", "> ", "```\n", "**", "_", "`", "~~", "\n", "\n\n", "---\n", "    "]
    )
    | st.sampled_from(["[a](https://b.example/)", "<@U1>", "<!channel>", "@here", "https://x.example", ":smile:"])
    | st.text("ab &<>é🙂", min_size=1, max_size=8),
    max_size=40,
).map("".join)


def look(text: str) -> str:
    """A text as Slack draws it."""
    return "\n".join("---" if block["type"] == "divider" else rich(block) for block in text_blocks(text))


def bare(text: str) -> str:
    """Without the marks of lists and quotes, and without space: what is left are the words."""
    return re.sub(r"[\s•>\-]", "", re.sub(r"\d+\.(?=\s|$)", "", text))


@given(WORDS)
def test_what_a_person_wrote_is_shown_as_they_wrote_it(text: str) -> None:
    escaped = escape(text)
    shown = look(escaped)
    assert shown.split() == plain(parse(escaped)).split()
    message = {"text": render(Reply(text=escaped)).text, "blocks": text_blocks(escaped)}
    assert called(message) == []
    assert links(message) == []
    assert bold(message) == ""
    assert not re.search(r"<[@!#h]", message["text"])


@given(MARKUP)
def test_commonmark_shows_the_words_that_plain_text_shows(text: str) -> None:
    assert bare(look(text)) == bare(plain(parse(text)))


@given(MARKUP, st.integers(min_value=160, max_value=3000))
def test_parts_fit_and_hold_all_words(text: str, limit: int) -> None:
    long = text * 8
    parts = split(long, limit, measure)
    for part in parts:
        assert measure(part) <= limit
        assert wrong_message({"text": render(Reply(text=part)).text, "blocks": text_blocks(part)}) == ""


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_the_core_makes_fit_is_taken_by_slack(what: str) -> None:
    text = HOSTILE[what]
    label = text[:100]
    button = Button(token="c0123456789abcdef0123.17.0", label=label, value=label)
    card = Card(title=label, text=text, fields=(Field(name=text, value=text),), url="https://shop.example/")
    media = Media(url="https://files.example/x.png", type="image/png", name=text, alt=text)
    form = Form(title=text, token="f1", open=text, fields=(FormField(name="a", label=text, hint=text),))
    capabilities = _capabilities()
    for reply in (
        Reply(text=text),
        Reply(text="?", choices=(Choice(label=label),), buttons=(button,)),
        Reply(text=text, card=card, media=(media,)),
        Reply(text=text, form=form),
    ):
        for part in fit(reply, capabilities, measure):
            posted = render(part, author=text, form=packed(part.form) if part.form else "")
            assert wrong_message({"text": posted.text, "blocks": posted.blocks}) == ""
    assert wrong_view(modal(form, Place(token="f1", chat="C1", thread="1.2"))) == ""


def _capabilities() -> Capabilities:
    return SlackChannel("main", SlackAccount(), Path(), SystemClock()).capabilities


def test_only_the_calls_that_the_author_asked_for_are_made() -> None:
    ana = Mention(user="U42", name="Ana")
    posted = render(Reply(text="[Ana](mention:0), [Bob](mention:1) and <@U7> \\<!here>", mentions=(ana,)))
    message = {"text": posted.text, "blocks": posted.blocks}
    assert called(message) == ["U42"]
    assert "Bob" in seen(message)
    assert "<@U7> <!here>" in seen(message)
    assert posted.text.startswith("Ana, Bob")


def test_a_call_in_one_of_many_workspaces_loses_the_workspace() -> None:
    posted = render(Reply(text="[Ana](mention:0)", mentions=(Mention(user="T1/U42", name="Ana"),)))
    assert called({"blocks": posted.blocks}) == ["U42"]


def test_links_lead_where_they_say_and_strange_ones_are_words() -> None:
    text = "[shop](https://shop.example/a?b=1&c=2) [mail](mailto:a@b.example) [x](matrix:1) [y](tg://z)"
    message = {"blocks": text_blocks(text)}
    assert links(message) == ["https://shop.example/a?b=1&c=2", "mailto:a@b.example"]
    assert "x (matrix:1) y (tg://z)" in seen(message)


def test_styles_lists_quotes_and_code_are_native() -> None:
    text = (
        "# Head\n\nOne **two** _three_ ~~four~~ `five`\n\n- a\n  - b\n- c\n\n1. x\n2. y\n\n> quoted\n\n```\ncode\n```"
    )
    (block,) = text_blocks(text)
    kinds = [element["type"] for element in block["elements"]]  # type: ignore[attr-defined, index]
    assert kinds == [
        "rich_text_section",
        "rich_text_list",
        "rich_text_list",
        "rich_text_list",
        "rich_text_list",
        "rich_text_quote",
        "rich_text_preformatted",
    ]
    assert bold({"blocks": [block]}) == "Head two"
    assert "- a\n  - b\n- c\n1. x\n2. y" in look(text)


def test_a_list_that_goes_on_in_the_next_part_keeps_its_numbers() -> None:
    assert look("4. four\n5. five") == "4. four\n5. five"


def test_a_hundred_rules_are_not_more_than_fifty_blocks() -> None:
    for part in split("a\n\n---\n\n" * 100, LONGEST, measure):
        assert wrong_blocks(text_blocks(part)) == ""


def test_buttons_up_to_25_and_then_a_select() -> None:
    few = render(Reply(text="?", buttons=_buttons(MOST_BUTTONS)), thread="1.2")
    assert [element["type"] for element in few.blocks[-1]["elements"]] == ["button"] * 25  # type: ignore[attr-defined]
    assert thread_in(str(few.blocks[-1]["block_id"])) == "1.2"
    many = render(Reply(text="?", buttons=_buttons(100)))
    (select,) = many.blocks[-1]["elements"]  # type: ignore[misc, attr-defined]
    assert len(select["options"]) == 100
    assert wrong_blocks(few.blocks) == wrong_blocks(many.blocks) == ""
    assert thread_in("mine") is None


def _buttons(count: int) -> tuple[Button, ...]:
    return tuple(Button(token=f"c01.17.{n}", label=f"Flavour {n} " + "🙂" * 60, value="v") for n in range(count))


def test_a_public_picture_is_shown_and_a_private_one_is_linked() -> None:
    public = Media(url="https://shop.example/a.png", type="image/png", alt="A")
    inside = Media(url="https://10.0.0.1/a.png", type="image/png", alt="B")
    pdf = Media(url="https://shop.example/a.pdf", type="application/pdf", name="C")
    posted = render(Reply(text="", media=(public, inside, pdf)))
    assert [block["type"] for block in posted.blocks] == ["image", "rich_text", "rich_text"]
    assert [block["type"] for block in render(Reply(text="", media=(public,)), pictures=False).blocks] == ["rich_text"]
    assert posted.text == "A\nB\nC"


def test_an_agent_is_named() -> None:
    assert seen({"blocks": render(Reply(text="hi"), author="Kim <!here>").blocks}).startswith("Kim <!here>")


def test_a_form_goes_on_its_button_or_into_a_note() -> None:
    form = Form(title="Refund", token="f1", fields=(FormField(name="why", label="Why?"),))
    assert unpacked(packed(form)) == form
    long = Form(title="x", token="f2", fields=tuple(FormField(name=f"f{n}", label="x" * 90) for n in range(20)))
    assert packed(long) == ""
    assert len(packed(form)) <= LONGEST_VALUE


def test_a_modal_has_an_element_for_every_kind_and_brings_the_values_back() -> None:
    kinds = ("text", "long", "number", "date", "email", "choice")
    choices = (Choice(label="Broken", value="b"), Choice(label="Late"))
    fields = tuple(FormField(name=kind, label=kind.title(), kind=kind, choices=choices) for kind in kinds)  # type: ignore[arg-type]
    view = modal(
        Form(title="A form with a very long title", token="f1", fields=fields),
        Place(token="f1", chat="T1/C1", thread="1.2"),
    )
    assert wrong_view(view) == ""
    assert place_of(str(view["private_metadata"])) == Place(token="f1", chat="T1/C1", thread="1.2")
    assert place_of("other") is None
    given = {
        "text": {"value": {"type": "plain_text_input", "value": "hi"}},
        "number": {"value": {"type": "number_input", "value": "4.5"}},
        "date": {"value": {"type": "datepicker", "selected_date": "2026-01-31"}},
        "choice": {"value": {"selected_option": {"text": {"text": "Broken"}, "value": "b"}}},
        "email": {"value": {"type": "email_text_input", "value": None}},
    }
    values, text = answers({**view, "state": {"values": given}})
    assert values == {"text": "hi", "number": "4.5", "date": "2026-01-31", "choice": "b", "email": ""}
    assert text == "Text: hi\nNumber: 4.5\nDate: 2026-01-31\nChoice: Broken"


CHOICES = tuple(Choice(label=label) for label in ("Small", "Large"))
MANY = tuple(Choice(label=str(number)) for number in range(40))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            FormField(name="a", label="A", kind="number", whole=True),
            {"type": "number_input", "is_decimal_allowed": False},
        ),
        (
            FormField(name="a", label="A", kind="number", least="1", most="9.5", value="2.5"),
            {"is_decimal_allowed": True, "min_value": "1", "max_value": "9.5", "initial_value": "2.5"},
        ),
        (FormField(name="a", label="A", kind="number", least="1", value="0"), {"initial_value": None}),
        (FormField(name="a", label="A", kind="number", most="1", value="2"), {"initial_value": None}),
        (FormField(name="a", label="A", kind="number", whole=True, value="2.5"), {"initial_value": None}),
        (FormField(name="a", label="A", kind="number", value="many"), {"initial_value": None}),
        (FormField(name="a", label="A", kind="date", value="2026-03-01"), {"initial_date": "2026-03-01"}),
        (FormField(name="a", label="A", kind="date", value="tomorrow"), {"initial_date": None}),
        (FormField(name="a", label="A", kind="email", value="a@b.example"), {"initial_value": "a@b.example"}),
        (FormField(name="a", label="A", kind="email", value="a"), {"initial_value": None}),
        (FormField(name="a", label="A", kind="url", value="https://a.example"), {"type": "url_text_input"}),
        (FormField(name="a", label="A", kind="url", value="a.example"), {"initial_value": None}),
        (
            FormField(name="a", label="A", shortest=2, longest=5, value="abc"),
            {"min_length": 2, "max_length": 5, "initial_value": "abc", "multiline": False},
        ),
        (FormField(name="a", label="A", shortest=2, optional=True), {"min_length": None, "max_length": 3000}),
        (FormField(name="a", label="A", shortest=2, value="a"), {"initial_value": None}),
        (FormField(name="a", label="A", longest=5, value="👋👋👋"), {"initial_value": None}),
        (FormField(name="a", label="A", kind="long", longest=9000), {"max_length": 3000, "multiline": True}),
        (FormField(name="a", label="A", kind="choice", choices=CHOICES), {"type": "radio_buttons"}),
        (FormField(name="a", label="A", kind="choice", choices=CHOICES, optional=True), {"type": "static_select"}),
        (FormField(name="a", label="A", kind="choice", choices=MANY, value="x"), {"initial_option": None}),
        (
            FormField(name="a", label="A", kind="choice", choices=MANY, value="7"),
            {"initial_option": {"text": {"type": "plain_text", "text": "7", "emoji": False}, "value": "7"}},
        ),
    ],
)
def test_a_field_is_slacks_own_element_and_what_stands_in_it_fits(
    field: FormField, expected: dict[str, object]
) -> None:
    view = modal(Form(title="x", token="f1", fields=(field,)), Place(token="f1", chat="D1", thread=""))
    assert wrong_view(view) == ""
    element = input_of(field)["element"]
    assert isinstance(element, dict)
    assert {name: element.get(name) for name in expected} == expected


def test_problems_are_told_at_the_fields_that_the_modal_has() -> None:
    fields = ("a", "b")
    assert refused({}, fields) is None
    assert refused({"c": "x", "a": ""}, fields) is None
    assert refused({"": "whole"}, ()) is None
    assert refused({"a": "x" * 400, "": "whole"}, fields) == {
        "response_action": "errors",
        "errors": {"a": "x" * 299 + "…", "b": "whole"},
    }


@given(st.text(max_size=50))
def test_sizes_are_counted_as_slack_may_count_them(text: str) -> None:
    assert size(text) == units(text)
