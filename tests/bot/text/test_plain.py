"""Plain words."""

from __future__ import annotations

from bot.text.plain import MOST_WORDS, fold, words


def test_words() -> None:
    assert words("I don’t WANT Ünïcode, yesss!") == ["i", "do", "not", "want", "unicode", "yes"]
    assert words("what's up; dont, can't, wont") == ["what", "is", "up", "do", "not", "can", "not", "will", "not"]
    assert words("２ ٢ 2️⃣ 👍🏽") == ["2", "2", "2"]
    assert words("हिन्दी में") == ["हिन्दी", "में"]
    assert words("\ud800\x00 ...") == []


def test_fold_keeps_punctuation() -> None:
    assert fold("“Straße”, É!") == "“strasse”, e!"


def test_a_long_text_is_cut() -> None:
    assert len(words("a b " * 500_000)) == MOST_WORDS
