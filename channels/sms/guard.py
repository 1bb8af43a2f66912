"""Keeps texts from costing what they should not: pumped numbers, dear numbers, machines that answer machines.

Counts in memory, of this process, and forgets with it. Knows numbers and times, and neither HTTP nor the gateway.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Literal, TypeVar

from bot import Consent, Content, Text
from channels.sms.numbers import Number
from channels.sms.settings import SmsSettings

T = TypeVar("T")

HOUR, DAY = 3600.0, 24 * 3600.0

MOST_NUMBERS = 20_000
"""Numbers that are remembered at once; who was silent longest is forgotten first."""

SAME_TEXT = 4
"""So often one long text in LOOP_TIME, and it is an automatic answer."""

LOOP_TIME = 300.0
LONG_TEXT = 20
"""Characters. A person says "yes" ten times; nobody types the same sentence four times in five minutes."""

Refusal = Literal["", "no_number", "dear_number", "country", "loop", "same_text", "hourly_cap", "daily_cap"]


class Guard:
    """What may come in from a number, and go out to it."""

    def __init__(self, settings: SmsSettings, countries: tuple[str, ...], now: Callable[[], float]) -> None:
        self._settings, self._countries, self._now = settings, frozenset(countries), now
        self._in: OrderedDict[str, deque[float]] = OrderedDict()
        self._recent: OrderedDict[str, deque[float]] = OrderedDict()
        self._out: OrderedDict[str, deque[float]] = OrderedDict()
        self._said: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()
        self._counted: OrderedDict[str, Refusal] = OrderedDict()

    def place(self, number: Number | None) -> Refusal:
        """Whether texts may go to and come from a number at all."""
        if number is None:
            return "no_number"
        if number.dear:
            return "dear_number"
        return "" if number.country in self._countries else "country"

    def inbound(self, number: Number | None, event: str, content: Content) -> Refusal:
        """Count what came in; why it is to be ignored. What Twilio delivers twice counts once."""
        if event in self._counted:
            return self._counted[event]
        refusal = self._inbound(number, content)
        _remember(self._counted, event, refusal)
        return refusal

    def _inbound(self, number: Number | None, content: Content) -> Refusal:
        if number is not None and isinstance(content, Consent):
            return ""  # whoever wants to hear no more is heard, from wherever, however often
        refusal = self.place(number)
        if refusal or number is None:
            return refusal
        settings, now = self._settings, self._now()
        # A machine goes on while it is ignored; a person who was ignored for an hour is not for another.
        recent = _times(self._recent, number.e164, now - settings.loop_seconds, settings.loop_messages + 1)
        recent.append(now)
        if len(recent) > settings.loop_messages:
            return "loop"
        if isinstance(content, Text) and self._same(number.e164, content.text, now):
            return "same_text"
        taken = _times(self._in, number.e164, now - DAY, settings.inbound_per_day)
        if refusal := _over(taken, now, settings.inbound_per_hour, settings.inbound_per_day):
            return refusal
        taken.append(now)
        return ""

    def outbound(self, number: Number | None) -> Refusal:
        """Whether one more message may go out. Count it with `sent`."""
        refusal = self.place(number)
        if refusal or number is None:
            return refusal
        settings, now = self._settings, self._now()
        times = _times(self._out, number.e164, now - DAY, settings.outbound_per_day)
        return _over(times, now, settings.outbound_per_hour, settings.outbound_per_day)

    def sent(self, number: Number) -> None:
        """Count what went out."""
        most = self._settings.outbound_per_day
        _times(self._out, number.e164, self._now() - DAY, most).append(self._now())

    def _same(self, number: str, text: str, now: float) -> bool:
        words = " ".join(text.casefold().split())
        if len(words) < LONG_TEXT:
            return False
        said = self._said.get(number)
        if said is None:
            said = _remember(self._said, number, deque(maxlen=64))
        said.append((now, hash(words)))
        return sum(1 for at, one in said if at > now - LOOP_TIME and one == hash(words)) >= SAME_TEXT


def _over(times: deque[float], now: float, hourly: int, daily: int) -> Refusal:
    if len(times) >= daily:
        return "daily_cap"
    return "hourly_cap" if sum(1 for at in times if at > now - HOUR) >= hourly else ""


def _times(kept: OrderedDict[str, deque[float]], number: str, since: float, most: int) -> deque[float]:
    times = kept.get(number)
    if times is None:
        times = _remember(kept, number, deque(maxlen=most))
    kept.move_to_end(number)
    while times and times[0] <= since:
        times.popleft()
    return times


def _remember(kept: OrderedDict[str, T], key: str, value: T) -> T:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_NUMBERS:
        kept.popitem(last=False)
    return value
