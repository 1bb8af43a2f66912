"""Who is in a segment, page by page, and why somebody of it is left out. Reads the store's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, column, func, select, table

from bot.messages import Address, Value
from bot.outreach.campaign import Campaign, Segment
from bot.outreach.saying import Shared

PAGE = 1000
"""Conversations that are looked at in one transaction."""

OUT = "outreach"
"""The fact about a person that says "off" once they want no broadcasts."""

DAY = 24 * 3600.0

_lanes = table("lanes", *(column(name) for name in (
    "conversation", "tenant", "channel", "account", "chat", "thread", "person", "owner", "silence",
)))  # fmt: skip
_people = table("people", column("id"), column("name"), column("language"))
_facts = table("facts", column("person"), column("key"), column("value"))
_inbox = table("inbox", column("conversation"), column("channel"), column("person"), column("at"))


class Somebody(Value, frozen=True):
    """A person in one conversation. `several` says that others write there too, `shared` that they can read it."""

    conversation: str
    tenant: str
    channel: str
    account: str
    person: str
    name: str
    language: str
    owner: str
    silence: str
    seen_at: float = 0.0
    several: bool = False
    shared: bool = False
    facts: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """What fills the places of a text."""
        return values_of(self.name, self.language, self.facts)


class Page(Value, frozen=True):
    """Those of a segment among the conversations up to `last`; nothing follows behind an empty `last`."""

    people: tuple[Somebody, ...]
    last: str


def values_of(name: str, language: str, facts: dict[str, Any]) -> dict[str, str]:
    """What fills the places of a text: facts that are words or numbers, and what everybody has."""
    simple = {key: str(value) for key, value in facts.items() if isinstance(value, str | int | float)}
    return simple | {"name": name, "first_name": name.strip().partition(" ")[0], "language": language}


def page(
    connection: Connection, segment: Segment, after: str, now: float, shared: Shared, *, limit: int = PAGE
) -> Page:
    """The next conversations behind `after`, by id; only those that are in the segment."""
    wanted = select(*_lanes.c, _people.c.name, _people.c.language)
    wanted = wanted.select_from(_lanes.outerjoin(_people, _people.c.id == _lanes.c.person))
    wanted = wanted.where(_lanes.c.conversation > after)
    rows = connection.execute(wanted.order_by(_lanes.c.conversation).limit(limit)).all()
    if not rows:
        return Page(people=(), last="")
    last = rows[-1].conversation
    # Looked at here and not in the statement: a page is so many rows read, however few of them are wanted.
    rows = [row for row in rows if row.person and _here(row, segment)]
    seen = _seen(connection, [row.conversation for row in rows])
    facts = facts_of(connection, [row.person for row in rows])
    found = [
        Somebody(
            conversation=row.conversation,
            tenant=row.tenant,
            channel=row.channel,
            account=row.account,
            person=row.person,
            name=row.name or "",
            language=row.language or "",
            owner=row.owner,
            silence=row.silence,
            seen_at=seen.get(row.conversation, (0.0, 0))[0],
            several=seen.get(row.conversation, (0.0, 0))[1] > 1,
            shared=shared(Address(channel=row.channel, account=row.account, chat=row.chat, thread=row.thread)),
            facts=facts.get(row.person, {}),
        )
        for row in rows
    ]
    return Page(people=tuple(one for one in found if belongs(one, segment, now)), last=last)


def belongs(one: Somebody, segment: Segment, now: float) -> bool:
    """Whether somebody is in the segment, as far as their language, facts and last message decide."""
    if segment.languages and not any(_speaks(one.language, wanted) for wanted in segment.languages):
        return False
    if any(one.facts.get(key) != value for key, value in segment.facts.items()):
        return False
    within, without = segment.seen_within_days, segment.not_seen_within_days
    if within is not None and one.seen_at < now - within * DAY:
        return False
    return without is None or one.seen_at < now - without * DAY


def left_out(one: Somebody, campaign: Campaign) -> str:
    """Why somebody of the segment gets nothing; nothing if they do."""
    if one.silence:
        return one.silence.replace("_", " ")
    if one.facts.get(OUT) == "off":
        return "unsubscribed"
    if one.shared:
        return "others read along there"
    if one.several:
        return "several people write there"
    missing = campaign.missing(one.values)
    return f"no value for {{{missing}}}" if missing else ""


def rank(one: Somebody, why: str) -> int:
    """Which conversation of a person counts: one that says "no" before all others, then one that can be written to."""
    return 2 if one.silence else 0 if why else 1


def facts_of(connection: Connection, people: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is remembered about people."""
    found: dict[str, dict[str, Any]] = {}
    rows = connection.execute(select(*_facts.c).where(_facts.c.person.in_(set(people)))).all()
    for person, key, value in rows:
        found.setdefault(person, {})[key] = msgspec.json.decode(value)
    return found


def _seen(connection: Connection, conversations: Sequence[str]) -> dict[str, tuple[float, int]]:
    """When somebody last wrote in each, and how many people ever did."""
    wrote = select(_inbox.c.conversation, func.max(_inbox.c.at), func.count(func.distinct(_inbox.c.person)))
    wrote = wrote.where(_inbox.c.conversation.in_(conversations), _inbox.c.channel != "")
    rows = connection.execute(wrote.group_by(_inbox.c.conversation)).all()
    return {conversation: (at, people) for conversation, at, people in rows}


def _here(row: Any, segment: Segment) -> bool:
    asked = ((row.channel, segment.channels), (row.account, segment.accounts), (row.tenant, segment.tenants))
    return all(not wanted or value in wanted for value, wanted in asked)


def _speaks(language: str, wanted: str) -> bool:
    mine, theirs = language.lower().replace("_", "-"), wanted.lower().replace("_", "-")
    return mine == theirs or mine.startswith(f"{theirs}-")
