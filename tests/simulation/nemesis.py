"""Whoever breaks things: kills, pauses, stops, wrong clocks, a bad database, bad platforms. Then mends everything.

Knows nodes and weather, and nothing of what the bot does with them.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from tests.simulation import desk
from tests.simulation.database import Weather
from tests.simulation.loop import SimulatedLoop
from tests.simulation.node import Node, Outside
from tests.simulation.platform import FINE, FLAKY

LENGTH = 30.0
"""Virtual seconds for which things are broken."""

CLOCKS = (0.0, 3600.0, -3600.0, 86_400.0, -86_400.0)

DEEDS = {"kill": 4, "pause": 4, "stop": 1, "clock": 1.5, "database": 2, "outage": 0.7, "platform": 3, "desk": 0.7}


class Nemesis:
    """Breaks things for a while."""

    def __init__(self, loop: SimulatedLoop, seed: int, nodes: list[Node], outside: Outside) -> None:
        self._loop, self._chance = loop, random.Random(f"{seed}/nemesis")
        self._nodes = nodes
        self._database, self._platforms, self._helpdesk = outside
        self.deeds: Counter[str] = Counter()
        self._over = False

    async def rage(self) -> None:
        """Break one thing after the other, then mend them all."""
        until = self._loop.time() + LENGTH
        for platform in self._platforms:
            platform.manners = self._chance.choice((FINE, FLAKY))
        while self._loop.time() < until:
            await asyncio.sleep(self._chance.uniform(0.1, 3.0))
            deed = self._chance.choices(list(DEEDS), list(DEEDS.values()))[0]
            self.deeds[deed] += 1
            self._do(deed)
        self._mend()

    def _do(self, deed: str) -> None:
        # Whoever is in the middle of something is the better victim.
        working = [node for node in self._nodes if node.app is not None and node.app.busy and not node.paused]
        node = self._chance.choice(working or self._nodes)
        match deed:
            case "kill":
                self._kill(node)
            case "pause":
                self._pause(node)
            case "stop" if node.up and not node.paused:
                self._loop.spawn(node.id, node.stop())
                self._loop.outside(self._chance.uniform(0.5, 12.0), self._restart, node, node.lives)
            case "clock":
                node.clock.skew = self._chance.choice(CLOCKS)
            case "database":
                rate = self._chance.choice((0.0, 0.02, 0.2))
                self._database.weather = Weather(before=rate, after=self._chance.choice((0.0, 0.05)))
            case "outage":
                self._database.weather.gone = True
                self._loop.outside(self._chance.uniform(0.2, 8.0), self._come_back)
            case "desk":
                self._helpdesk.manners = self._chance.choice((desk.FINE, desk.FLAKY))
            case "platform":
                platform = self._chance.choice(self._platforms)
                platform.manners = self._chance.choice((FINE, FLAKY, FLAKY, FLAKY))

    def _kill(self, node: Node) -> None:
        node.kill()
        self._loop.outside(self._chance.uniform(0.0, 5.0), self._restart, node, node.lives)

    def _pause(self, node: Node) -> None:
        if node.paused:
            return
        node.paused = True
        self._loop.pause(node.id)
        # Shorter than a lease (10 s), a little longer, and long enough for every time-out there is.
        longest = self._chance.choice((1.0, 12.0, 25.0, 25.0))
        self._loop.outside(longest * self._chance.uniform(0.3, 1.0), self._go_on, node, node.id)

    def _go_on(self, node: Node, id: str) -> None:
        self._loop.resume(id)
        if node.id == id:
            node.paused = False

    def _restart(self, node: Node, life: int) -> None:
        if node.lives == life:
            node.kill()
            node.start()

    def _come_back(self) -> None:
        self._database.weather.gone = False

    def _mend(self) -> None:
        """Let everything work again. Clocks stay as wrong as they are."""
        self._database.weather = Weather()
        self._helpdesk.manners = desk.FINE
        for platform in self._platforms:
            platform.manners = FINE
        for node in self._nodes:
            if node.paused:
                self._go_on(node, node.id)
