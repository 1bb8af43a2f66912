"""Telephone numbers: how they are written, where they are, and whether a text can be sent there. Pure."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers import timezone as zones

from bot import Value

WHATSAPP = "whatsapp:"
"""What Twilio puts before the numbers of WhatsApp."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_DEAR = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})


class Number(Value, frozen=True):
    """A number in E.164. `country` is as "AT", empty where the number is none of any country; `dear` costs extra.

    `timezone` is set where the number tells it for sure.
    """

    e164: str
    country: str = ""
    timezone: str = ""
    dear: bool = False


def number_of(party: str) -> Number | None:
    """What Twilio calls `From` or `To`, as a number; None for a short code, a name, or what is no number at all."""
    written = party.removeprefix(WHATSAPP)
    if not _E164.fullmatch(written):
        return None
    try:
        parsed = phonenumbers.parse(written)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return Number(
        e164=written,
        country=phonenumbers.region_code_for_number(parsed) or "",
        timezone=_timezone(parsed),
        dear=phonenumbers.number_type(parsed) in _DEAR,
    )


def sender_kind(sender: str) -> str:
    """What a `TWILIO_FROM` is: "service", "whatsapp", "short_code", "toll_free", "long_code" or "name"."""
    if sender.startswith("MG"):
        return "service"
    if sender.startswith(WHATSAPP):
        return "whatsapp"
    if re.fullmatch(r"[0-9]{3,8}", sender, re.ASCII):
        return "short_code"
    if number_of(sender) is None:
        return "name"
    free = phonenumbers.number_type(phonenumbers.parse(sender)) == PhoneNumberType.TOLL_FREE
    return "toll_free" if free else "long_code"


def _timezone(parsed: PhoneNumber) -> str:
    found = [zone for zone in zones.time_zones_for_number(parsed) if zone != zones.UNKNOWN_TIMEZONE]
    return str(found[0]) if len(found) == 1 else ""
