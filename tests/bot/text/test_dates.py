"""The one day that an answer names."""

from __future__ import annotations

from datetime import date

import pytest

from bot.text.dates import date_in, dates_said
from tests.bot.text.tables import each

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("tomorrow", "2026-11-21"),
        ("the day after tomorrow please", "2026-11-22"),
        ("Yesterday", "2026-11-19"),
        ("friday", "2026-11-27"),
        ("next friday", "2026-11-27"),
        ("this friday", "2026-11-20"),
        ("last friday", "2026-11-13"),
        ("last monday", "2026-11-16"),
        ("on sunday", "2026-11-22"),
        ("thurs", "2026-11-26"),
        ("3 March", "2027-03-03"),
        ("March 3rd", "2027-03-03"),
        ("20 november", "2026-11-20"),
        ("the 3rd of march 2027", "2027-03-03"),
        ("2026-11-20", "2026-11-20"),
        ("25/12/2026", "2026-12-25"),
        ("12/25/26", "2026-12-25"),
        ("1.2.2027", "2027-02-01"),
        ("in 2 days", "2026-11-22"),
        ("in twenty-one days", "2026-12-11"),
        ("a week ago", "2026-11-13"),
        ("in a month", "2026-12-20"),
    ],
)
def test_dates(text: str, day: str) -> None:
    assert date_in(text, FRIDAY) == date.fromisoformat(day)


def test_months_end_where_the_month_does() -> None:
    assert date_in("in 1 month", date(2026, 1, 31)) == date(2026, 2, 28)
    assert date_in("in 1 month", date(2026, 12, 31)) == date(2027, 1, 31)


@pytest.mark.parametrize(
    "text",
    each("""03/04/2026|31 february|31/31/2026|monday or tuesday|I sat here|2 days|may i?||2026-13-40|soon|1234567
99999 days ago"""),
)
def test_unsure(text: str) -> None:
    assert date_in(text, FRIDAY) is None


def test_the_end_of_time_is_no_date() -> None:
    assert date_in("in 999 days", date(9999, 12, 31)) is None
    assert date_in("in 999 months", date(9999, 12, 31)) is None


def test_the_words_that_name_a_day() -> None:
    assert dates_said("Come next Friday or on 3 March, not 2026-11-20") == ["next friday", "3 march", "2026-11-20"]
    assert dates_said("whenever") == []
