"""Quiet hours: when they end, by the clock on the recipient's wall, on the days when it is put forward and back too."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outreach.quiet import QuietHours, zone
from bot.outreach.zones import zones_of, zones_of_number
from bot.people import Person

NIGHT = QuietHours.parse("21:00-08:00")


def at(text: str, where: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(where), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2027-01-15T12:00", "2027-01-15T12:00"),
        ("2027-01-15T20:59:59", "2027-01-15T20:59:59"),
        ("2027-01-15T21:00", "2027-01-16T08:00"),
        ("2027-01-16T00:00", "2027-01-16T08:00"),
        ("2027-01-16T07:59:59", "2027-01-16T08:00"),
        ("2027-01-16T08:00", "2027-01-16T08:00"),
    ],
)
def test_what_falls_into_the_night_waits_until_the_morning(now: str, until: str) -> None:
    for where in ("UTC", "Europe/Vienna", "America/Los_Angeles", "Asia/Kathmandu"):
        assert NIGHT.over(at(now, where), (where,)) == at(until, where)


def test_hours_within_a_day_and_none_at_all() -> None:
    noon = QuietHours.parse("12:00 - 14:30")
    assert noon.over(at("2027-01-15T13:00"), ("UTC",)) == at("2027-01-15T14:30")
    assert noon.over(at("2027-01-15T14:30"), ("UTC",)) == at("2027-01-15T14:30")
    for never in ("", "08:00-08:00"):
        assert QuietHours.parse(never).over(at("2027-01-15T03:00"), ("UTC",)) == at("2027-01-15T03:00")


@pytest.mark.parametrize("wrong", ["21-8", "25:00-08:00", "21:00", "night"])
def test_what_is_no_time_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="21:00-08:00"):
        QuietHours.parse(wrong)


def test_the_night_when_clocks_go_forward_is_an_hour_shorter() -> None:
    evening = at("2027-03-27T22:00", "Europe/Vienna")
    until = NIGHT.over(evening, ("Europe/Vienna",))
    assert until == at("2027-03-28T08:00", "Europe/Vienna")
    assert until - evening == 9 * 3600


def test_the_night_when_clocks_go_back_is_an_hour_longer() -> None:
    evening = at("2027-10-30T22:00", "Europe/Vienna")
    assert NIGHT.over(evening, ("Europe/Vienna",)) - evening == 11 * 3600


def test_an_end_that_the_clock_leaves_out_is_the_jump_itself() -> None:
    until = QuietHours.parse("22:00-02:30").over(at("2027-03-28T01:00", "Europe/Vienna"), ("Europe/Vienna",))
    assert until == at("2027-03-28T03:00", "Europe/Vienna")


def test_an_end_that_the_clock_shows_twice_is_the_second_one() -> None:
    hours = QuietHours.parse("22:00-02:30")
    until = hours.over(at("2027-10-31T01:00", "Europe/Vienna"), ("Europe/Vienna",))
    assert until == at("2027-10-31T02:30", "Europe/Vienna", fold=0)
    # Once more at ten past two: it is night again on the wall, and nobody is woken.
    again = hours.over(at("2027-10-31T02:10", "Europe/Vienna", fold=1), ("Europe/Vienna",))
    assert again == at("2027-10-31T02:30", "Europe/Vienna", fold=1)


def test_who_may_be_in_either_of_two_zones_is_asleep_in_neither() -> None:
    zones = ("America/New_York", "America/Los_Angeles")
    until = NIGHT.over(at("2027-01-15T07:00", "America/New_York"), zones)
    assert until == at("2027-01-15T08:00", "America/Los_Angeles")
    assert NIGHT.over(at("2027-01-15T20:30", "America/Los_Angeles"), zones) == at(
        "2027-01-16T08:00", "America/Los_Angeles"
    )


@given(
    now=st.floats(min_value=1_600_000_000, max_value=2_000_000_000),
    where=st.sampled_from(["UTC", "Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"]),
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
)
def test_the_end_is_never_quiet_and_never_before_now(now: float, where: str, start: int, end: int) -> None:
    until = QuietHours(start=start, end=end).over(now, (where,))
    local = datetime.fromtimestamp(until, ZoneInfo(where))
    minute = local.hour * 60 + local.minute
    quiet = start <= minute < end if start <= end else minute >= start or minute < end
    assert now <= until <= now + 25 * 3600
    assert start == end or not quiet


def test_a_zone_is_the_platforms_else_the_numbers_else_the_settings() -> None:
    pytest.importorskip("phonenumbers")
    assert zones_of(Person(id="p", timezone="Asia/Tokyo", phone="+436641234567"), "UTC") == ("Asia/Tokyo",)
    assert zones_of(Person(id="p", timezone="Mars/Olympus", phone="+436641234567"), "UTC") == ("Europe/Vienna",)
    assert zones_of(Person(id="p", phone="+12125550100"), "UTC") == ("America/New_York",)
    assert zones_of(Person(id="p"), "Europe/Rome") == ("Europe/Rome",)


@pytest.mark.parametrize("phone", ["", "2125550100", "+18005550100", "+1", "+999", "+\ud800"])
def test_a_number_of_no_single_place_says_nothing(phone: str) -> None:
    assert zones_of_number(phone) == ()


def test_a_name_that_nobody_knows_is_utc() -> None:
    assert datetime.fromtimestamp(0, zone("../../etc/passwd")) == datetime.fromtimestamp(0, UTC)
