"""When a job runs: every so often, or at a time on days of the week, by the clock of a time zone. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.messages import Value
from bot.outreach.quiet import known_zone, zone

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS = {"day": range(7), "weekday": range(5), "weekend": range(5, 7)}
_WHEN = re.compile(r"([a-z, ]+?)\s+([01]?\d|2[0-3]):([0-5]\d)")

SHORTEST = 60.0
"""Seconds between two runs, at least."""


class Every(Value, frozen=True):
    """A rhythm. With `seconds` it counts from 1970, so that all processes agree; else days, minute and zone count."""

    seconds: float = 0.0
    days: tuple[int, ...] = ()
    minute: int = 0
    timezone: str = ""

    @classmethod
    def of(cls, when: str = "", *, minutes: float = 0, hours: float = 0, timezone: str = "") -> Every:
        """Read "monday 09:00", "monday, thursday 09:00", "weekday 18:30", "day 07:00". Raises ValueError."""
        if timezone and not known_zone(timezone):
            raise ValueError(f"{timezone!r} is no time zone; they are called Europe/Vienna and the like")
        seconds = minutes * 60.0 + hours * 3600.0
        if bool(when) == bool(seconds):
            raise ValueError('needs either a time, as in every("monday 09:00"), or a pause, as in every(hours=6)')
        if seconds:
            if seconds < SHORTEST:
                raise ValueError("can't be more often than once a minute")
            return cls(seconds=seconds)
        found = _WHEN.fullmatch(when.strip().lower())
        if found is None:
            raise ValueError(f'{when!r} is no time; it looks like "monday 09:00", "weekday 18:30" or "day 07:00"')
        days: set[int] = set()
        for name in found[1].replace(",", " ").split():
            if name not in _DAYS and name not in _GROUPS:
                raise ValueError(f"{name!r} is no day; there are {', '.join(_DAYS)}, day, weekday and weekend")
            days.update(_GROUPS.get(name, (_DAYS.index(name),) if name in _DAYS else ()))
        return cls(days=tuple(sorted(days)), minute=int(found[2]) * 60 + int(found[3]), timezone=timezone)

    def last(self, now: float, otherwise: str = "UTC") -> float:
        """The latest time at or before `now`; `otherwise` is the zone of a rhythm that has none."""
        if self.seconds:
            return now // self.seconds * self.seconds
        return max(at for at in self._around(now, otherwise) if at <= now)

    def following(self, now: float, otherwise: str = "UTC") -> float:
        """The first time after `now`."""
        if self.seconds:
            return (now // self.seconds + 1) * self.seconds
        return min(at for at in self._around(now, otherwise) if at > now)

    def _around(self, now: float, otherwise: str) -> list[float]:
        """Its times of the week before and the week after. A time that the clock leaves out comes at the new hour."""
        where = zone(self.timezone or otherwise)
        midnight = datetime.fromtimestamp(now, where).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        days = [midnight + timedelta(days=number) for number in range(-8, 9)]
        return [
            (day + timedelta(minutes=self.minute)).replace(tzinfo=where).astimezone(UTC).timestamp()
            for day in days
            if day.weekday() in self.days
        ]
