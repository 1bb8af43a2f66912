"""Choices in people's own words."""

from __future__ import annotations

import pytest

from bot.replies import Button
from bot.text.choosing import Chosen, Unsure, choose
from tests.bot.text.tables import each


def offered(*labels: str | tuple[str, str]) -> list[Button]:
    pairs = [label if isinstance(label, tuple) else (label, "") for label in labels]
    return [Button(token=f"token-{place}", label=label, value=value) for place, (label, value) in enumerate(pairs)]


def outcome(text: str, *labels: str | tuple[str, str]) -> str | tuple[str, ...] | None:
    """The chosen label, with "!" when exact; the labels that are unclear; or None."""
    match choose(text, offered(*labels)):
        case Chosen(button=button, exact=exact):
            return button.label + "!" * exact
        case Unsure(options=options):
            return tuple(option.label for option in options)
        case _:
            return None


COLOURS = ("Red", "Blue", "Green")

SECOND = """2|2)|#2|(2)|2.|option 2|Option two|number two|no. 2|second|the second one|2nd|the 2nd option please|two
2️⃣|２|BLUE|blue please|the blue one|i'll take blue|I want the second|Number 2 please|blüe|second last
token-1"""


@pytest.mark.parametrize("text", each(SECOND))
def test_every_way_to_say_the_second(text: str) -> None:
    assert outcome(text, *COLOURS) == "Blue!"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("last", "Green!"),
        ("the last one", "Green!"),
        ("first one", "Red!"),
        ("1st", "Red!"),
        ("one", "Red!"),
        ("option one", "Red!"),
        ("gren", "Green"),
        ("bleu", "Blue"),
        ("I'd like the red please", "Red!"),
        ("the red one?", "Red!"),
    ],
)
def test_other_options(text: str, label: str) -> None:
    assert outcome(text, *COLOURS) == label


@pytest.mark.parametrize(
    "text",
    each("""4|0|12|99|#W2611340|1234567|order 1234567|$2|€ 2|2.50|2%|10:02|I don't want the red one|not red
anything but red
neither|where is my other order?|my parcel arrived with red stains and I am not happy|2 or 3|
the other one|🚚|both
I would like to know when the shop in the green street opens on sundays|is my red order there?
both red and blue
does the blue van bring it tomorrow|blue van came at nine yesterday"""),
)
def test_what_chooses_nothing(text: str) -> None:
    assert outcome(text, *COLOURS) is None


def test_nothing_offered_nothing_chosen() -> None:
    assert choose("1", []) is None


@pytest.mark.parametrize("text", each("yes|YES|yes please|Yes!|1|first|yes, thank you"))
def test_an_exact_yes(text: str) -> None:
    assert outcome(text, "Yes", "No") == "Yes!"


@pytest.mark.parametrize("text", each("Yess|yeah|yep|sure|ok|👍|👍🏽|of course|go ahead|haan|yesss!"))
def test_a_yes_in_other_words(text: str) -> None:
    assert outcome(text, "Yes", "No") in ("Yes", "Yes!")
    assert outcome(text, "No", "Yes, go on") == "Yes, go on"


@pytest.mark.parametrize("text", each("nope|nah|no way|👎|not now|I don't think so|nein"))
def test_a_no_in_other_words(text: str) -> None:
    assert outcome(text, "Yes", "No") == "No"
    assert outcome(text, "Yes, cancel it", "Keep it") == "Keep it"


@pytest.mark.parametrize("text", each("maybe|now|I don't know|not sure|yes but tomorrow|where is it|yet"))
def test_neither_yes_nor_no(text: str) -> None:
    assert outcome(text, "Yes", "No") is None


def test_a_yes_needs_an_option_that_is_one() -> None:
    assert outcome("yes", "Right shoe", "Left shoe") is None
    assert outcome("yes", "Yes, today", "Yes, tomorrow") == ("Yes, today", "Yes, tomorrow")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("where is my other order?", None),
        ("where is my order?", None),
        ("cancel order", None),
        ("a new one", "Order a new one"),
        ("track", "Track my order"),
        ("trak", "Track my order"),
        ("order", ("Order a new one", "Track my order")),
    ],
)
def test_shared_words_do_not_choose(text: str, found: str | tuple[str, ...] | None) -> None:
    assert outcome(text, "Order a new one", "Track my order") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the blue one", ("Blue shirt", "Blue trousers")),
        ("blue shirt", "Blue shirt!"),
        ("the blue shirts", "Blue shirt"),
        ("trousers", "Blue trousers"),
        ("trowsers", "Blue trousers"),
        ("shirt", ("Blue shirt", "Red shirt")),
        ("red", "Red shirt"),
    ],
)
def test_words_of_several_options(text: str, found: str | tuple[str, ...] | None) -> None:
    assert outcome(text, "Blue shirt", "Blue trousers", "Red shirt") == found


def test_the_rarer_word_decides() -> None:
    menu = ("Track my order", "Cancel an order", "Return an item")
    assert outcome("return my order", *menu) == "Return an item"
    assert outcome("Please cacel my order", *menu) == "Cancel an order"
    assert outcome("red or blue", "Red shirt", "Blue shirt", "Blue trousers") is None
    assert outcome("I want to order", *menu) == menu[:2]


def test_blank_text_chooses_nothing() -> None:
    assert outcome("   ", *COLOURS) is None


def test_two_blue_ones_are_asked_about() -> None:
    assert outcome("the blue one", "Blue shirt", "Blue trousers") == ("Blue shirt", "Blue trousers")
    assert outcome("red", "Red", "Red") == ("Red", "Red")


@pytest.mark.parametrize(
    ("text", "found"),
    [("refnud", "Refund"), ("refnud please", "Refund"), ("i would like a refund", "Refund!"), ("exchnge", "Exchange")],
)
def test_typos(text: str, found: str) -> None:
    assert outcome(text, "Refund", "Exchange") == found
    assert outcome("when do I get my refund?", "Refund", "Exchange") is None


def test_a_typo_never_turns_one_day_or_number_into_another() -> None:
    assert outcome("tuesday", "Thursday", "Friday") is None
    assert outcome("8 days", "7 days", "14 days") is None
    assert outcome("thrusday", "Tuesday", "Thursday") == "Thursday"


def test_a_label_that_is_a_number_outranks_the_place() -> None:
    assert outcome("2", "5", "2", "1") == "2!"
    assert outcome("1", "5", "2", "1") == "1!"
    assert outcome("3", "1", "2", "5") is None
    assert outcome("third", "1", "2", "5") == "5!"


def test_a_number_that_could_be_place_or_label_is_asked_about() -> None:
    assert outcome("2", "2 nights", "1 night", "3 nights") == ("1 night", "2 nights")
    assert outcome("2", "1 night", "2 nights") == "2 nights!"
    assert outcome("1", "750 ml", "1 l") == "750 ml!"  # between all there are, asking would never end
    assert outcome("option 2", "2 nights", "1 night") == "1 night!"


def test_order_numbers_as_options() -> None:
    labels = ("#W2611340", "#W1112222")
    assert outcome("W2611340", *labels) == "#W2611340!"
    assert outcome("#w2611340", *labels) == "#W2611340!"
    assert outcome("2611340", *labels) == "#W2611340"
    assert outcome("the one ending in 340", *labels) == "#W2611340"
    assert outcome("#2", *labels) == "#W1112222!"
    assert outcome("2611341", *labels) is None


def test_emoji_accents_and_values() -> None:
    assert outcome("track order", "Track order 🚚", "Help ❓") == "Track order 🚚!"
    assert outcome("👎", "👍", "👎") == "👎!"
    assert outcome("cafe", "Café", "Thé") == "Café!"
    assert outcome("cancel order", ("Yes", "cancel_order"), ("No", "keep")) == "Yes!"


def test_global_words_meet_inexact_choices() -> None:
    assert outcome("cancel", "Cancel", "Go on") == "Cancel!"
    assert outcome("cancel", "Yes, cancel it", "Keep it") == "Yes, cancel it"


def test_a_negation_that_is_an_option() -> None:
    assert outcome("none of these", "None of these", "Red") == "None of these!"
    assert outcome("none", "None of these", "Red") == "None of these"


def test_long_text_is_refused_quickly() -> None:
    assert outcome("blue " * 200_000, *COLOURS) is None
