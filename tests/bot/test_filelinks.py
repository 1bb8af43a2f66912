from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from bot.filelinks import path, sign, verify

SECRET = b"a secret of 32 bytes for a test."


def test_an_address_gives_back_what_it_was_made_of() -> None:
    url = urlsplit(path(SECRET, "chat", "main", "a/b?c#d é", "my photo&1.png"))
    _, files, channel, account, mac, ref = url.path.split("/")
    assert (files, channel, account, unquote(ref)) == ("files", "chat", "main", "a/b?c#d é")
    assert parse_qs(url.query) == {"name": ["my photo&1.png"]}
    assert verify(SECRET, mac, channel, account, unquote(ref), "my photo&1.png")


@pytest.mark.parametrize(
    "other",
    [
        ("chat2", "main", "ref", "name"),
        ("chat", "main2", "ref", "name"),
        ("chat", "main", "ref2", "name"),
        ("chat", "main", "ref", "name2"),
        ("chat", "main", "refname", ""),
        ("chat", "mainref", "", "name"),
    ],
)
def test_the_mark_of_one_address_is_no_other_ones(other: tuple[str, str, str, str]) -> None:
    mac = sign(SECRET, "chat", "main", "ref", "name")
    assert verify(SECRET, mac, "chat", "main", "ref", "name")
    assert not verify(SECRET, mac, *other)


def test_another_secret_makes_other_marks_and_nonsense_is_none() -> None:
    mac = sign(b"another", "chat", "main", "ref")
    assert not verify(SECRET, mac, "chat", "main", "ref")
    assert not verify(SECRET, "ü\ud800", "chat", "main", "ref")


def test_a_file_without_a_name_has_no_query() -> None:
    assert "?" not in path(SECRET, "chat", "main", "ref")
