"""Who somebody on Slack is: looked up behind the back of the message, and remembered. Knows no messages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from bot import Clock, Message, SendError
from channels.slack.calls import Calls
from channels.slack.words import mapping, text_of

Spawn = Callable[[Coroutine[None, None, None]], None]
Token = Callable[[str], Awaitable[str]]

FRESH, AGAIN = 3600.0, 60.0
"""Seconds until somebody is looked up again: who was found, and who was not."""

_Person = tuple[str, str]
"""A workspace (or an organisation) and somebody's id there."""

MOST = 20_000
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack says of a person; `until` is on the steady clock."""

    until: float
    name: str = ""
    email: str = ""
    verified: bool = False
    timezone: str = ""
    language: str = ""


class People:
    """A memory of profiles. A message never waits for it: who is unknown is known at their next message."""

    def __init__(self, calls: Calls, token: Token, clock: Clock, spawn: Spawn) -> None:
        self._calls, self._token, self._clock, self._spawn = calls, token, clock, spawn
        self._known: OrderedDict[_Person, Profile] = OrderedDict()
        self._asking: set[_Person] = set()

    def name(self, team: str, user: str) -> str:
        """Their name; empty when it is not known (yet)."""
        known = self._known.get((team, user))
        return known.name if known is not None else ""

    def language(self, team: str, user: str) -> str:
        """Their language; empty when it is not known (yet)."""
        known = self._known.get((team, user))
        return known.language if known is not None else ""

    def introduce(self, message: Message, team: str) -> Message:
        """The message with all that is known of who sent it; who is not known is looked up meanwhile."""
        sender = message.sender
        person = (team, sender.id.rpartition("/")[2])
        known = self._known.get(person)
        if known is None or known.until < self._clock.steady():
            self._ask(person)
        if known is None:
            return message
        said = replace(
            sender,
            name=known.name or sender.name,
            email=known.email,
            verified=known.verified,
            timezone=known.timezone,
            language=known.language,
        )
        return replace(message, sender=said)

    def _ask(self, person: _Person) -> None:
        if person not in self._asking and len(self._asking) < _AT_ONCE:
            self._asking.add(person)
            self._spawn(self._look_up(person))

    async def _look_up(self, person: _Person) -> None:
        team, user = person
        try:
            token = await self._token(team)
            answer = await self._calls.get("users.info", token, {"user": user, "include_locale": 1})
        except SendError:
            known = self._known.get(person)
            self._keep(person, known or Profile(self._clock.steady() + AGAIN))
        else:
            self._keep(person, profile_of(mapping(answer.get("user")), team, self._clock.steady() + FRESH))
        finally:
            self._asking.discard(person)

    def _keep(self, person: _Person, profile: Profile) -> None:
        self._known[person] = profile
        self._known.move_to_end(person)
        if len(self._known) > MOST:
            self._known.popitem(last=False)


def profile_of(person: Mapping[str, object], team: str, until: float) -> Profile:
    """What `users.info` says. A workspace vouches for the e-mail of its own people, not of guests from another one."""
    profile = mapping(person.get("profile"))
    email = text_of(profile.get("email"))
    homes = (text_of(person.get("team_id")), text_of(mapping(person.get("enterprise_user")).get("enterprise_id")))
    ours = bool(team) and team in homes and not person.get("is_stranger")
    confirmed = person.get("is_email_confirmed") is not False and not person.get("is_bot") and not person.get("deleted")
    name = text_of(profile.get("display_name")) or text_of(profile.get("real_name")) or text_of(person.get("real_name"))
    return Profile(
        until=until,
        name=name or text_of(person.get("name")),
        email=email,
        verified=bool(email) and ours and confirmed,
        timezone=text_of(person.get("tz")),
        language=text_of(person.get("locale")),
    )
