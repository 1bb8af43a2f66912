"""The author's kit: the real bot in a test, with people, agents, time and death under control.

    async def test_tracks(…):
        async with Bot("skills.orders", "adapters.orders") as bot:
            async with bot.user(channel="sms") as u:
                await u.says("where is my order")
                u.sees("Which order number?")
                await bot.restart()
                await u.says("1000123")
                u.sees("on its way", "1) ")

Everything is real but the platform, the helpdesk and the clock: the engine, the SQLite store, the outbox.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self

from bot.app import App
from bot.clock import SeededEntropy
from bot.hookspecs import RegisterAdapter, hookimpl
from bot.ports.llm import Llm
from bot.settings import Settings
from bot.skill import Skill
from bot.store.sqlite import SqliteStore
from bot.testing.clock import VirtualClock
from bot.testing.fakes import PROFILES, FakeChannel, FakeDesk, Helpdesk, Platform, Pulse
from bot.testing.mortal import MortalStore
from bot.testing.user import User
from bot.turns.engine import POLL
from bot.turns.middleware import Middleware

PATIENCE = 60.0
"""Virtual seconds that `settle` will let pass for retries and reconciling, before it leaves time alone."""

DYING = 40
"""So often (soon 20 a second) a killed bot's tasks are cancelled before one that will not end is left alone."""

STUCK = 20.0
"""Real seconds after which a test is told that the bot does not come to rest."""

STILL = 10
"""So many looks (half a millisecond apart) without a write, and only the clock can bring a busy bot on."""

_numbers = itertools.count(1)


class Bot:
    """A bot under test. Plugins are module names, or skills made in the test itself.

    `options` are settings as on the command line ({"orders.demo": "yes"}). Its home is a temporary folder. `llm` stands
    in for all language models (see FakeLlm); `prompts` is a folder of prompts as files.
    """

    def __init__(
        self,
        *plugins: str | Skill,
        options: dict[str, str] | None = None,
        desk: bool = True,
        seed: int = 1,
        folders: Sequence[Path] = (),
        middleware: Sequence[Middleware] = (),
        llm: Llm | None = None,
        prompts: Path | None = None,
    ) -> None:
        self._modules = [plugin for plugin in plugins if isinstance(plugin, str)]
        self._skills = [plugin for plugin in plugins if isinstance(plugin, Skill)]
        self._options, self._with_desk, self._folders = options or {}, desk, folders
        self._middleware, self._llm, self._prompts = middleware, llm, prompts
        self._seeds = itertools.count(seed)
        self.clock = VirtualClock()
        self.home = Path(tempfile.mkdtemp(prefix="frontdesk-"))
        self.platforms = {kind: Platform() for kind in PROFILES}
        self.helpdesk = Helpdesk()
        self.deaths = 0
        self.dies_before_messages = False
        self.writes = 0
        self.states: list[bytes] = []
        self._still = 0
        self._dies_at, self._dies_before = 0, False
        self._events = itertools.count(1)

    # --- life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            await self.kill()
        finally:
            shutil.rmtree(self.home, ignore_errors=True)

    async def start(self) -> None:
        """Build the bot on what is in its home, and start it."""
        self._strangers = asyncio.all_tasks()
        self.pulse = Pulse()
        self.channels = {kind: FakeChannel(kind, platform, self.pulse) for kind, platform in self.platforms.items()}
        self.desk = FakeDesk(self.helpdesk, self.pulse, settle=self.settle)
        settings = Settings.load(options={"server.home": str(self.home), **self._options})
        self.store = MortalStore(SqliteStore(self.home / "frontdesk.db"), self.pulse, self.states)
        self.app = App.build(
            settings,
            builtins=[_registering(self._register()), *self._modules],
            folders=self._folders,
            clock=self.clock,
            entropy=SeededEntropy(next(self._seeds)),
            store=self.store,
            entry_points=False,
            serve=False,
        )
        if self._prompts is not None:
            self.app.prompts.load([self._prompts])
        await self.app.start()
        self.store.die_at(self._dies_at, before=self._dies_before)  # what the start writes is no scenario's

    async def kill(self) -> None:
        """Drop everything that is in memory, as kill -9 would; what is in the store stays."""
        self.pulse.dead = True
        self.writes += self.store.writes
        current = asyncio.current_task()
        mine = [task for task in asyncio.all_tasks() - self._strangers if task is not current]
        left = set(mine)
        for attempt in range(DYING):
            for task in left:
                task.cancel()
            if left:
                # Again and again: whoever would let go of something in the store waits for a dead one's answer.
                _, left = await asyncio.wait(left, timeout=min(0.001 * 2**attempt, 0.05))
        self.app.abandon()
        for adapter in self.app.services.living():
            await adapter.stop()
        await self.store.store.stop()

    async def restart(self) -> None:
        """Die and come back."""
        await self.settle()
        await self.kill()
        self.deaths += 1
        await self.start()

    def die_at(self, write: int, *, before: bool) -> None:
        """Die at the write of this number (from 1), just before it is durable or right after, and come back."""
        self._dies_at, self._dies_before = write, before

    async def settle(self) -> None:
        """Wait until the bot has come to rest, letting time pass for retries; bring it back if it died."""
        deadline = asyncio.get_running_loop().time() + STUCK
        limit, writes = 0.0, -1
        while True:
            if self.store.writes != writes:
                limit, writes = self.clock.now() + PATIENCE, self.store.writes
            if self.pulse.dead:
                self._dies_at = 0
                await self.kill()
                self.deaths += 1
                await self.start()
            if await self._at_rest(limit):
                return
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"the bot does not come to rest; {self._state()}")

    async def advance(self, seconds: float) -> None:
        """Let time pass, with everything that becomes due in it."""
        await self.settle()
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            due = await self.store.store.next_due()
            soon = self.clock.now() + POLL  # the engine looks at its timers so often
            self.clock.move(min(end, max(due, soon)) if due is not None else end)
            await self.settle()
        self.clock.move(end + POLL)
        await self.settle()

    # --- people

    def user(self, name: str = "sam", *, channel: str = "web", room: str = "") -> User:
        """Somebody who writes on a channel of this kind: web, chat, team (with forms and mentions), sms, or blind.

        In a `room` others read along; its name begins with "#".
        """
        return User(self, name, channel, room)

    def replace_skills(self, *skills: Skill) -> None:
        """Deploy other skills, with the next restart."""
        self._skills = list(skills)

    async def explain(self, turn: str) -> str:
        """Why a turn went the way it did."""
        return await self.app.explain(turn)

    async def before_message(self) -> None:
        """Called before each message of a person: `survives` dies here."""
        if self.dies_before_messages:
            await self.restart()

    def event_id(self) -> str:
        """A new id for something that a platform sends."""
        return f"event-{next(self._events)}"

    # --- inside

    def _register(self) -> Callable[[], ModuleType]:
        channels, desk, skills, chain = self.channels.values(), self.desk, self._skills, self._middleware
        with_desk, llm = self._with_desk, self._llm

        def make() -> ModuleType:
            module = ModuleType(f"frontdesk_test_{next(_numbers)}")
            module.__file__ = None

            @hookimpl
            def register_adapters(register: RegisterAdapter) -> None:
                if llm is not None:
                    register(Llm, llm)

            @hookimpl
            def register_channels(register: Callable[[FakeChannel], None]) -> None:
                for channel in channels:
                    register(channel)

            @hookimpl
            def register_desks(register: Callable[[FakeDesk], None]) -> None:
                if with_desk:
                    register(desk)

            @hookimpl
            def register_skills(register: Callable[[Skill], None]) -> None:
                for skill in skills:
                    register(skill)

            @hookimpl
            def register_middleware(register: Callable[[Middleware], None]) -> None:
                for middleware in chain:
                    register(middleware)

            for hook in (register_adapters, register_channels, register_desks, register_skills, register_middleware):
                setattr(module, hook.__name__, hook)
            return module

        return make

    async def _at_rest(self, limit: float) -> bool:
        await self._breathe()
        if self.pulse.dead:
            return False
        if self.app.busy or self.desk.busy:
            self._still = self._still + 1 if self.store.idle else 0
            waking = self.clock.next_waking
            if self._still > STILL and waking is not None and waking <= limit:
                self.clock.move(waking)
            return False
        self._still = 0
        left = min((row.not_before for row in await self.store.store.unsent()), default=limit)
        if left < limit and self.clock.now() < limit:
            self.clock.move(max(left, self.clock.now() + 1.0))  # what a kill has left is picked up in its time
            return False
        at = await self.store.store.next_due()
        if at is not None and at <= self.clock.now() + 2.0:
            self.clock.move(max(at, self.clock.now() + 0.6))
            return False
        return not self.app.busy

    async def _breathe(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0005)

    def _state(self) -> str:
        tasks = [task.get_name() for task in asyncio.all_tasks() - self._strangers]
        return f"tasks: {', '.join(sorted(tasks))}"


def _registering(make: Callable[[], ModuleType]) -> str:
    module = make()
    sys.modules[module.__name__] = module
    return module.__name__
