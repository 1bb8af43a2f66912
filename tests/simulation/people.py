"""The people who write, and the platforms that bring their words: again until acknowledged, twice, late. Knows no bot.

Within a conversation message k+1 is sent after k was acknowledged; copies come at any time, to any node.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.channel import Accepted
from bot.desk import DeskEvent
from bot.messages import Address, Consent, Content, Message, Sender, Text
from tests.simulation.database import START
from tests.simulation.loop import Chores, SimulatedLoop
from tests.simulation.node import Node
from tests.simulation.whims import Deeds, Whims

PATIENCE = 3.0
"""Seconds after which a platform gives a delivery up and tries again."""

PERSON = "talk to a person"

WORDS = (
    "/echo 1",
    "/echo 2",
    "/echo 3",
    "/order",
    "/charge",
    "/charge",
    "/charge",
    "/flaky",
    "/code",
    "sam",
    "large",
    PERSON,
)

Acknowledged = Callable[[Message, Accepted], None]


@dataclass
class Person:
    """Somebody who writes `texts`, one after the other; `said` has what was acknowledged, `deeds` the rest."""

    address: Address
    texts: list[str]
    whims: Whims
    said: list[tuple[Message, Accepted]] = field(default_factory=list)
    deeds: Deeds = field(default_factory=Deeds)


class People:
    """Everybody who writes in a run."""

    def __init__(
        self,
        loop: SimulatedLoop,
        seed: int,
        chores: Chores,
        nodes: list[Node],
        channels: list[str],
        acknowledged: Acknowledged,
    ) -> None:
        self._loop, self._chance, self._nodes = loop, random.Random(f"{seed}/people"), nodes
        self._seed = seed
        self._chores, self._acknowledged = chores, acknowledged
        self.copies = 0
        count = self._chance.randint(3, 5)
        self.all = [self._invent(number, channels[number % len(channels)]) for number in range(count)]

    def start(self) -> None:
        """Begin to write."""
        for person in self.all:
            self._chores.begin(self._write(person))

    def _invent(self, number: int, channel: str) -> Person:
        words = [self._chance.choice(WORDS) for _ in range(self._chance.randint(3, 6))]
        texts = [word if word == PERSON else f"{word} p{number}m{k}" for k, word in enumerate(words)]
        name = f"p{number}"
        whims = Whims(self._seed, name, len(texts))
        return Person(Address(channel=channel, account="main", chat=name), texts, whims)

    async def _write(self, person: Person) -> None:
        await asyncio.sleep(self._chance.uniform(0, 5))
        for k, text in enumerate(person.texts):
            event = f"{person.address.chat}.{k}"
            message = self._message(person, event, Text(text=text))
            if self._chance.random() < 0.2:
                self._chores.begin(self._copy(message, self._chance.uniform(0, 0.3)))
            accepted = await self._deliver(message)
            person.said.append((message, accepted))
            if self._chance.random() < 0.2:
                self._chores.begin(self._copy(message, self._chance.uniform(1, 30)))
            for number, (after, content) in enumerate(person.whims.after(k, event, text)):
                await asyncio.sleep(after)
                await self._follow(person, event, self._message(person, f"{event}.{number}", content))
            await asyncio.sleep(self._chance.choice((0.0, 0.1, 1.0, 4.0, 8.0)) * self._chance.random())

    async def _follow(self, person: Person, event: str, whim: Message) -> None:
        """Something about what was written, or about being written to."""
        accepted = await self._deliver(whim)
        if isinstance(whim.content, Consent):
            person.deeds.consents.append((whim, accepted))
        else:
            person.deeds.changes.setdefault(event, []).append((whim, accepted))
        if self._chance.random() < 0.1:
            self._chores.begin(self._copy(whim, self._chance.uniform(0, 30)))

    def _message(self, person: Person, event: str, content: Content) -> Message:
        return Message(
            event_id=event,
            address=person.address,
            sender=Sender(id=person.address.chat),
            content=content,
            at=START + self._loop.time(),
            platform_id=event,
        )

    async def _copy(self, message: Message, after: float) -> None:
        await asyncio.sleep(after)
        self.copies += 1
        await self._deliver(message)

    async def _deliver(self, message: Message) -> Accepted:
        """Until some node says that it has it."""
        while True:
            accepted = await self._attempt(self._chance.choice(self._nodes), message)
            if accepted is not None:
                return accepted
            await asyncio.sleep(self._chance.uniform(0.1, 1.5))

    async def _attempt(self, node: Node, message: Message) -> Accepted | None:
        await asyncio.sleep(self._chance.uniform(0.001, 0.05))
        if not node.up:
            return None
        answer = node.deliver(message, self._chance.uniform(0.001, 0.05))
        try:
            async with asyncio.timeout(PATIENCE):
                accepted = await answer
        except TimeoutError:
            return None
        if accepted is None or self._chance.random() < 0.03:
            return None
        self._acknowledged(message, accepted)
        return accepted

    # --- what agents do

    async def tell(self, event: DeskEvent) -> None:
        """A helpdesk brings an event: to any node, until it is taken, or for two minutes."""
        until = self._loop.time() + 120.0
        while self._loop.time() < until:
            node = self._chance.choice(self._nodes)
            if node.up:
                answer = node.tell(event, self._chance.uniform(0.001, 0.05))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        if await answer:
                            return
            await asyncio.sleep(self._chance.uniform(0.1, 1.5))
