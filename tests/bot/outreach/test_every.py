"""Rhythms: when a job is due, by a zone's clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.outreach.every import Every


def at(text: str, where: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(where)).timestamp()


def test_a_day_of_the_week() -> None:
    every = Every.of("monday 09:00", timezone="Europe/Vienna")
    friday = at("2027-01-15T08:00")
    assert every.last(friday) == at("2027-01-11T09:00", "Europe/Vienna")
    assert every.following(friday) == at("2027-01-18T09:00", "Europe/Vienna")
    assert every.last(every.following(friday)) == every.following(friday)
    assert every.following(every.following(friday)) == at("2027-01-25T09:00", "Europe/Vienna")


def test_it_stays_at_nine_when_clocks_are_put_forward() -> None:
    every = Every.of("day 09:00", timezone="Europe/Vienna")
    saturday = at("2027-03-27T09:00", "Europe/Vienna")
    assert every.following(saturday) - saturday == 23 * 3600


def test_days_may_be_several() -> None:
    friday = at("2027-01-15T12:00")
    assert Every.of("weekday 18:30").following(friday) == at("2027-01-15T18:30")
    assert Every.of("weekday 07:30").following(friday) == at("2027-01-18T07:30")
    assert Every.of("weekend 07:30").following(friday) == at("2027-01-16T07:30")
    assert Every.of("Tuesday, Thursday 7:05").following(friday) == at("2027-01-19T07:05")


def test_one_without_a_zone_goes_by_the_given_one() -> None:
    every = Every.of("day 09:00")
    assert every.following(at("2027-01-15T00:00"), "Asia/Tokyo") == at("2027-01-16T09:00", "Asia/Tokyo")
    assert every.following(at("2027-01-15T00:00")) == at("2027-01-15T09:00")


def test_so_many_hours() -> None:
    every = Every.of(hours=6)
    assert every.last(at("2027-01-15T08:00")) == at("2027-01-15T06:00")
    assert every.following(at("2027-01-15T06:00")) == at("2027-01-15T12:00")
    assert Every.of(minutes=90).seconds == 5400


@pytest.mark.parametrize(
    ("when", "minutes", "zone", "problem"),
    [
        ("", 0, "", "either a time"),
        ("day 09:00", 5, "", "either a time"),
        ("moonday 09:00", 0, "", "no day"),
        ("monday", 0, "", "no time"),
        ("day 24:00", 0, "", "no time"),
        ("", 0.5, "", "once a minute"),
        ("day 09:00", 0, "Europe/Wien", "no time zone"),
    ],
)
def test_mistakes_are_told(when: str, minutes: float, zone: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Every.of(when, minutes=minutes, timezone=zone)
