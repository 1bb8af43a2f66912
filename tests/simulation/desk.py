"""A helpdesk that outlives its clients, its agents, and the desk by which a node reaches it. Knows no store.

Calls are kept by their key, so a second one changes nothing. Agents take a ticket, answer and give it back; what they
do is told to any node, again until it is taken, and now and then once more much later.
"""

from __future__ import annotations

import asyncio
import random
from asyncio import Future
from collections.abc import Callable, Coroutine
from typing import Any

from bot.channel import Entry
from bot.desk import (
    Agent,
    AgentClosed,
    AgentReplied,
    AgentTook,
    Case,
    Desk,
    DeskCapabilities,
    DeskEvent,
    DeskGateway,
    Ref,
)
from bot.errors import NotSent, Rejected, SendError, UnknownOutcome
from tests.simulation.loop import Chores, SimulatedLoop

FINE = {"fine": 1.0}
FLAKY = {"fine": 0.6, "answer lost": 0.1, "swallowed": 0.1, "500 after": 0.08, "not reached": 0.1, "refused": 0.02}

Tell = Callable[[DeskEvent], Coroutine[Any, Any, None]]


class Helpdesk:
    """Tickets and agents. `tell`, once it is set, brings an event to some node until it is taken."""

    def __init__(self, loop: SimulatedLoop, seed: int, chores: Chores) -> None:
        self.tell: Tell = lambda event: asyncio.sleep(0)
        self.manners = FINE
        self.tickets: dict[str, Ref] = {}
        self.lines: dict[str, list[int]] = {}
        self.done: set[str] = set()
        self.said: dict[str, list[str]] = {}
        self.refused: set[str] = set()
        self._loop, self._chance = loop, random.Random(f"{seed}/desk")
        self._chores = chores

    async def call(self, key: str, act: Callable[[], Any]) -> Any:
        """A request: it takes effect, or not, and is answered, or not."""
        way = self._chance.choices(list(self.manners), list(self.manners.values()))[0]
        there, back = self._chance.uniform(0.005, 3.0), self._chance.uniform(0.005, 0.3)
        answer: Future[Any] = self._loop.create_future()
        if way in {"fine", "answer lost", "500 after"}:
            self._loop.outside(there, self._land, answer, act, back, way)
        elif way != "swallowed":
            if way == "refused":
                self.refused.add(key)
            problem = Rejected("no") if way == "refused" else NotSent("connection refused")
            self._loop.outside(there, _raise, answer, problem)
        return await answer

    def open(self, key: str) -> Ref:
        """Make a ticket, once per key; an agent sees to it."""
        if key not in self.tickets:
            ref = self.tickets[key] = Ref(id=f"t{len(self.tickets) + 1}")
            self._chores.begin(self._work(key, ref))
        return self.tickets[key]

    def append(self, ref: Ref, entry: Entry, key: str) -> None:
        """Add a line, once per key."""
        if key not in self.done:
            self.done.add(key)
            self.lines.setdefault(ref.id, []).append(entry.seq)

    def once(self, key: str) -> None:
        """Anything else."""
        self.done.add(key)

    def _land(self, answer: Future[Any], act: Callable[[], Any], back: float, way: str) -> None:
        result = act()
        if way == "fine":
            self._loop.outside(back, _tell, answer, result)
        elif way == "500 after":
            self._loop.outside(back, _raise, answer, UnknownOutcome("500"))

    async def _work(self, key: str, ref: Ref) -> None:
        """An agent at a ticket."""
        agent = Agent(id="ana", name="Ana")
        await self._wait(1.0, 6.0)
        events: list[DeskEvent] = []
        if self._chance.random() < 0.7:
            events.append(AgentTook(event_id=f"{ref.id}.took", ref=ref, agent=agent, at=0.0))
        for number in range(self._chance.randint(0, 2)):
            text = f"{ref.id} says {number}"
            events.append(AgentReplied(event_id=f"{ref.id}.{number}", ref=ref, agent=agent, text=text, at=0.0))
        events.append(AgentClosed(event_id=f"{ref.id}.closed", ref=ref, at=0.0, agent=agent))
        for event in events:
            await self.tell(event)
            if isinstance(event, AgentReplied):
                self.said.setdefault(key, []).append(event.text)
            if self._chance.random() < 0.2:
                self._chores.begin(self._again(event))
            await self._wait(0.1, 4.0)

    async def _again(self, event: DeskEvent) -> None:
        await self._wait(0.1, 15.0)
        await self.tell(event)

    async def _wait(self, least: float, most: float) -> None:
        await asyncio.sleep(self._chance.uniform(least, most))


class SimulatedDesk(Desk):
    """A node's way to the helpdesk."""

    name = "desk"
    capabilities = DeskCapabilities(reopen="never_after_close")

    def __init__(self, helpdesk: Helpdesk) -> None:
        self._helpdesk = helpdesk

    async def start(self, gateway: DeskGateway) -> None:
        """The world brings events itself."""

    async def open(self, case: Case, key: str) -> Ref:
        """Make a ticket."""
        ref: Ref = await self._helpdesk.call(key, lambda: self._helpdesk.open(key))
        return ref

    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        """Add a line."""
        await self._helpdesk.call(key, lambda: self._helpdesk.append(ref, entry, key))

    async def note(self, ref: Ref, text: str, key: str) -> None:
        """Add a note."""
        await self._helpdesk.call(key, lambda: self._helpdesk.once(key))

    async def signal(self, ref: Ref, *, typing: bool) -> None:
        """Nobody looks."""

    async def fetch(self, ref: Ref, cursor: str) -> tuple[list[DeskEvent], str]:
        """Nothing: events are brought."""
        return [], cursor

    async def close(self, ref: Ref, reason: str, key: str) -> None:
        """Mark the ticket."""
        await self._helpdesk.call(key, lambda: self._helpdesk.once(key))

    async def stop(self) -> None:
        """Nothing to do."""


def _tell(answer: Future[Any], result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _raise(answer: Future[Any], problem: SendError) -> None:
    if not answer.done():
        answer.set_exception(problem)
