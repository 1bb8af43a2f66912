"""Keeps texts from costing what they should not: pumped numbers, dear numbers, machines that answer machines.

The counts are the gateway's, so all processes of the bot share them. Knows numbers and windows of time, and no HTTP.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Literal

from bot import Consent, Content, Gateway, Pace, Text
from channels.sms.numbers import Number
from channels.sms.settings import SmsSettings

HOUR, DAY = 3600.0, 24 * 3600.0

MOST_EVENTS = 20_000
"""Events whose refusal is remembered at once, by this process."""

SAME_TEXT = Pace(count=3, seconds=300.0)
"""One long text more often than this, and it is an automatic answer."""

LONG_TEXT = 20
"""Characters. A person says "yes" ten times; nobody types the same sentence four times in five minutes."""

Refusal = Literal["", "no_number", "dear_number", "country", "loop", "same_text", "hourly_cap", "daily_cap"]


class Guard:
    """What may come in from a number, and go out to it, on one account."""

    def __init__(self, settings: SmsSettings, countries: tuple[str, ...], gateway: Gateway, account: str) -> None:
        self._settings, self._countries, self._gateway = settings, frozenset(countries), gateway
        self._prefix = f"sms.{account}"
        self._judged: OrderedDict[str, Refusal] = OrderedDict()

    def place(self, number: Number | None) -> Refusal:
        """Whether texts may go to and come from a number at all."""
        if number is None:
            return "no_number"
        if number.dear:
            return "dear_number"
        return "" if number.country in self._countries else "country"

    async def inbound(self, number: Number | None, event: str, content: Content) -> Refusal:
        """Count what came in; why it is to be ignored. What Twilio delivers twice counts once."""
        if event not in self._judged:
            self._judged[event] = await self._inbound(number, event, content)
            if self._judged[event]:
                await self.handled(event)
            if len(self._judged) > MOST_EVENTS:
                self._judged.popitem(last=False)
        return self._judged[event]

    async def late(self, number: Number | None, event: str, content: Content) -> Refusal:
        """The same for what comes long after it was sent: then nobody can say how fast it came."""
        if number is not None and isinstance(content, Consent):
            return ""
        refusal = self.place(number)
        return refusal if refusal or number is None else await self._taken(number, event)

    async def handled(self, event: str) -> None:
        """A message was stored, or refused: whoever finds it in Twilio's list can leave it alone."""
        await self._gateway.admit([self._handled(event)], "handled", anyway=True)

    async def missed(self, event: str) -> bool:
        """Whether nobody is known to have handled this message."""
        return not await self._gateway.admit([self._handled(event)], "missed")

    async def outbound(self, number: Number | None, delivery: str) -> Refusal:
        """Count one more message that is to go out; why it may not. Another attempt at a delivery counts once."""
        refusal = self.place(number)
        if refusal or number is None:
            return refusal
        settings = self._settings
        return await self._capped("out", number, delivery, settings.outbound_per_hour, settings.outbound_per_day)

    async def _inbound(self, number: Number | None, event: str, content: Content) -> Refusal:
        if number is not None and isinstance(content, Consent):
            return ""  # whoever wants to hear no more is heard, from wherever, however often
        refusal = self.place(number)
        if refusal or number is None:
            return refusal
        settings = self._settings
        # A machine goes on while it is ignored; a person who was ignored for an hour is not for another.
        loop = Pace(count=settings.loop_messages, seconds=settings.loop_seconds)
        if await self._gateway.admit([(self._key("loop", number), loop)], event, anyway=True):
            return "loop"
        if isinstance(content, Text) and await self._same(number, event, content.text):
            return "same_text"
        return await self._taken(number, event)

    async def _taken(self, number: Number, event: str) -> Refusal:
        settings = self._settings
        return await self._capped("in", number, event, settings.inbound_per_hour, settings.inbound_per_day)

    async def _same(self, number: Number, event: str, text: str) -> bool:
        words = " ".join(text.casefold().split())
        if len(words) < LONG_TEXT:
            return False
        key = f"{self._key('same', number)}.{_mark(words)}"
        return bool(await self._gateway.admit([(key, SAME_TEXT)], event, anyway=True))

    async def _capped(self, way: str, number: Number, event: str, hourly: int, daily: int) -> Refusal:
        key = self._key(way, number)
        by_day, by_hour = (
            (f"{key}.day", Pace(count=daily, seconds=DAY)),
            (f"{key}.hour", Pace(count=hourly, seconds=HOUR)),
        )
        full = await self._gateway.admit([by_day, by_hour], event)
        return ("daily_cap" if full == by_day[0] else "hourly_cap") if full else ""

    def _key(self, what: str, number: Number) -> str:
        """Without the number itself: counts lie in places that more people look into than the store."""
        return f"{self._prefix}.{what}.{_mark(number.e164)}"

    def _handled(self, event: str) -> tuple[str, Pace]:
        return f"{self._prefix}.handled.{event}", Pace(count=1, seconds=2 * DAY)


def _mark(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
