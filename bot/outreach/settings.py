"""The section `outreach` of the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.outreach.quiet import QuietHours, known_zone
from bot.settings import Section


def _hours(text: str) -> str:
    QuietHours.parse(text)
    return text


def _zone(name: str) -> str:
    if not known_zone(name):
        raise ValueError("should be a time zone such as Europe/Vienna")
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class OutreachSettings(Section):
    """When the bot speaks first.

    `quiet_hours` are in the recipient's time zone: the one that the platform or the phone number tells, else that of
    their tenant in `timezones`, else `timezone`. With `jobs` off, no `@skill.every` runs in this process. `rate` is how
    many recipients of a broadcast a second, unless its file says so; `footer` is what stands below each broadcast.
    """

    quiet_hours: Annotated[str, AfterValidator(_hours)] = "21:00-08:00"
    timezone: Zone = "UTC"
    timezones: dict[str, Zone] = Field(default_factory=dict)
    jobs: bool = True
    rate: Annotated[float, Field(gt=0, le=1000)] = 10.0
    footer: str = "To get no more of these, write /unsubscribe."

    def zone_of(self, tenant: str) -> str:
        """The zone of people of whom nothing is known."""
        return self.timezones.get(tenant, self.timezone)
