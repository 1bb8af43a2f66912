"""Quiet hours: when nobody is to be written to, by the clock on their own wall. Pure; knows no people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from bot.messages import Value

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")

ROUNDS = 4
"""So often zones are gone through until all are awake; where they never are at once, the last one's morning counts."""


class QuietHours(Value, frozen=True):
    """From `start` to `end`, in minutes after midnight; it may go over midnight. Equal ones mean never."""

    start: int = 0
    end: int = 0

    @classmethod
    def parse(cls, text: str) -> QuietHours:
        """Read "21:00-08:00"; an empty text means never. Raises ValueError."""
        if not text.strip():
            return cls()
        found = _HOURS.fullmatch(text.strip())
        if found is None:
            raise ValueError("should be like 21:00-08:00, or empty for no quiet hours")
        hour, minute, until_hour, until_minute = (int(part) for part in found.groups())
        return cls(start=hour * 60 + minute, end=until_hour * 60 + until_minute)

    def over(self, now: float, zones: Sequence[str]) -> float:
        """The first moment from `now` on (seconds since 1970) at which it is quiet in none of the zones."""
        at = now
        for _ in range(ROUNDS):
            later = at
            for name in zones:
                later = self._over(later, zone(name))
            if later == at:
                break
            at = later
        return at

    def _over(self, now: float, where: ZoneInfo) -> float:
        if self.start == self.end or not self._quiet(now, where):
            return now
        local = datetime.fromtimestamp(now, where)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        for day in range(3):
            wall = midnight + timedelta(days=day, minutes=self.end)
            # An hour that the clock goes through twice ends the second time; one that it leaves out, at the jump.
            for fold in (0, 1):
                at = wall.replace(tzinfo=where, fold=fold).astimezone(UTC).timestamp()
                if at > now and not self._quiet(at, where):
                    return self._first(now, at, where)
        return now

    def _first(self, quiet: float, awake: float, where: ZoneInfo) -> float:
        """The first second of being awake, where a jump of the clock lies between."""
        if self._quiet(awake - 1.0, where):
            return awake
        low, high = max(quiet, awake - 3 * 3600.0), awake
        while high - low > 1.0:
            middle = float(int((low + high) / 2))
            low, high = (middle, high) if self._quiet(middle, where) else (low, middle)
        return high

    def _quiet(self, at: float, where: ZoneInfo) -> bool:
        local = datetime.fromtimestamp(at, where)
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name; UTC where nobody knows it: names come from platforms."""
    return ZoneInfo(name) if known_zone(name) else ZoneInfo("UTC")


@lru_cache(maxsize=1024)
def known_zone(name: str) -> bool:
    """Whether there is a zone of this name."""
    return name in available_timezones()
