"""The built-in desk: agents work on a web page that Frontdesk itself serves.

It knows tickets, agents and notes, and neither channels nor skills. It keeps its own record; the transcript it reads
through the gateway. What an agent does takes effect only through `gateway.receive`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from aiohttp import web
from msgspec.structs import replace
from sqlalchemy import Connection

from bot import (
    Case,
    Clock,
    Database,
    Desk,
    DeskCapabilities,
    DeskEvent,
    DeskGateway,
    Entropy,
    Entry,
    NotSent,
    Ref,
    Rejected,
    StoreUnavailable,
)
from handoff.console import access, records
from handoff.console.api import Api
from handoff.console.courier import Courier
from handoff.console.guard import Guard, Visit
from handoff.console.inputs import clean_name, whole
from handoff.console.live import Live
from handoff.console.means import Means
from handoff.console.pages import LONGEST_NAME, Pages
from handoff.console.records import NewNote, Ticket
from handoff.console.settings import ConsoleSettings
from handoff.console.tables import metadata
from handoff.console.web import Refusal

T = TypeVar("T")

FETCH = 500
DIGITS = 9


class ConsoleDesk(Desk):
    """The desk named "console"."""

    name = "console"
    capabilities = DeskCapabilities(private_notes=True, typing=True, reopen="never_after_close")
    metadata = metadata

    def __init__(self, settings: ConsoleSettings, database: Database, clock: Clock, entropy: Entropy) -> None:
        self._means = Means(settings=settings, database=database, clock=clock, entropy=entropy)
        self._live = Live()
        self._guard = Guard(self._means)
        self._pages = Pages(self._means)
        self._courier = Courier(database)
        self._api = Api(self._means, self._courier, self._live)

    async def start(self, gateway: DeskGateway) -> None:
        """Make the tables, and hand on what agents did before the last stop."""
        await self._means.write(records.create)
        self._api.connect(gateway)
        self._live.connect(gateway)
        await self._courier.start(gateway)

    async def stop(self) -> None:
        """Close the open pages; they come back on their own."""
        self._live.drop()
        await self._courier.stop()

    async def sign_in_link(self, base_url: str, name: str = "") -> str:
        """A link that signs one agent in, once; `name` fixes who it is for."""
        secret, now = self._means.entropy.token(), self._means.now()
        who, expires = clean_name(name)[:LONGEST_NAME], now + self._means.settings.link_minutes * 60
        await self._means.write(lambda c: access.add_link(c, secret, who, expires, now))
        return f"{base_url.rstrip('/')}/console/sign-in?token={secret}"

    # --- what the bridge calls

    async def open(self, case: Case, key: str) -> Ref:
        """Put the case into the queue, once per key."""
        now = self._means.now()
        kept = _whole(case)
        ticket = await self._write(lambda c: records.open_ticket(c, kept, key, now))
        self._push(ticket)
        return Ref(id=str(ticket.id))

    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        """Show the agents that something was said."""
        number, kept = _number(ref), replace(entry, text=whole(entry.text))
        self._push(await self._write(lambda c: records.append(c, number, kept, key)))

    async def note(self, ref: Ref, text: str, key: str) -> None:
        """Add a note of Frontdesk's own."""
        number = _number(ref)
        note = NewNote(key=f"bridge:{key}", author="", text=whole(text), at=self._means.now())
        if not await self._write(lambda c: records.add_note(c, number, note)):
            raise Rejected(f"console has no ticket {ref.id}")
        self._live.push({"type": "notes", "ticket": number})

    async def signal(self, ref: Ref, *, typing: bool) -> None:
        """Show the agents that the customer is typing."""
        self._live.push({"type": "typing", "ticket": _number(ref), "on": typing})

    async def fetch(self, ref: Ref, cursor: str) -> tuple[list[DeskEvent], str]:
        """What agents did behind `cursor`, whether the core has heard of it or not."""
        number, after = _number(ref), _place(cursor)
        stored = await self._means.read(lambda c: records.events_after(c, number, after, FETCH))
        return [row.event for row in stored], str(stored[-1].id) if stored else cursor

    async def close(self, ref: Ref, reason: str, key: str) -> None:
        """The conversation left us; closing twice changes nothing."""
        number, now = _number(ref), self._means.now()
        self._push(await self._write(lambda c: records.close(c, number, whole(reason), now)))

    # --- what browsers call

    def routes(self) -> Sequence[web.RouteDef]:
        """The pages, the JSON behind them, and the live line."""
        return [
            *self._pages.routes(self._guard),
            web.get("/console/events", self._guard.careful(self._events)),
            *self._api.routes(self._guard),
            web.route("*", "/console/api/{rest:.*}", self._guard.careful(_nowhere)),
        ]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self._guard.check_origin(request)
        visit: Visit = await self._guard.visit(request)
        if not web.WebSocketResponse().can_prepare(request):
            raise Refusal(426, "not_a_websocket", "This address speaks WebSocket.")
        return await self._live.serve(request, access.digest(visit.session))

    async def _write(self, fn: Callable[[Connection], T]) -> T:
        """Write for the bridge, in its errors: a store that refuses is a helpdesk that can't be reached."""
        try:
            return await self._means.write(fn)
        except StoreUnavailable as problem:
            raise NotSent(f"the console can't write: {problem}") from problem

    def _push(self, ticket: Ticket | None) -> None:
        if ticket is None:
            raise Rejected("console has no such ticket")
        self._live.push({"type": "ticket", "ticket": ticket})


def _whole(case: Case) -> Case:
    """The case as the console can keep it: of the transcript it needs the lines' words only."""
    person = case.person
    known = {name: whole(getattr(person, name)) for name in ("name", "language", "phone", "email")}
    return replace(
        case,
        person=replace(person, **known),
        reason=whole(case.reason),
        summary=whole(case.summary),
        facts={whole(name): whole(value) for name, value in case.facts.items()},
        transcript=tuple(replace(entry, text=whole(entry.text)) for entry in case.transcript),
    )


async def _nowhere(_request: web.Request) -> web.StreamResponse:
    raise Refusal(404, "unknown", "There is nothing at this address.")


def _place(cursor: str) -> int:
    return int(cursor) if cursor.isascii() and cursor.isdecimal() and len(cursor) <= DIGITS else 0


def _number(ref: Ref) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal() and len(ref.id) <= DIGITS):
        raise Rejected("that is no ticket of the console")
    return int(ref.id)
