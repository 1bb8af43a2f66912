"""What the simulation has found, made small: each was a seed once."""

from __future__ import annotations

import asyncio

from bot.channel import Capabilities
from bot.messages import Address, Message, Sender, Text
from tests.simulation.database import Database
from tests.simulation.desk import Helpdesk
from tests.simulation.loop import Chores, SimulatedLoop
from tests.simulation.node import Node, Outside
from tests.simulation.platform import SEEN, Platform
from tests.simulation.skills import Ledger, skills


class Two:
    """Two nodes on one database, and a platform that does as it is told."""

    def __init__(self, loop: SimulatedLoop, capabilities: Capabilities = SEEN) -> None:
        self.loop, self.database = loop, Database(loop, 1)
        self.platform = Platform("seen", capabilities, loop, 1)
        outside = Outside(self.database, [self.platform], Helpdesk(loop, 1, Chores(loop)))
        offered = skills(Ledger(1))
        self.a, self.b = (Node(name, loop, 1, outside, offered) for name in "ab")

    async def begin(self) -> None:
        """Start both."""
        self.a.start()
        self.b.start()
        await asyncio.sleep(5.0)

    async def says(self, node: Node, text: str) -> None:
        """Somebody's words reach a node."""
        message = Message(
            event_id=text,
            address=Address(channel="seen", account="main", chat="sam"),
            sender=Sender(id="sam"),
            content=Text(text=text),
            at=self.database.now,
        )
        assert await node.deliver(message, 0.001)

    @property
    def said(self) -> list[str]:
        """What has reached the person."""
        return [delivery.reply.text for delivery in self.platform.landed]


def test_a_line_that_waits_for_a_row_of_the_dead_takes_that_row_up() -> None:
    # It held the row as found, again and again, and never sent it: its own line stood behind it. Nobody else could.
    loop = SimulatedLoop(1)

    async def main() -> None:
        two = Two(loop)
        await two.begin()
        two.platform.manners = {"swallowed": 1.0}
        await two.says(two.a, "/echo 1 first")
        await asyncio.sleep(3.0)
        two.a.kill()
        two.platform.manners = {"fine": 1.0}
        await two.says(two.b, "/echo 1 second")
        await asyncio.sleep(60.0)
        assert two.said == ["first 1/1", "second 1/1"]

    loop.run(main())


def test_a_wrong_clock_gives_up_no_reply() -> None:
    # A reply that was tried a second ago was given up as a day old, because the wall clock had been set.
    loop = SimulatedLoop(1)

    async def main() -> None:
        two = Two(loop)
        await two.begin()
        two.platform.manners = {"not reached": 1.0}
        await two.says(two.a, "/echo 1 first")
        await asyncio.sleep(1.0)
        two.a.clock.skew = two.b.clock.skew = 2 * 86_400.0
        await asyncio.sleep(10.0)
        two.platform.manners = {"fine": 1.0}
        await asyncio.sleep(60.0)
        assert two.said == ["first 1/1"]

    loop.run(main())


def test_what_nobody_takes_for_a_day_is_given_up_all_the_same() -> None:
    loop = SimulatedLoop(1)

    async def main() -> None:
        two = Two(loop)
        await two.begin()
        two.platform.manners = {"not reached": 1.0}
        await two.says(two.a, "/echo 1 first")
        await asyncio.sleep(20.0)
        two.a.kill()
        two.database.raw.execute("UPDATE outbox SET first_attempt_at = first_attempt_at - 86400")
        await asyncio.sleep(60.0)
        (status, error) = two.database.raw.execute("SELECT status, error FROM outbox").fetchone()
        assert (status, error) == ("failed", "not reached for a day")

    loop.run(main())


def test_a_clock_that_is_set_back_closes_no_skill_for_hours() -> None:
    # The breaker's rest went by the wall clock: set back by a day, the skill rested for a day.
    loop = SimulatedLoop(1)

    async def main() -> None:
        two = Two(loop)
        await two.begin()
        assert two.a.app is not None
        gate = two.a.app._gates.of("talk")
        for _ in range(5):
            gate.failed()
        assert gate.resting
        two.a.clock.skew = -86_400.0
        await asyncio.sleep(31.0)
        assert not gate.resting

    loop.run(main())
