"""Mistyped words."""

from __future__ import annotations

from bot.text.spelling import Spelling


def test_nearest() -> None:
    spelling = Spelling(["order", "parcel", "replacement", "late", "red"])
    assert spelling.nearest("order") == "order"
    assert spelling.nearest("oder") == "order"
    assert spelling.nearest("ordre") == "order"
    assert spelling.nearest("orderr") == "order"
    assert spelling.nearest("replacemnet") == "replacement"
    assert spelling.nearest("arcel") == ""
    assert spelling.nearest("xparcel") == "parcel"


def test_other_words_are_left_alone() -> None:
    spelling = Spelling(["late", "red", "track", "1234"])
    assert spelling.nearest("rate") == ""
    assert spelling.nearest("rad") == ""
    assert spelling.nearest("1235") == ""
    assert spelling.nearest("x" * 1_000_000) == ""
    assert spelling.nearest("") == ""
