"""One simulated process of the bot: the real App on the shared database, with a clock of its own. Starts and dies.

A node that died comes back as a new incarnation; nothing in memory survives.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from bot.app import App
from bot.channel import Accepted
from bot.clock import Clock, SeededEntropy
from bot.desk import DeskEvent
from bot.errors import NotSent, StoreError
from bot.hookspecs import hookimpl
from bot.messages import Message
from bot.settings import Settings
from bot.skill import Skill
from tests.simulation.database import START, Database
from tests.simulation.desk import Helpdesk, SimulatedDesk
from tests.simulation.loop import SimulatedLoop
from tests.simulation.platform import EditingChannel, Platform, SimulatedChannel
from tests.simulation.store import SimulatedStore


class NodeClock(Clock):
    """A machine's clock: `skew` is what somebody has done to its wall clock. Sleeping goes by the loop."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop
        self.skew = 0.0

    def now(self) -> float:
        """The wall clock, right or wrong."""
        return START + self._loop.time() + self.skew

    def steady(self) -> float:
        """Seconds since the machine started."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Outside(NamedTuple):
    """What no crash of ours touches."""

    database: Database
    platforms: list[Platform]
    helpdesk: Helpdesk


class Node:
    """A place where the bot runs: `id` is its present incarnation, `up` says that it takes connections."""

    def __init__(self, name: str, loop: SimulatedLoop, seed: int, outside: Outside, skills: list[Skill]) -> None:
        self.name, self.lives = name, 0
        self.clock = NodeClock(loop)
        self.up = self.paused = self.stopping = False
        self._loop, self._seed, self._outside, self._skills = loop, seed, outside, skills
        self.channels: dict[str, SimulatedChannel] = {}
        self.app: App | None = None

    @property
    def id(self) -> str:
        """The incarnation that lives now."""
        return f"{self.name}{self.lives}"

    def start(self) -> None:
        """Begin a new life."""
        self.lives += 1
        self.paused = self.stopping = False
        self._loop.spawn(self.id, self._live())

    def kill(self) -> None:
        """End this one, in the middle of whatever it does."""
        self._loop.kill(self.id)
        self.up = self.paused = False
        self.app = None

    async def _live(self) -> None:
        try:
            self.app = app = self._build()
            await app.start()
        except StoreError:
            # A process that can't reach its database at the start ends; whoever watches over it starts it again.
            self._loop.outside(1.0, self._again, self.lives)
            return
        except Exception as problem:
            self._loop.fail(problem)
            raise
        self.up = True

    def _again(self, life: int) -> None:
        if self.lives == life and not self.up:
            self.kill()
            self.start()

    async def stop(self) -> None:
        """End in good order, as on SIGTERM."""
        self.up, self.stopping = False, True
        if self.app is not None:
            await self.app.stop()

    def deliver(self, message: Message, back: float) -> asyncio.Future[Accepted | None]:
        """A platform's request has reached this machine: the answer, or None for "try again later"."""
        answer: asyncio.Future[Accepted | None] = self._loop.create_future()
        self._loop.spawn(self.id, self._receive(message, answer, back))
        return answer

    async def _receive(self, message: Message, answer: asyncio.Future[Accepted | None], back: float) -> None:
        gateway = self.channels[message.address.channel].gateway
        try:
            accepted = await gateway.receive(message) if gateway is not None else None
        except StoreError:
            accepted = None
        self._loop.outside(back, _tell, answer, accepted)

    def tell(self, event: DeskEvent, back: float) -> asyncio.Future[bool]:
        """A helpdesk's request has reached this machine: whether the event was taken."""
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._loop.spawn(self.id, self._hear(event, answer, back))
        return answer

    async def _hear(self, event: DeskEvent, answer: asyncio.Future[bool], back: float) -> None:
        taken = False
        with contextlib.suppress(StoreError, NotSent):
            if self.app is not None:
                await self.app.bridge.receive(event)
                taken = True
        self._loop.outside(back, _tell, answer, taken)

    def _build(self) -> App:
        self.channels = {
            platform.name: EditingChannel(platform) if platform.capabilities.edits else SimulatedChannel(platform)
            for platform in self._outside.platforms
        }
        app = App.build(
            Settings.load(options={"server.home": tempfile.gettempdir()}, environ={}),
            builtins=[
                _module(self.name, [*self.channels.values()], [SimulatedDesk(self._outside.helpdesk)], self._skills)
            ],
            clock=self.clock,
            entropy=SeededEntropy(hash((self._seed, self.lives, *self.name.encode()))),
            store=SimulatedStore(self._outside.database),
            entry_points=False,
            serve=False,
        )
        app._watchdog = _Nobody()  # type: ignore[assignment]  # the real one is a thread
        app.engine._worker = self.id
        return app


class _Nobody:
    """Watches nothing."""

    def start(self) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""


def _module(name: str, channels: list[SimulatedChannel], desks: list[SimulatedDesk], skills: list[Skill]) -> str:
    """A plugin with all of these, under a name that can be imported."""
    module = ModuleType(f"frontdesk_simulated_{name}")
    module.__file__ = None

    @hookimpl
    def register_channels(register: Callable[[SimulatedChannel], None]) -> None:
        for channel in channels:
            register(channel)

    @hookimpl
    def register_desks(register: Callable[[SimulatedDesk], None]) -> None:
        for desk in desks:
            register(desk)

    @hookimpl
    def register_skills(register: Callable[[Skill], None]) -> None:
        for skill in skills:
            register(skill)

    for hook in (register_channels, register_desks, register_skills):
        setattr(module, hook.__name__, hook)
    sys.modules[module.__name__] = module
    return module.__name__


def _tell(answer: asyncio.Future[Any], result: object) -> None:
    if not answer.done():
        answer.set_result(result)
