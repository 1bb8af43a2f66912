"""Segments are counted as Twilio counts them, and texts made cheaper where nothing is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.gsm import BASIC, EXTENDED, fold, length, measure, size
from tests.platforms.twilio_schema import DATA

VECTORS = DATA / "segment_vectors_from_sms-segments-calculator-1.3.0.json"
needs_data = pytest.mark.skipif(not VECTORS.is_file(), reason="needs the segment vectors in ../shared/data/twilio")

GSM = st.text(st.sampled_from(sorted(BASIC | EXTENDED)))


def vectors() -> list[tuple[str, dict[str, Any]]]:
    return list(json.loads(VECTORS.read_text(encoding="utf-8")).items()) if VECTORS.is_file() else [("none", {})]


@needs_data
@pytest.mark.parametrize(("name", "vector"), vectors())
def test_twilios_own_calculator_counts_the_same(name: str, vector: dict[str, Any]) -> None:
    plain, smart = size(vector["text"]), size(fold(vector["text"]))
    assert (plain.alphabet, plain.segments) == (vector["encoding"], vector["segments"])
    assert (smart.alphabet, smart.segments) == (vector["smart_encoding"], vector["smart_segments"])


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 77, "GSM-7", 154, 1),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # the escape moves on, and pushes the rest
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("🙂" * 35, "UCS-2", 70, 1),
        ("🙂" * 36, "UCS-2", 72, 2),
        ("a" * 66 + "🙂" + "a" * 66, "UCS-2", 134, 3),  # half an emoji does not stay behind
    ],
)
def test_segments(text: str, alphabet: str, units: int, segments: int) -> None:
    counted = size(text)
    assert (counted.alphabet, counted.units, counted.segments) == (alphabet, units, segments)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("“Hi” – it’s 5…", '"Hi" - it\'s 5...'),
        ("a\u00a0b\tc", "a b c"),
        ("“ж”", "“ж”"),  # it travels in the dear alphabet anyway, so nothing is gained
        ("10 € for you", "10 € for you"),
        ("façade", "façade"),  # another letter is another word
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_never_costs_more_and_ends(text: str) -> None:
    assert size(fold(text)).segments <= size(text).segments or size(text).alphabet == "GSM-7"
    assert fold(fold(text)) == fold(text)


@given(GSM)
def test_a_cheap_text_is_not_touched_but_for_marks_that_look_alike(text: str) -> None:
    assert size(fold(text)) == size(text)


@given(st.text(), st.integers(1, 10))
def test_what_measures_less_than_the_limit_has_no_more_segments(text: str, segments: int) -> None:
    if measure(text, segments, 1600) <= 1600:
        assert size(text).segments <= segments
        assert length(text) <= 1600


@given(GSM, st.integers(1, 10))
def test_the_same_for_the_cheap_alphabet(text: str, segments: int) -> None:
    long = text * 20
    if measure(long, segments, 1600) <= 1600:
        assert size(long).segments <= segments


def test_a_whole_share_can_be_used() -> None:
    assert measure("a" * 160, 1, 1600) <= 1600 < measure("a" * 161, 1, 1600)
    assert measure("a" * 918, 6, 1600) <= 1600 < measure("a" * 919, 6, 1600)
    assert measure("ж" * 402, 6, 1600) <= 1600 < measure("ж" * 403, 6, 1600)
