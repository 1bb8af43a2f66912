"""A messaging platform that outlives its clients, and the channel by which a node reaches it. Knows no store.

What was handed to the network lands within the send's time-out or never, whatever becomes of the node that sent it;
the answer may be lost. A look (`find_sent`) sees what has landed when it arrives.
"""

from __future__ import annotations

import asyncio
import random
from asyncio import Future
from collections import Counter
from collections.abc import Callable
from typing import Any

from bot.channel import Capabilities, Channel, Delivery, Edits, Gateway, Pace, Receipt
from bot.errors import NotSent, RateLimited, Rejected, SendError, UnknownOutcome
from tests.simulation.loop import SimulatedLoop

TIMEOUT = 10.0

SEEN = Capabilities(read_back=True, edits=True, send_timeout=TIMEOUT, paces=(Pace(count=3, of="conversation"),))
BLIND = Capabilities(send_timeout=TIMEOUT, confirms_consent=True)

FINE = {"fine": 1.0}
FLAKY = {
    "fine": 0.5,
    "answer lost": 0.1,
    "swallowed": 0.06,
    "slow": 0.06,
    "500 after": 0.05,
    "500 before": 0.05,
    "later": 0.08,
    "not reached": 0.08,
    "refused": 0.02,
}
"""How often a send goes which way."""

Requested = Callable[[Delivery, Capabilities], None]
Landed = Callable[[Delivery, Capabilities], None]


class Platform:
    """One platform. `forgetful` answers every look with "not here", to see that the simulation would notice.

    `connecting` is how many seconds a call takes before it is on its way: a pause in them is what no bot can notice.
    `stubborn` takes an edit for one more message. `shown` is what each message says now, by its platform id.
    """

    def __init__(
        self,
        name: str,
        capabilities: Capabilities,
        loop: SimulatedLoop,
        seed: int,
        *,
        forgetful: bool = False,
        stubborn: bool = False,
    ) -> None:
        self.name, self.capabilities = name, capabilities
        self.manners = FINE
        self.connecting = 0.0
        self.landed: list[Delivery] = []
        self.shown: dict[str, str] = {}
        self.edited: dict[str, str] = {}
        self.refused: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.requested: Requested = lambda delivery, capabilities: None
        self.arrived: Landed = lambda delivery, capabilities: None
        self._loop, self._chance = loop, random.Random(f"{seed}/{name}")
        self._forgetful, self._stubborn = forgetful, stubborn

    async def send(self, delivery: Delivery, old: str = "") -> Receipt:
        """Take a message, or not, and answer, or not. What the caller writes is on its way before this waits.

        With `old` it is an edit of that message.
        """
        self.requested(delivery, self.capabilities)
        way = self._chance.choices(list(self.manners), list(self.manners.values()))[0]
        self.outcomes[way] += 1
        soon = self._chance.uniform(0.005, 0.3)
        late = self._chance.uniform(0.3, TIMEOUT - 0.01)
        back = self._chance.uniform(0.005, 0.3)
        answer: Future[Receipt] = self._loop.create_future()
        lands_in = late if way in {"slow", "answer lost"} and self._chance.random() < 0.5 else soon
        if way in {"fine", "slow", "answer lost", "500 after"}:
            self._loop.outside(lands_in, self._land, delivery, "" if self._stubborn else old)
        if way in {"fine", "slow"}:
            self._loop.outside(lands_in + back, _tell, answer, Receipt(platform_id=delivery.id))
        elif way not in {"answer lost", "swallowed"}:
            if way == "refused":
                self.refused.add(delivery.id)
            self._loop.outside(lands_in + back, _raise, answer, self._problem(way))
        return await answer

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Look whether it has landed."""
        answer: Future[Receipt | None] = self._loop.create_future()
        there, back = self._chance.uniform(0.005, 0.5), self._chance.uniform(0.005, 0.5)
        if self.manners is not FINE and self._chance.random() < 0.2:
            self._loop.outside(there, _raise, answer, NotSent("no answer to a look"))
        else:
            self._loop.outside(there, self._look, answer, delivery.id, back)
        return await answer

    def _look(self, answer: Future[Receipt | None], id: str, back: float) -> None:
        found = any(other.id == id for other in self.landed) and not self._forgetful
        self._loop.outside(back, _tell, answer, Receipt(platform_id=id) if found else None)

    def _land(self, delivery: Delivery, old: str) -> None:
        if old:
            self.shown[old], self.edited[delivery.id] = delivery.reply.text, old
            return
        self.shown[delivery.id] = delivery.reply.text
        self.landed.append(delivery)
        self._loop.note(len(self.landed), delivery.seq)
        self.arrived(delivery, self.capabilities)

    def _problem(self, way: str) -> SendError:
        match way:
            case "later":
                return RateLimited(self._chance.uniform(0.1, 3.0), account=self._chance.random() < 0.3)
            case "not reached":
                return NotSent("connection refused")
            case "refused":
                return Rejected("there is no such chat")
            case _:
                return UnknownOutcome("500")


class SimulatedChannel(Channel):
    """A node's way to a platform."""

    def __init__(self, platform: Platform) -> None:
        self.name, self.capabilities = platform.name, platform.capabilities
        self._platform = platform
        self.gateway: Gateway | None = None

    async def start(self, gateway: Gateway) -> None:
        """Be ready."""
        self.gateway = gateway

    async def send(self, delivery: Delivery) -> Receipt:
        """Give it to the platform."""
        if self._platform.connecting:
            await asyncio.sleep(self._platform.connecting)
        return await self._platform.send(delivery)

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Ask the platform."""
        return await self._platform.find_sent(delivery)

    async def stop(self) -> None:
        """Hear nothing any more."""
        self.gateway = None


class EditingChannel(SimulatedChannel, Edits):
    """A node's way to a platform that can change what was said."""

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Let an older message say something else."""
        await self._platform.send(delivery, platform_id)


def _tell(answer: Future[Any], receipt: Receipt | None) -> None:
    if not answer.done():
        answer.set_result(receipt)


def _raise(answer: Future[Any], problem: SendError) -> None:
    if not answer.done():
        answer.set_exception(problem)
