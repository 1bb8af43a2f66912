"""The JSON that the console's page speaks. What agents do is written down first and then carried to the core."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from aiohttp import web
from pydantic import BaseModel
from sqlalchemy import Connection

from bot import Agent, AgentClosed, AgentReplied, AgentTook, AgentTyping, DeskGateway, Entry, FrontdeskError, Ref, Value
from handoff.console import access, records
from handoff.console.courier import Courier
from handoff.console.guard import Guard, Visit
from handoff.console.inputs import Answer, GiveBack, Note, Take, Typing
from handoff.console.live import Live
from handoff.console.means import Means
from handoff.console.records import NewNote, StoredNote, Ticket
from handoff.console.thread import Line, Pending, line, pending, shown, unseen
from handoff.console.web import COOKIE, Refusal, answer

PATIENCE = 3.0
PAGE = 500
LONGEST_THREAD = 4 * PAGE
DIGITS = 9

log = structlog.get_logger()


class Nothing(BaseModel):
    """A body with nothing in it."""


class Queue(Value, frozen=True):
    """The list of cases. `now` is the server's time: waiting times tick from it, whatever the laptop's clock says."""

    now: float
    agent: Agent
    max_text: int
    tickets: list[Ticket]


class Thread(Value, frozen=True):
    """One conversation. `more` says that later lines are there to be read behind `last_seq`."""

    now: float
    ticket: Ticket
    lines: list[Line]
    notes: list[StoredNote]
    pending: list[Pending]
    last_seq: int
    more: bool


class Done(Value, frozen=True):
    """What an action led to. `delivered` False: it is safe, and the bot hears of it as soon as it can."""

    ticket: Ticket
    delivered: bool
    pending: Pending | None


class Api:
    """The handlers."""

    def __init__(self, means: Means, courier: Courier, live: Live) -> None:
        self._means, self._courier, self._live = means, courier, live
        self._connected: DeskGateway | None = None

    def connect(self, gateway: DeskGateway) -> None:
        """From now on there is a core to ask."""
        self._connected = gateway

    def routes(self, guard: Guard) -> Sequence[web.RouteDef]:
        """Where the handlers are reached."""
        ticket = r"/console/api/tickets/{ticket:[0-9]{1,9}}"
        return [
            web.get("/console/api/queue", guard.get(self.queue)),
            web.get(ticket, guard.get(self.thread)),
            web.post(f"{ticket}/take", guard.post(self.take, Take)),
            web.post(f"{ticket}/reply", guard.post(self.reply, Answer)),
            web.post(f"{ticket}/note", guard.post(self.note, Note)),
            web.post(f"{ticket}/give-back", guard.post(self.give_back, GiveBack)),
            web.post(f"{ticket}/typing", guard.post(self.typing, Typing)),
            web.post("/console/api/sign-out", guard.post(self.sign_out, Nothing)),
        ]

    # --- looking

    async def queue(self, visit: Visit) -> Queue:
        """Everything that waits or is being worked on, or what was closed last."""
        closed = visit.request.query.get("view") == "closed"
        tickets = await self._means.read(records.closed_tickets if closed else records.open_tickets)
        return Queue(
            now=self._means.now(), agent=visit.agent, max_text=self._means.settings.max_text, tickets=list(tickets)
        )

    async def thread(self, visit: Visit) -> Thread:
        """A conversation's lines behind `after`, its notes, and the answers on their way."""
        after = _number(visit.request.query.get("after", "0"))
        ticket = await self._ticket(visit.ticket)
        answers = await self._means.read(lambda c: records.answers(c, ticket.id))
        waiting = [event for event in answers if not event.entry_seq]
        start = min([after, *(event.seen for event in waiting)])
        entries, more = await self._transcript(ticket.conversation, start)
        if places := shown(answers, entries):
            await self._means.write(lambda c: records.mark_shown(c, places))
        notes = await self._means.read(lambda c: records.notes_of(c, ticket.id))
        return Thread(
            now=self._means.now(),
            ticket=ticket,
            lines=[line(entry) for entry in entries if entry.seq > after],
            notes=notes,
            pending=[row for event in waiting if event.id not in places and (row := pending(event)) is not None],
            last_seq=max(after, entries[-1].seq if entries else 0),
            more=more,
        )

    # --- doing

    async def take(self, visit: Visit, body: Take) -> Done:
        """Take a case; of two agents at once, one gets it."""
        now = self._means.now()

        def unit(connection: Connection) -> tuple[bool, Ticket | None, str]:
            mine, ticket = records.take(connection, visit.ticket, visit.agent, body.instead_of, now)
            if not mine or ticket is None:
                return False, ticket, ""
            event_id = f"console:{ticket.id}:took:{ticket.takes}"
            records.add_event(connection, ticket.id, _took(event_id, ticket, visit.agent, now))
            return True, ticket, event_id

        mine, ticket, event_id = await self._means.write(unit)
        if ticket is None:
            raise _unknown()
        if mine:
            return await self._did(ticket, event_id)
        if ticket.state == "taken" and ticket.agent == visit.agent.id:
            return _done(ticket)
        raise _not_yours(ticket)

    async def reply(self, visit: Visit, body: Answer) -> Done:
        """Say something to the customer: once per client id, only as the owner, and only having read what is new."""
        self._check_length(body.text)
        event_id = f"console:{visit.ticket}:{body.client_id}"
        ticket = await self._ticket(visit.ticket)
        if await self._means.read(lambda c: records.find_event(c, event_id)) is None:
            await self._check_seen(visit, ticket, body)
        now = self._means.now()
        said = AgentReplied(event_id=event_id, ref=_ref(ticket), agent=visit.agent, text=body.text, at=now)

        def unit(connection: Connection) -> tuple[bool, Ticket | None]:
            current = records.find_ticket(connection, ticket.id)
            if records.find_event(connection, event_id) is not None:
                return True, current
            if current is None or not _owns(visit.agent, current):
                return False, current
            records.add_event(connection, ticket.id, said, body.seen)
            return True, records.answered(connection, ticket.id, body.text, now)

        stored, current = await self._means.write(unit)
        if not stored or current is None:
            raise _not_yours(current or ticket)
        row = Pending(client_id=body.client_id, text=body.text, author=visit.agent.name, at=now)
        done = await self._did(current, event_id)
        return Done(ticket=done.ticket, delivered=done.delivered, pending=row)

    async def note(self, visit: Visit, body: Note) -> Done:
        """Add a note for the team. It never leaves the console."""
        self._check_length(body.text)
        ticket = await self._ticket(visit.ticket)
        key = f"agent:{visit.agent.id}:{body.client_id}"
        note = NewNote(key=key, author=visit.agent.name, text=body.text, at=self._means.now())
        await self._means.write(lambda c: records.add_note(c, ticket.id, note))
        self._live.push({"type": "notes", "ticket": ticket.id})
        return _done(ticket)

    async def give_back(self, visit: Visit, body: GiveBack) -> Done:
        """End the human part: the bot speaks again, and gets the note."""
        self._check_length(body.note)
        now = self._means.now()

        def unit(connection: Connection) -> tuple[Ticket | None, str]:
            ticket = records.find_ticket(connection, visit.ticket)
            if ticket is None or not _owns(visit.agent, ticket):
                return ticket, ""
            event_id = f"console:{ticket.id}:closed:{ticket.takes}"
            if body.note:
                records.add_note(
                    connection,
                    ticket.id,
                    NewNote(key=event_id, author=visit.agent.name, text=body.note, at=now),
                )
            records.add_event(connection, ticket.id, _closed(event_id, ticket, visit.agent, body, now))
            return records.close(connection, ticket.id, body.reason, now), event_id

        ticket, event_id = await self._means.write(unit)
        if ticket is None:
            raise _unknown()
        if event_id:
            return await self._did(ticket, event_id)
        if ticket.state == "closed" and ticket.agent == visit.agent.id:
            return _done(ticket)
        raise _not_yours(ticket)

    async def typing(self, visit: Visit, body: Typing) -> Done:
        """Show the customer that the agent is typing. Nothing is stored, and nothing is tried again."""
        ticket = await self._ticket(visit.ticket)
        if not _owns(visit.agent, ticket):
            raise _not_yours(ticket)
        event_id = f"console:{ticket.id}:typing:{self._means.entropy.token()}"
        try:
            await self._gateway.receive(AgentTyping(event_id=event_id, ref=_ref(ticket), agent=visit.agent, on=body.on))
        except FrontdeskError as problem:
            log.info("console_typing_lost", ticket=ticket.id, error=str(problem))
        return _done(ticket)

    async def sign_out(self, visit: Visit, _body: Nothing) -> web.Response:
        """End the session and close its pages."""
        await self._means.write(lambda c: access.sign_out(c, visit.session))
        self._live.sign_out(access.digest(visit.session))
        response = answer({"signed_out": True})
        response.del_cookie(COOKIE, path="/console")
        return response

    # --- inside

    @property
    def _gateway(self) -> DeskGateway:
        if self._connected is None:
            raise Refusal(503, "starting", "Frontdesk is starting. Try again in a moment.")
        return self._connected

    async def _did(self, ticket: Ticket, event_id: str) -> Done:
        self._live.push({"type": "ticket", "ticket": ticket})
        return Done(ticket=ticket, delivered=await self._courier.deliver(event_id, PATIENCE), pending=None)

    async def _ticket(self, number: int) -> Ticket:
        ticket = await self._means.read(lambda c: records.find_ticket(c, number))
        if ticket is None:
            raise _unknown()
        return ticket

    async def _transcript(self, conversation: str, after: int) -> tuple[list[Entry], bool]:
        """The lines behind `after`, and whether there are more than one answer should carry."""
        entries: list[Entry] = []
        while len(entries) < LONGEST_THREAD:
            page = await self._gateway.transcript(conversation, after=after, limit=PAGE)
            if not page:
                return entries, False
            entries += page
            after = page[-1].seq
        return entries, True

    async def _check_seen(self, visit: Visit, ticket: Ticket, body: Answer) -> None:
        if body.anyway or not _owns(visit.agent, ticket):
            return
        entries, _ = await self._transcript(ticket.conversation, body.seen)
        answers = await self._means.read(lambda c: records.answers(c, ticket.id))
        places = shown(answers, entries)
        own = {
            places.get(event.id, event.entry_seq)
            for event in answers
            if isinstance(event.event, AgentReplied) and event.event.agent.id == visit.agent.id
        }
        if new := unseen(entries, body.seen, own):
            more: dict[str, object] = {"lines": [line(entry) for entry in new], "last_seq": entries[-1].seq}
            raise Refusal(409, "stale", "There is something new that you may want to read first.", more)

    def _check_length(self, text: str) -> None:
        if len(text) > self._means.settings.max_text:
            raise Refusal(422, "too_long", f"Please keep it under {self._means.settings.max_text:,} characters.")


def _done(ticket: Ticket) -> Done:
    return Done(ticket=ticket, delivered=True, pending=None)


def _owns(agent: Agent, ticket: Ticket) -> bool:
    return ticket.state == "taken" and ticket.agent == agent.id


def _ref(ticket: Ticket) -> Ref:
    return Ref(id=str(ticket.id))


def _took(event_id: str, ticket: Ticket, agent: Agent, now: float) -> AgentTook:
    return AgentTook(event_id=event_id, ref=_ref(ticket), agent=agent, at=now)


def _closed(event_id: str, ticket: Ticket, agent: Agent, body: GiveBack, now: float) -> AgentClosed:
    return AgentClosed(event_id=event_id, ref=_ref(ticket), at=now, agent=agent, reason=body.reason, note=body.note)


def _unknown() -> Refusal:
    return Refusal(404, "unknown", "There is no such conversation.")


def _not_yours(ticket: Ticket) -> Refusal:
    more: dict[str, object] = {"ticket": ticket}
    if ticket.state == "taken":
        return Refusal(409, "taken", f"{ticket.agent_name} has this conversation.", more)
    if ticket.state == "closed":
        return Refusal(409, "closed", "This conversation is back with the bot.", more)
    return Refusal(409, "not_taken", "Take the conversation first.", more)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > DIGITS:
        raise Refusal(422, "invalid", "after: a number, please.")
    return int(text)
