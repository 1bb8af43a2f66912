"""What the console's tests stand on: a real database, a core that can fail, a server, a browser's manners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from bot.channel import Entry, Source
from bot.clock import Clock, SystemEntropy
from bot.desk import AgentReplied, AgentTook, AgentTyping, Case, DeskEvent, DeskGateway, Ref
from bot.errors import StoreUnavailable
from bot.people import Person
from bot.store.database import Database
from bot.store.sqlite import SqliteStore
from bot.testing.loner import Loner
from handoff.console import ConsoleDesk, ConsoleSettings

T = TypeVar("T")
NOON = 1_800_000_000.0


class Breakable(Database):
    """The embedded store as its plugins see it, until it is `down`."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.down = False

    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        self._check()
        return await self._store.write(fn, alone=alone)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        self._check()
        return await self._store.read(fn)

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("the disk is full")


class HandClock(Clock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class Core(Loner, DeskGateway):
    """The core as a desk sees it: keeps each event once, relays what agents say, keeps the transcripts."""

    def __init__(self) -> None:
        self.events: list[DeskEvent] = []
        self.deaf = False
        self.relays = True
        self.said: dict[str, list[Entry]] = {}
        self.conversations: dict[str, str] = {}
        self.tries = 0

    async def receive(self, event: DeskEvent) -> bool:
        self.tries += 1
        if self.deaf:
            raise StoreUnavailable("not now")
        if any(known.event_id == event.event_id for known in self.events):
            return False
        self.events.append(event)
        conversation = self.conversations.get(event.ref.id, "c1")
        if isinstance(event, AgentReplied) and self.relays:
            self.say("agent", event.text, conversation, author=event.agent.name, at=event.at)
        elif isinstance(event, AgentTook):
            self.say("system", f"{event.agent.name} joined.", conversation, at=event.at)
        return True

    async def transcript(self, conversation: str, *, after: int = 0, limit: int = 500) -> list[Entry]:
        return [entry for entry in self.said.get(conversation, []) if entry.seq > after][:limit]

    def say(self, source: Source, text: str, conversation: str = "c1", *, author: str = "", at: float = NOON) -> Entry:
        """Add a line; numbers rise with gaps, as the real ones do."""
        lines = self.said.setdefault(conversation, [])
        entry = Entry(seq=lines[-1].seq + 2 if lines else 1, source=source, at=at, text=text, author=author)
        lines.append(entry)
        return entry

    def heard(self) -> list[str]:
        """The ids of what was stored, in order."""
        return [event.event_id for event in self.events if not isinstance(event, AgentTyping)]


def case(conversation: str = "c1", name: str = "Rosa Weber") -> Case:
    """A customer whose parcel broke."""
    return Case(
        conversation=conversation,
        channel="telegram",
        person=Person(id="p1", name=name, language="en", email="rosa@example.org", verified=True),
        queue="support",
        reason="It arrived broken",
        summary="The blue lamp of order 1042 came with a cracked shade.",
        transcript=(
            Entry(seq=1, source="user", at=NOON - 60, text="My lamp is broken"),
            Entry(seq=2, source="bot", at=NOON - 59, text="I'm getting someone for you."),
        ),
        facts={"Order": "1042", "Item": "Blue lamp"},
    )


class AgentBrowser:
    """A signed-in agent: a cookie, and the Origin that a browser sends."""

    def __init__(self, client: TestClient[web.Request, web.Application]) -> None:
        self.client = client
        self.origin = str(client.make_url("/")).rstrip("/")

    async def get(self, path: str) -> ClientResponse:
        return await self.client.get(path)

    async def post(self, path: str, body: object, **headers: str) -> ClientResponse:
        return await self.client.post(path, json=body, headers={"Origin": self.origin} | headers)

    async def on(self, ticket: Ref, action: str, body: object) -> ClientResponse:
        """Do something with a ticket."""
        return await self.post(f"/console/api/tickets/{ticket.id}/{action}", body)

    async def thread(self, ticket: Ref, after: int = 0) -> dict[str, object]:
        """A conversation as the page gets it."""
        response = await self.get(f"/console/api/tickets/{ticket.id}?after={after}")
        assert response.status == 200
        found: dict[str, object] = await response.json()
        return found


class Site:
    """A console that serves."""

    def __init__(self, server: TestServer, desk: ConsoleDesk, core: Core, database: Breakable) -> None:
        self.server, self.desk, self.core, self.database = server, desk, core, database
        self.clients: list[TestClient[web.Request, web.Application]] = []

    def stranger(self) -> AgentBrowser:
        """A browser that nobody has signed in."""
        client = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.clients.append(client)
        return AgentBrowser(client)

    async def agent(self, name: str) -> AgentBrowser:
        """A browser that used a sign-in link."""
        browser = self.stranger()
        token = (await self.desk.sign_in_link("http://x", "")).partition("token=")[2]
        response = await browser.client.post(
            "/console/sign-in", data={"token": token, "name": name}, headers={"Origin": browser.origin}
        )
        assert response.status == 200, await response.text()
        return browser


@asynccontextmanager
async def serving(
    folder: Path, core: Core | None = None, settings: ConsoleSettings | None = None, clock: Clock | None = None
) -> AsyncIterator[Site]:
    """A started console on a real port."""
    core = core or Core()
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    store = SqliteStore(folder / "console.db")
    await store.start()
    database = Breakable(store)
    desk = ConsoleDesk(settings or ConsoleSettings(), database, clock or HandClock(), SystemEntropy())
    app = web.Application()
    app.add_routes(desk.routes())
    server = TestServer(app)
    await server.start_server()
    await desk.start(core)
    site = Site(server, desk, core, database)
    try:
        yield site
    finally:
        for client in site.clients:
            await client.session.close()
        await desk.stop()
        await server.close()
        await store.stop()


async def until(true: Callable[[], bool], patience: float = 30.0) -> None:
    """Wait for something that happens soon."""
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)
