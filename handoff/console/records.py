"""Units of work on the console's tables: functions that get a connection inside a transaction.

They may run twice (the store repeats a group of writes that fails), so they make no ids and read no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, Select, and_, or_, select, update

from bot import Agent, AgentReplied, Case, DeskEvent, Entry, Value
from handoff.console.tables import agents, appended, events, metadata, notes, tickets

State = Literal["waiting", "taken", "closed"]
PREVIEW = 160


class Ticket(Value, frozen=True):
    """One handed-over conversation, as the queue and the panel show it."""

    id: int
    conversation: str
    channel: str
    person: dict[str, str | bool]
    queue: str
    priority: str
    reason: str
    summary: str
    facts: dict[str, str]
    opened_at: float
    state: State
    agent: str
    agent_name: str
    takes: int
    taken_at: float
    closed_at: float
    outcome: str
    preview: str
    preview_source: str
    last_at: float
    last_seq: int
    waiting_since: float


class StoredNote(Value, frozen=True):
    """A private note."""

    id: int
    author: str
    text: str
    at: float


class StoredEvent(Value, frozen=True):
    """What an agent did, and how far it got."""

    id: int
    ticket: int
    event: DeskEvent
    seen: int
    entry_seq: int
    delivered: bool


def create(connection: Connection) -> None:
    """Make the tables that are missing."""
    metadata.create_all(connection, checkfirst=True)


# --- tickets


def open_ticket(connection: Connection, case: Case, key: str, now: float) -> Ticket:
    """A ticket for the case; the one made before, if `key` was used before."""
    found = connection.execute(_tickets().where(tickets.c.key == key)).first()
    if found is not None:
        return _ticket(found)
    person = case.person
    # The customer's last words say more than the bot's promise to get someone.
    said = [entry for entry in case.transcript if entry.text and entry.source == "user"]
    last = said[-1] if said else None
    values: dict[str, object] = {
        "key": key,
        "conversation": case.conversation,
        "channel": case.channel,
        "person": {
            "id": person.id,
            "name": person.name,
            "language": person.language,
            "phone": person.phone,
            "email": person.email,
            "verified": person.verified,
        },
        "queue": case.queue,
        "priority": case.priority,
        "reason": case.reason,
        "summary": case.summary,
        "facts": dict(case.facts),
        "opened_at": now,
        "state": "waiting",
        "preview": _preview(last.text) if last else "",
        "preview_source": last.source if last else "",
        "last_at": last.at if last else now,
        "last_seq": max((entry.seq for entry in case.transcript), default=0),
        "waiting_since": now,
    }
    made = connection.execute(tickets.insert().values(**values)).inserted_primary_key
    assert made is not None  # noqa: S101  an insert of one row has a key
    ticket = find_ticket(connection, int(made[0]))
    assert ticket is not None  # noqa: S101  it was inserted a moment ago
    return ticket


def find_ticket(connection: Connection, ticket: int) -> Ticket | None:
    """A ticket by its number."""
    found = connection.execute(_tickets().where(tickets.c.id == ticket)).first()
    return _ticket(found) if found is not None else None


def open_tickets(connection: Connection, limit: int = 1000) -> list[Ticket]:
    """Cases that wait or are being worked on, oldest first."""
    rows = connection.execute(_tickets().where(tickets.c.state != "closed").order_by(tickets.c.opened_at).limit(limit))
    return [_ticket(row) for row in rows]


def closed_tickets(connection: Connection, limit: int = 50) -> list[Ticket]:
    """Cases that are done, newest first."""
    rows = connection.execute(
        _tickets().where(tickets.c.state == "closed").order_by(tickets.c.closed_at.desc()).limit(limit)
    )
    return [_ticket(row) for row in rows]


def append(connection: Connection, ticket: int, entry: Entry, key: str) -> Ticket | None:
    """Note that something was said; the same key again changes nothing. None when there is no such ticket."""
    found = find_ticket(connection, ticket)
    if found is None:
        return None
    once = and_(appended.c.ticket == ticket, appended.c.key == key)
    if connection.execute(select(appended.c.key).where(once)).first() is not None:
        return found
    connection.execute(appended.insert().values(ticket=ticket, key=key))
    changes: dict[str, object] = {"last_seq": max(found.last_seq, entry.seq)}
    if entry.source == "user":
        changes["waiting_since"] = found.waiting_since or entry.at
    if entry.text and entry.source != "system":
        changes |= {"preview": _preview(entry.text), "preview_source": entry.source, "last_at": entry.at}
    return _change(connection, ticket, changes)


def take(connection: Connection, ticket: int, agent: Agent, instead_of: str, now: float) -> tuple[bool, Ticket | None]:
    """Give the ticket to the agent if it is free, or still with `instead_of`; whether that happened, and the ticket."""
    free = tickets.c.state == "waiting"
    if instead_of:
        free = or_(free, and_(tickets.c.state == "taken", tickets.c.agent == instead_of))
    changed = connection.execute(
        update(tickets)
        .where(tickets.c.id == ticket, free)
        .values(state="taken", agent=agent.id, taken_at=now, takes=tickets.c.takes + 1)
    )
    return changed.rowcount == 1, find_ticket(connection, ticket)


def close(connection: Connection, ticket: int, outcome: str, now: float) -> Ticket | None:
    """Close it; a ticket that is closed stays as it was."""
    connection.execute(
        update(tickets)
        .where(tickets.c.id == ticket, tickets.c.state != "closed")
        .values(state="closed", closed_at=now, outcome=outcome[:200], waiting_since=0.0)
    )
    return find_ticket(connection, ticket)


def answered(connection: Connection, ticket: int, text: str, now: float) -> Ticket | None:
    """The agent answered: nobody waits any more."""
    changes = {"preview": _preview(text), "preview_source": "agent", "last_at": now, "waiting_since": 0.0}
    return _change(connection, ticket, changes)


# --- notes


class NewNote(Value, frozen=True):
    """A note to write; the same key again writes nothing. `author` is empty for Frontdesk's own."""

    key: str
    author: str
    text: str
    at: float


def add_note(connection: Connection, ticket: int, note: NewNote) -> bool:
    """Add a private note once per key; False when there is no such ticket."""
    if find_ticket(connection, ticket) is None:
        return False
    once = and_(notes.c.ticket == ticket, notes.c.key == note.key)
    if connection.execute(select(notes.c.id).where(once)).first() is None:
        connection.execute(
            notes.insert().values(ticket=ticket, key=note.key, author=note.author, text=note.text, at=note.at)
        )
    return True


def notes_of(connection: Connection, ticket: int) -> list[StoredNote]:
    """The private notes of a ticket, oldest first."""
    rows = connection.execute(select(notes).where(notes.c.ticket == ticket).order_by(notes.c.id))
    return [StoredNote(id=row.id, author=row.author, text=row.text, at=row.at) for row in rows]


# --- events


def add_event(connection: Connection, ticket: int, event: DeskEvent, seen: int = 0) -> None:
    """Write down what an agent did, before the core hears of it."""
    body = msgspec.json.encode(event).decode()
    values = {"event_id": event.event_id, "ticket": ticket, "body": body, "seen": seen, "delivered": False}
    connection.execute(events.insert().values(**values))


def find_event(connection: Connection, event_id: str) -> StoredEvent | None:
    """An event by its id."""
    row = connection.execute(select(events).where(events.c.event_id == event_id)).first()
    return _event(row) if row is not None else None


def events_after(connection: Connection, ticket: int, after: int, limit: int = 500) -> list[StoredEvent]:
    """The events of a ticket behind a place, oldest first."""
    where = and_(events.c.ticket == ticket, events.c.id > after)
    return [_event(row) for row in connection.execute(select(events).where(where).order_by(events.c.id).limit(limit))]


def undelivered(connection: Connection, limit: int = 500) -> list[StoredEvent]:
    """Events that the core has not acknowledged, oldest first."""
    waiting = select(events).where(events.c.delivered.is_(False)).order_by(events.c.id).limit(limit)
    return [_event(row) for row in connection.execute(waiting)]


def mark_delivered(connection: Connection, event: int) -> None:
    """The core has it."""
    connection.execute(update(events).where(events.c.id == event).values(delivered=True))


def answers(connection: Connection, ticket: int) -> list[StoredEvent]:
    """The answers of a ticket, oldest first."""
    found = events_after(connection, ticket, 0, limit=10_000)
    return [stored for stored in found if isinstance(stored.event, AgentReplied)]


def mark_shown(connection: Connection, places: Mapping[int, int]) -> None:
    """Remember which line of the transcript each answer became: {event: seq}."""
    for event, seq in places.items():
        connection.execute(update(events).where(events.c.id == event).values(entry_seq=seq))


# --- rows to values


def _change(connection: Connection, ticket: int, changes: Mapping[str, object]) -> Ticket | None:
    connection.execute(update(tickets).where(tickets.c.id == ticket).values(**changes))
    return find_ticket(connection, ticket)


def _tickets() -> Select[Any]:
    named = agents.c.name.label("agent_name")
    return select(tickets, named).select_from(tickets.outerjoin(agents, tickets.c.agent == agents.c.id))


def _ticket(row: Row[Any]) -> Ticket:
    found = {field: getattr(row, field) for field in Ticket.__struct_fields__}
    found |= {"agent": found["agent"] or "", "agent_name": found["agent_name"] or ""}
    return msgspec.convert(found, Ticket)


def _event(row: Row[Any]) -> StoredEvent:
    event: DeskEvent = msgspec.json.decode(row.body, type=DeskEvent)
    return StoredEvent(
        id=row.id,
        ticket=row.ticket,
        event=event,
        seen=row.seen,
        entry_seq=row.entry_seq,
        delivered=row.delivered,
    )


def _preview(text: str) -> str:
    return " ".join(text.split())[:PREVIEW]
