"""A broadcast's file: what it may say, who is in its segment, what one person gets of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Choice, FrontdeskError, parse, plain
from bot.outreach.campaign import Campaign, Segment
from bot.outreach.segments import DAY, Somebody, belongs, left_out, rank, values_of

FILE = """
name: spring
text: |
  Hello {first_name}, **{plan}** is 10 % off.
choices: ["Tell me more", {label: "No, thanks", value: "/unsubscribe"}]
card: {title: Spring, text: Flowers, url: https://shop.example/spring, image: https://shop.example/s.jpg}
segment:
  channels: [sms, web]
  languages: [de]
  facts: {plan: gold}
  seen_within_days: 30
defaults: {first_name: there}
rate: 2.5
quiet_hours: off
expires: 36h
footer: ""
"""

ANN = Somebody(
    conversation="c1",
    tenant="default",
    channel="sms",
    account="main",
    person="p1",
    name="Ann Lee",
    language="de-AT",
    owner="bot",
    silence="",
    seen_at=100 * DAY,
    facts={"plan": "gold"},
)


def but(**changes: object) -> Somebody:
    from msgspec.structs import replace  # noqa: PLC0415

    return replace(ANN, **changes)


def test_a_whole_file() -> None:
    campaign = Campaign.read(FILE)
    reply = campaign.reply(ANN.values, "the footer of the settings")
    assert plain(parse(reply.text)) == "Hello Ann, gold is 10 % off."
    assert reply.choices == (Choice(label="Tell me more"), Choice(label="No, thanks", value="/unsubscribe"))
    assert reply.card is not None
    assert reply.card.image is not None
    assert (campaign.lifetime, campaign.rate, campaign.quiet_hours) == (36 * 3600, 2.5, False)


def test_the_footer_is_that_of_the_settings_unless_the_file_has_one() -> None:
    assert Campaign(name="a", text="hi").reply({}, "/unsubscribe").text == "hi\n\n/unsubscribe"
    assert Campaign(name="a", text="hi", footer="bye").reply({}, "/unsubscribe").text == "hi\n\nbye"


def test_yes_and_no_are_words() -> None:
    campaign = Campaign.read("name: a\ntext: b\nchoices: [Yes, No]\nsegment: {facts: {vip: true, plan: off}}")
    assert campaign.choices == ("Yes", "No")
    assert campaign.segment.facts == {"vip": True, "plan": "off"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: a", "text: "),
        ("name: a\ntext: b\nrat: 3", "rat: "),
        ("name: a\ntext: b\nrate: 0", "rate: "),
        ("name: a\ntext: b\nexpires: soon", "90m, 36h or 3d"),
        ("name: a\ntext: b\nsegment: {facts: {plan: [1]}}", "segment.facts.plan"),
        ("name: [", "no YAML"),
        ("just words", "can't be read"),
        ("", "can't be read"),
    ],
)
def test_mistakes_are_told(text: str, problem: str) -> None:
    with pytest.raises(FrontdeskError, match=problem):
        Campaign.read(text)


@pytest.mark.parametrize(
    ("segment", "one", "is_in"),
    [
        (Segment(), ANN, True),
        (Segment(languages=("DE",)), ANN, True),
        (Segment(languages=("de_at",)), ANN, True),
        (Segment(languages=("de-CH", "e")), ANN, False),
        (Segment(facts={"plan": "gold"}), ANN, True),
        (Segment(facts={"plan": "tin"}), ANN, False),
        (Segment(facts={"plan": "gold", "age": 3}), ANN, False),
        (Segment(facts={"age": 3}), but(facts={"age": 3}), True),
        (Segment(seen_within_days=2), ANN, True),
        (Segment(seen_within_days=0.5), ANN, False),
        (Segment(not_seen_within_days=2), ANN, False),
        (Segment(not_seen_within_days=0.5), ANN, True),
    ],
)
def test_who_is_in_the_segment(segment: Segment, one: Somebody, is_in: bool) -> None:
    assert belongs(one, segment, now=101 * DAY) is is_in


@pytest.mark.parametrize(
    ("one", "why", "place"),
    [
        (ANN, "", 1),
        (but(silence="opted_out"), "opted out", 2),
        (but(silence="blocked"), "blocked", 2),
        (but(facts={"plan": "gold", "outreach": "off"}), "unsubscribed", 0),
        (but(facts={"plan": "gold", "outreach": "on"}), "", 1),
        (but(several=True), "several people write there", 0),
        (but(facts={}), "no value for {plan}", 0),
        (but(name=""), "", 1),
    ],
)
def test_who_is_left_out_and_which_conversation_counts(one: Somebody, why: str, place: int) -> None:
    assert left_out(one, Campaign.read(FILE)) == why
    assert rank(one, why) == place


def test_places_in_double_braces_are_braces() -> None:
    campaign = Campaign(name="a", text="{{name}} {name}")
    assert campaign.places == ("name",)
    assert campaign.reply({"name": "Ann"}, "").text == "{name} Ann"


@given(name=st.text(min_size=1).filter(lambda text: text.strip()))
def test_a_name_never_becomes_markup(name: str) -> None:
    text = Campaign(name="a", text="Hello {name}!").reply(values_of(name, "", {}), "").text
    shown = " ".join(plain(parse(text)).split())
    assert (
        shown == " ".join(f"Hello {name}!".replace("\x00", "\ufffd").split())
        or "\x00" in name
        or not name.isprintable()
    )
