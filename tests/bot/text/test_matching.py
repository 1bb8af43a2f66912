"""Examples by similarity."""

from __future__ import annotations

import time

import pytest

from bot.text.matching import THRESHOLD, Examples

PAIRS = [
    ("track", "where is my order"),
    ("track", "track my parcel"),
    ("track", "has order {number} shipped"),
    ("track", "i have not received my order"),
    ("cancel", "cancel my order"),
    ("cancel", "i want to cancel order {number}"),
    ("refund", "where is my refund"),
    ("refund", "i want my money back"),
    ("moved", "deliver to {city}"),
    ("keep", "I don't want to keep it"),
]


@pytest.fixture(scope="module")
def examples() -> Examples:
    return Examples(PAIRS)


@pytest.mark.parametrize(
    ("text", "intent", "example"),
    [
        ("WHERE is my order?!", "track", "where is my order"),
        ("my order is where", "track", "where is my order"),
        ("Has order #W2611340 shipped?", "track", "has order {number} shipped"),
        ("has order one two three four shipped", "track", "has order {number} shipped"),
        ("cancel my orders", "cancel", "cancel my order"),
        ("Cancelling my order", "cancel", "cancel my order"),
        ("deliver to New York", "moved", "deliver to {city}"),
        ("I haven't received my order", "track", "i have not received my order"),
    ],
)
def test_the_same_sentence_scores_one(examples: Examples, text: str, intent: str, example: str) -> None:
    best = examples.rank(text)[0]
    assert (best.intent, best.example, best.score) == (intent, example, 1.0)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("whre is my oder", "track"),
        ("please could you track the parcel for me", "track"),
        ("hi, i bought a lamp. it was two weeks ago. where is my order?", "track"),
        ("I'd like to cancel order 123456 please", "cancel"),
        ("where's the refund of it", "refund"),
    ],
)
def test_near_sentences_are_claimed(examples: Examples, text: str, intent: str) -> None:
    best, *others = examples.rank(text)
    assert best.intent == intent
    assert THRESHOLD <= best.score < 1.0
    assert all(other.score < best.score for other in others)


@pytest.mark.parametrize(
    "text",
    [
        "do you sell lamps?",
        "hello",
        "",
        "!!",
        "what are your opening hours on sunday",
        "\ud800",
        "i want it",
        "1234567",
    ],
)
def test_other_sentences_are_not(examples: Examples, text: str) -> None:
    assert all(score.score < THRESHOLD for score in examples.rank(text))


@pytest.mark.parametrize(
    "text", ["I don't want to cancel my order", "please don't cancel my order", "do not cancel it"]
)
def test_what_is_not_wanted_is_no_request(examples: Examples, text: str) -> None:
    assert not any(score.intent == "cancel" and score.score >= THRESHOLD for score in examples.rank(text))


def test_a_word_in_every_intent_says_little(examples: Examples) -> None:
    scores = {score.intent: score.score for score in examples.rank("order lamp")}
    rare = {score.intent: score.score for score in examples.rank("refund lamp")}
    assert scores["cancel"] < rare["refund"]


def test_ranking_is_sorted_and_complete(examples: Examples) -> None:
    scores = examples.rank("where is my refund, i want to cancel my order")
    assert [score.score for score in scores] == sorted((score.score for score in scores), reverse=True)
    assert {"refund", "cancel", "track"} <= {score.intent for score in scores}


def test_no_examples() -> None:
    assert Examples([]).rank("where is my order") == []
    assert len(Examples([("a", "{number}")])) == 1
    assert Examples([("a", "{number}")]).rank("1234567") == []


def test_unlike_intents_are_never_looked_at() -> None:
    """Counted, not timed: the rows that a message reaches stay the same however many unlike ones there are."""
    unlike = [(f"far{place}", f"zq{place:04}xw vk{place:04}jj") for place in range(2_000)]
    assert Examples([*PAIRS, *unlike])._rows_of["order"] == Examples(PAIRS)._rows_of["order"]
    known = {score.intent for score in Examples([*PAIRS, *unlike]).rank("where is my order")}
    assert not any(intent.startswith("far") for intent in known)


@pytest.mark.parametrize(
    "text", ["where is my order " * 60_000, "x" * 1_000_000, "qwrt, " * 170_000, "don't " * 170_000]
)
def test_a_megabyte_is_quick(examples: Examples, text: str) -> None:
    start = time.process_time()
    examples.rank(text)
    assert time.process_time() - start < 0.5
