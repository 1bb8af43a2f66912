"""In which time zone somebody is: what their platform says, else what their phone number says. Knows no settings."""

from __future__ import annotations

from functools import lru_cache

from bot.outreach.quiet import known_zone
from bot.people import Person

FEW = 3
"""A number that may be in more zones than these (a mobile of a wide country) says nothing."""


def zones_of(person: Person, otherwise: str) -> tuple[str, ...]:
    """The zones that somebody may be in; `otherwise` where nobody knows."""
    if person.timezone and known_zone(person.timezone):
        return (person.timezone,)
    return zones_of_number(person.phone) or (otherwise,)


@lru_cache(maxsize=10_000)
def zones_of_number(phone: str) -> tuple[str, ...]:
    """The zones of an international phone number ("+43..."); none where it has no single place."""
    if not phone.startswith("+"):
        return ()
    try:
        from phonenumbers import NumberParseException, parse  # noqa: PLC0415 - an extra, and slow to import
        from phonenumbers.timezone import time_zones_for_number  # noqa: PLC0415
    except ImportError:
        return ()
    try:
        found = [name for name in time_zones_for_number(parse(phone)) if known_zone(name)]
    except NumberParseException:
        return ()
    return tuple(found) if len(found) <= FEW else ()
