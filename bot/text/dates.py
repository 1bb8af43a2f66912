"""Dates: the one day that a text names, relative to a given today.

Knows no clock and no time zone: the caller says what day it is. Reads English. Gives nothing rather than a guess.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot.text.numerals import cardinal
from bot.text.plain import LONGEST, fold

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEAR = {
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
    "yesterday": -1,
    "today": 0,
    "tonight": 0,
    "tomorrow": 1,
    "tmrw": 1,
    "tomorow": 1,
    "tommorow": 1,
    "tommorrow": 1,
}
_FULL = re.compile(r"(?<![\d/.-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d/.-]\d|\d)")
_SHORT = re.compile(r"(?<![\d/.-])(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-]|\.\d)")
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?{'|sept' if month == 'september' else ''}" for month in _MONTHS)
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?({_MONTH})\b\.?(?:,? (\d{{4}})\b)?")
_MONTH_DAY = re.compile(rf"\b({_MONTH})\b\.? (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?")
_SPAN = re.compile(
    r"\b(in )?(a|an|\d{1,3}|[a-z]{3,9}(?:[- ][a-z]{3,5})?) (day|week|month)s?(?: (ago|from now|from today))?\b"
)
_DAY = "|".join(f"{day[:3]}(?:{day[3:]})?|{day[:4]}|{day[:5]}" for day in _DAYS)
_WEEKDAY = re.compile(rf"\b(?:(next|this|last|on|coming) )?({_DAY})\b")
_NEAR_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_NEAR, key=len, reverse=True))})\b")
_SPAN_DAYS = {"day": 1, "week": 7}


def date_in(text: str, today: date) -> date | None:
    """The day named in a text ("tomorrow", "next friday", "3 March", "2026-11-20", "in 2 days"); None when unsure.

    A day and month without a year, or a bare weekday, is the coming one ("next friday" too: the first after today);
    "last friday" the one before. 03/04/2026 could be two days, so it is none; 25/12/2026 is one.
    """
    spoken = " ".join(fold(text[:300]).split())
    try:
        for read in (_written, _named, _near, _span, _weekday):
            days = read(spoken, today)
            if days:
                return days.pop() if len(days) == 1 else None
    except (ValueError, OverflowError):
        return None  # the 31st of February
    return None


def dates_said(text: str) -> list[str]:
    """The words that name a day, in order and lower case ("next friday"), for `date_in` to read."""
    spoken = " ".join(fold(text[:LONGEST]).split())
    found = [match.span() for pattern in (_FULL, _SHORT, _DAY_MONTH, _MONTH_DAY) for match in pattern.finditer(spoken)]
    found += [match.span() for pattern in (_NEAR_WORD, _WEEKDAY) for match in pattern.finditer(spoken)]
    found += [match.span() for match in _SPAN.finditer(spoken) if match[1] or match[4]]
    kept: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return [spoken[start:end] for start, end in kept]


def _written(text: str, today: date) -> set[date]:
    """Dates in figures."""
    found = {date(int(year), int(month), int(day)) for year, month, day in _FULL.findall(text)}
    for first, mark, second, year in _SHORT.findall(text):
        one, two = int(first), int(second)
        full = int(year) + (2000 if len(year) == 2 else 0)
        # With points it is a day first everywhere; with slashes America puts the month first.
        days = [(one, two)] if mark == "." or one > 12 else [(two, one)] if two > 12 else [(one, two), (two, one)]
        found |= {date(full, month, day) for day, month in days}
    return found


def _named(text: str, today: date) -> set[date]:
    """Days with the month's name."""
    parts = [(int(day), month, year) for day, month, year in _DAY_MONTH.findall(text)]
    if not parts:
        parts = [(int(day), month, year) for month, day, year in _MONTH_DAY.findall(text)]
    found: set[date] = set()
    for day, name, year in parts:
        month = next(place for place, full in enumerate(_MONTHS, start=1) if full.startswith(name[:3]))
        if year:
            found.add(date(int(year), month, day))
        else:
            later = date(today.year, month, day)
            found.add(later if later >= today else date(today.year + 1, month, day))
    return found


def _near(text: str, today: date) -> set[date]:
    """Today, tomorrow and their neighbours."""
    return {today + timedelta(days=_NEAR[word]) for word in _NEAR_WORD.findall(text)}


def _span(text: str, today: date) -> set[date]:
    """So many days, weeks or months from today, or ago."""
    found: set[date] = set()
    for ahead, count, unit, way in _SPAN.findall(text):
        amount = 1 if count in ("a", "an") else int(count) if count.isdigit() else cardinal(re.split("[- ]", count))
        if amount is None or not (ahead or way):
            continue
        amount = -amount if way == "ago" else amount
        found.add(_months(today, amount) if unit == "month" else today + timedelta(days=amount * _SPAN_DAYS[unit]))
    return found


def _months(today: date, amount: int) -> date:
    """The same day so many months on, or the last one of that month."""
    year, month = divmod(today.year * 12 + today.month - 1 + amount, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(today.day, (first_of_next - timedelta(days=1)).day))


def _weekday(text: str, today: date) -> set[date]:
    """A weekday: the first one after today, or before it for "last"."""
    found: set[date] = set()
    for which, name in _WEEKDAY.findall(text):
        if not which and len(name) == 3 and name in ("sun", "sat", "wed") and text != name:
            continue  # a word of its own: "the sun shines", "I sat"
        day = next(place for place, full in enumerate(_DAYS) if full.startswith(name))
        if which == "last":
            ahead = -((today.weekday() - day - 1) % 7 + 1)
        else:
            ahead = (day - today.weekday() - (which != "this")) % 7 + (which != "this")
        found.add(today + timedelta(days=ahead))
    return found
