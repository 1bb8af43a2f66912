"""The whole bot, composed: what belongs to what, and in which order it starts and stops. Decides nothing itself."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import structlog

from bot.channel import Accepted, Channel, Files
from bot.clock import Clock, Entropy, SystemClock, SystemEntropy
from bot.context import Summaries
from bot.delivery.outbox import Outbox
from bot.delivery.sending import Means
from bot.desk import Desk
from bot.dialog.driver import Dialogs
from bot.dialog.gates import Gates
from bot.dialog.rehearsal import Rehearsed, rehearse
from bot.errors import StartError
from bot.handoff.bridge import Bridge
from bot.llm import opening
from bot.llm.models import Models
from bot.llm.spending.books import Ledger
from bot.llm.spending.budgets import BudgetSettings
from bot.llm.tokens import count
from bot.llm.toolbox import BoundTool
from bot.messages import Message
from bot.operations.explain import explain
from bot.operations.letters import Letters
from bot.operations.retention import Retention
from bot.operations.watchdog import Watchdog
from bot.outreach.jobs import Bound
from bot.outreach.port import Outreach
from bot.outreach.proactive import Proactive
from bot.outreach.settings import OutreachSettings
from bot.phrases import Phrases
from bot.plugins import PluginContext, Plugins
from bot.ports import Llm, Tools
from bot.processes.process import Process, shared
from bot.processes.sole import Sole
from bot.prompts import Prompts, Records
from bot.prompts.summarizing import by_model
from bot.services import Binding, Services
from bot.settings import HandoffSettings, KeepSettings, PluginSettings, ServerSettings, Settings, StoreSettings
from bot.skill import Handler, Skill
from bot.store.contract import DeadLetter, OutRow, Store
from bot.store.opening import choose_store
from bot.tools.room import ToolRoom
from bot.tools.settings import ToolSettings
from bot.turns.answering import Answering
from bot.turns.conversing import Conversing
from bot.turns.engine import Engine
from bot.turns.inbox import Inbox
from bot.turns.middleware import Flood, Middleware, Shorten
from bot.turns.router import Router
from bot.web import FileRoutes, Health, WebServer

log = structlog.get_logger()

LANES = "lanes"
"""The topic of the doorbell: a turn waits for whoever is free."""


class App:
    """One bot: its plugins, its store, its engine. Make it with `build`."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, entropy: Entropy, *, phrases: Phrases) -> None:
        self.settings, self.store = settings, store
        self._clock, self._entropy, self._phrases = clock, entropy, phrases
        self._server_settings = settings.own(ServerSettings, "server")
        self._lease = settings.own(StoreSettings, "store").lease
        self.home = self._server_settings.home
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._tools: dict[str, dict[str, BoundTool]] = {}
        self._jobs: dict[str, Bound] = {}
        self.services = Services()
        self.plugins = Plugins(self._context(), self.services, self._bind)
        self.books = Ledger(store, clock, entropy, settings.own(BudgetSettings, "budgets"))
        self.bus, self.buckets, shelf = shared(settings.own(StoreSettings, "store"), clock, entropy)
        self.llm = opening.open_router(settings, self.services, clock, phrases, books=self.books, shelf=shelf)
        self._gates = Gates(self._limits, clock.steady)
        self._dialogs = Dialogs(self._handler, self._gates, phrases)
        self._conversing = Conversing(Router(()), self._dialogs, self._gates, phrases)
        worker = f"{socket.gethostname()}.{os.getpid()}"
        offered = settings.own(ToolSettings, "tools")
        self.tools = ToolRoom(
            store, self.services, self.buckets, offered, clock=clock, entropy=entropy, url=lambda: self.url
        )
        self.prompts = Prompts(clock, records=Records(store), bus=self.bus)
        self.prompts.use(count=count)
        self.summaries = Summaries(store, clock, count=count)
        self.process = Process(self.bus, Sole(store, clock, f"{worker}.{entropy.token()[:8]}", self._lease))
        self.inbox = self._new_inbox()
        patience = settings.own(HandoffSettings, "handoff").patience
        self.bridge = Bridge(store, self.inbox, clock, phrases, patience=patience)
        self.outreach = Proactive(
            store, self.inbox, clock, entropy, settings.own(OutreachSettings, "outreach"), phrases
        )
        keeps = self.outreach.night.keeps
        means = Means(store, clock, entropy, self.buckets, self.bridge.perform, self.bridge.refused, keeps)
        self.outbox = Outbox(means)
        self.answering = self._new_answering()
        self.engine = Engine(worker, store, clock, self.answering, lease=self._lease)
        self._connect()
        self._server: WebServer | None = None
        self._retention = Retention(store, clock, self.process, settings.own(KeepSettings, "keep"))
        self._watchdog = Watchdog(owner=self.plugins.owner)
        self._serves = False

    def _context(self) -> PluginContext:
        return PluginContext(
            given=self.settings,
            home=self.home,
            clock=self._clock,
            entropy=self._entropy,
            database=self.store,
            public_url=self._server_settings.url,
        )

    def _new_inbox(self) -> Inbox:
        return Inbox(
            self.store,
            self._clock,
            self._entropy,
            take=self._take,
            ring=self._ring,
            send=self._send,
            peers=self.process,
            buckets=self.buckets,
        )

    def _models(self) -> Models:
        return Models(
            find=lambda: self.services.get(Llm),
            tools=lambda skill: self._tools.get(skill, {}),
            phrases=self._phrases,
            prompts=self.prompts,
            summaries=self.summaries,
            usage=self.tools.usage,
            house=lambda: self.services.get(Tools),
        )

    def _new_answering(self) -> Answering:
        return Answering(
            store=self.store,
            clock=self._clock,
            dialogs=self._dialogs,
            conversing=self._conversing,
            bridge=self.bridge,
            models=self._models(),
            send=self._send,
            lease=self._lease,
        )

    def _connect(self) -> None:
        """Who tells whom: what could not be said while one of the two was still to be made."""
        self.inbox.signalled = self.bridge.typing
        self.inbox.open_form = self._dialogs.form
        self.inbox.known = lambda: self._conversing.router.commands
        self.inbox.heard = self.answering.heard
        self.answering.crowded = lambda: self.outbox.crowded
        self.answering.finished = self.plugins.turn_finished
        self.engine.announce = self._ring
        self.bus.subscribe(LANES, lambda _: self.engine.ring())
        self.services.add(Outreach, self.outreach.saying, source="bot.outreach")
        self.services.add(Tools, self.tools.registry, source="bot.tools")

    @classmethod
    def build(
        cls,
        settings: Settings,
        *,
        builtins: Sequence[str] = (),
        optional: Sequence[str] = (),
        folders: Sequence[Path] = (),
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        store: Store | None = None,
        entry_points: bool = True,
        serve: bool = True,
    ) -> Self:
        """Compose everything and load the plugins; opens, locks and connects nothing yet.

        Raises StartError (SettingsError with every mistake, PluginError, PortMissing).
        """
        home = settings.own(ServerSettings, "server").home
        app = cls(
            settings,
            store or choose_store(settings.own(StoreSettings, "store"), home),
            clock or SystemClock(),
            entropy or SystemEntropy(),
            phrases=Phrases(),
        )
        app._serves = serve
        chosen = settings.own(PluginSettings, "plugins")
        places = [*folders, *chosen.folders]
        app.plugins.load(builtins, optional=optional, folders=places, installed=entry_points, off=chosen.disabled)
        if not app.channels:
            raise StartError("no channel is on; the web channel needs no settings, so plugins.disabled may name it")
        app.plugins.subscribe(app._changed)
        app._changed()
        return app

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Where people write."""
        return self.plugins.channels

    @property
    def desks(self) -> tuple[Desk, ...]:
        """Where human agents work; conversations are handed to the first."""
        return self.plugins.desks

    @property
    def url(self) -> str:
        """Where the HTTP server listens."""
        return self._server.url if self._server else self._server_settings.url

    async def start(self) -> None:
        """Open the store, then desks, then the outbox and the engine, then the channels: nobody is heard too early."""
        self.home.mkdir(parents=True, exist_ok=True)
        await self.store.start()
        await self.bus.start()
        await self.buckets.start()
        channels = {(channel.name, channel.account): channel for channel in self.channels}
        self.outbox.channels = self.answering.channels = self.bridge.channels = channels
        self.bridge.desks = {desk.name: desk for desk in self.desks}
        if any(isinstance(channel, Files) for channel in self.channels):
            await self.inbox.open_files(lambda: self.url)
        for adapter in self.services.living():
            await adapter.start()
        for desk in self.desks:
            await desk.start(self.bridge)
        for channel in self.channels:
            await channel.start(self.inbox)
        await self.outbox.start()
        await self.engine.start()
        self.outreach.start(self.channels)
        self._retention.start()
        opening.start(self.llm)
        llm = self.services.get(Llm)
        self.summaries.summarize = by_model(self.prompts, llm)
        if llm.there:
            self.prompts.use(embed=llm.embed)
        self._watchdog.start()
        if self._serves:
            await self._listen()

    async def stop(self) -> None:
        """About the reverse; what was not finished stays in the store."""
        self._retention.stop()
        await self.process.stop()
        # First what sends, while there still is something to send with: a send that is cut off has to be looked up.
        # Whatever comes in meanwhile is stored, for others or for the next start.
        await self.engine.stop()
        await self.outbox.stop()
        # Channels before the server: they let waiting readers go, which the server would otherwise wait for.
        for channel in self.channels:
            await channel.stop()
        if self._server:
            await self._server.stop()
        await self.tools.stop()
        for desk in self.desks:
            await desk.stop()
        for adapter in self.services.living():
            await adapter.stop()
        await self.summaries.stop()
        await self.prompts.stop()
        await self.llm.close()
        self._watchdog.stop()
        await self.buckets.stop()
        await self.bus.stop()
        await self.store.stop()

    def abandon(self) -> None:
        """Let go of threads after a simulated kill; nothing is written."""
        self._watchdog.stop()

    @property
    def busy(self) -> bool:
        """Whether anything is being answered or sent."""
        return self.engine.busy or self.outbox.busy or self.outreach.busy

    async def explain(self, turn: str) -> str:
        """Why a turn went the way it did."""
        return await explain(self.store, turn)

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """Turns that were given up, newest first."""
        return await self.store.dead_letters()

    @property
    def letters(self) -> Letters:
        """Turns that were given up, and what nobody could read."""
        channels = {(channel.name, channel.account): channel for channel in self.channels}
        return Letters(self.store, channels, self.inbox.receive, self._clock.now)

    async def rehearse(self) -> Rehearsed:
        """Replay all waiting dialogs against the skills that are loaded here, doing nothing."""
        return await rehearse(self.store, self._handler, self._clock, self._models())

    # --- inside

    def _handler(self, skill: str, name: str) -> Handler | None:
        return self._handlers.get((skill, name))

    async def _take(self, message: Message) -> Accepted:
        return await self.engine.take(message)

    def _ring(self) -> None:
        self.bus.publish(LANES)

    def _send(self, rows: Sequence[OutRow], began: float) -> None:
        self.outbox.accept(rows, began)

    async def _listen(self) -> None:
        health = Health(notes=lambda: dict(self.plugins.broken), watchdog=self._watchdog)
        health.add("store", self._store_works)
        if self.settings.own(StoreSettings, "store").redis_url is not None:
            health.mention("redis", self.bus.trouble)
        if self.llm.models:
            health.mention("models", self.llm.trouble)
        routes = [route for channel in self.channels for route in channel.routes()]
        routes += [route for desk in self.desks for route in desk.routes()]
        routes += FileRoutes(lambda: self.outbox.channels, lambda: self.inbox.file_secret).routes()
        routes += self.tools.routes()
        self.tools.start()
        self._server = WebServer(self._server_settings, health=health, entropy=self._entropy, routes=routes)
        await self._server.start()

    async def _store_works(self) -> str:
        await self.store.next_due()
        return ""

    def _bind(self, skill: Skill) -> None:
        """Resolve what each handler asks for; a missing port is told with file, line and fix."""
        bound = {name: _with(handler, self.services.resolve(handler)) for name, handler in skill.handlers.items()}
        for name, handler in bound.items():
            self._handlers[skill.name, name] = handler
        self._tools[skill.name] = {name: tool.bind(self.services) for name, tool in skill.tools.items()}
        for job in skill.jobs.values():
            run = _with(job.run, self.services.resolve(job.run, turn=False))
            self._jobs[f"{skill.name}.{job.name}"] = Bound(name=f"{skill.name}.{job.name}", every=job.every, run=run)

    def _changed(self) -> None:
        """Skills came or went: route among those that are there now. Old turns end on the old code."""
        there = {(skill.name, name) for skill in self.plugins.skills for name in skill.handlers}
        for gone in self._handlers.keys() - there:
            del self._handlers[gone]
        for name in self._tools.keys() - {skill.name for skill in self.plugins.skills}:
            del self._tools[name]
        jobs = {f"{skill.name}.{name}" for skill in self.plugins.skills for name in skill.jobs}
        self._jobs = {name: bound for name, bound in self._jobs.items() if name in jobs}
        self.outreach.jobs.use(self._jobs)
        self._gates.forget()
        self._conversing.router = Router(self.plugins.skills)
        first: list[Middleware] = [Shorten(), self.outreach.gate, Flood(self._phrases.slow_down)]
        self.answering.use([*first, *self.plugins.middleware])
        self.answering.desk = self.desks[0].name if self.desks else ""
        self.tools.publish(self._tools)

    def _limits(self, skill: str) -> tuple[float, int]:
        for other in self.plugins.skills:
            if other.name == skill:
                return other.deadline, other.concurrency
        return 30.0, 200


def _with(handler: Handler, binding: Binding) -> Handler:
    return functools.partial(handler, **binding) if binding else handler
