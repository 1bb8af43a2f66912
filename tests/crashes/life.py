"""One life of the bot: the real app on a real store, from its start to its death at a point or the script's end.

Runs in a process of its own, made by fork; everything that it is made of was imported before.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, text

import bot.turns.engine
from bot.app import App
from bot.clock import SystemEntropy
from bot.hookspecs import hookimpl
from bot.replies import Reply
from bot.settings import Settings
from bot.skill import Skill
from bot.store.contract import Store
from bot.store.sqlite import SqliteStore
from tests.crashes.outside import KeptChannel, KeptDesk
from tests.crashes.people import People, polled
from tests.crashes.points import Break
from tests.crashes.script import LEASE, ROOM, answering, chats, dark_chat
from tests.crashes.tripwire import Tripwire
from tests.crashes.world import Ending, FastClock, Row, World

PATIENCE = 60.0
"""Seconds (ours) after which a life that neither dies nor ends is stuck."""

STUCK = 3
"""The exit code of such a life."""

PLUGIN = "crashing"


class Life(NamedTuple):
    """Where it lives, and where it dies: at the `at`-th time that it comes by `point` ("" for never)."""

    folder: Path
    database: str
    blind: bool
    point: str = ""
    at: int = 1
    broken: Break = ""
    patience: float = PATIENCE


def open_store(life: Life) -> Store:
    """The database of this run: a PostgreSQL address, or nothing for a file in its folder."""
    if life.database:
        from bot.store.postgres import PostgresStore  # noqa: PLC0415 - see warm_up

        return PostgresStore(life.database, pool=4, own_clock=False)
    return SqliteStore(life.folder / "frontdesk.db")


def warm_up() -> None:
    """Import what a bot on PostgreSQL imports when it needs it: here, once, and not in every life."""
    for name in ("bot.store.postgres", "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql.asyncpg"):
        importlib.import_module(name)


async def live(life: Life) -> int:
    """Live; the exit code, if it comes to that."""
    world, clock = World(life.folder), FastClock()
    wire = Tripwire(life.point, life.at, clock.now)
    store = open_store(life)
    wire.around(store)
    bot.turns.engine.LANES = bot.turns.engine.COMMON = ROOM
    channel = KeptChannel("dark" if life.blind else "kept", world, wire, read_back=not life.blind, broken=life.broken)
    desk = None if life.blind else KeptDesk(world, wire)
    _register(channel, desk, answering(world))
    app = _compose(life.folder, store, clock)
    await app.start()
    assert channel.gateway is not None
    people = People([dark_chat()] if life.blind else chats(), world, wire, store, clock, life.broken)
    try:
        async with asyncio.timeout(life.patience):
            await people.speak(channel.gateway, desk.gateway if desk else None, channel.name, patient=life.blind)
            await _rest(app, store)
    except TimeoutError:
        await _say_where(store, clock, life.folder)
        world.note(await _ending(store, wire))
        return STUCK
    ending = await _ending(store, wire)
    await app.stop()
    world.note(msgspec.structs.replace(ending, passed=dict(wire.passed)))
    return 0


def _compose(folder: Path, store: Store, clock: FastClock) -> App:
    options = {"server.home": str(folder), "store.lease": str(LEASE), "handoff.patience": "1e6"}
    return App.build(
        Settings.load(options=options),
        builtins=[PLUGIN],
        clock=clock,
        entropy=SystemEntropy(),
        store=store,
        entry_points=False,
        serve=False,
    )


async def prepare(life: Life) -> int:
    """Migrate an empty database, with the table that the plugin keeps its place in."""
    store = open_store(life)
    await store.start()
    await store.write(_make_table)
    await store.stop()
    return 0


def quiet(folder: Path) -> None:
    """What the bot logs goes to a file."""
    log = (folder / "log").open("a", encoding="utf-8")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(20), logger_factory=structlog.WriteLoggerFactory(log)
    )


def _make_table(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE polled (event VARCHAR(80) PRIMARY KEY)"))


async def _rest(app: App, store: Store) -> None:
    """Until nothing is under way, twice in a row."""
    calm = 0
    while calm < 2:
        busy = app.busy or bool(await store.unsent()) or bool(await store.read(_waiting))
        calm = 0 if busy else calm + 1
        await asyncio.sleep(0.02)


async def _say_where(store: Store, clock: FastClock, folder: Path) -> None:
    """What the database and the process look like when nothing goes on."""
    asked = ("lanes", "inbox", "outbox", "timers", "leases", "states", "dead_letters")

    def look(connection: Connection) -> list[str]:
        found = [connection.execute(text(f"SELECT * FROM {table}")) for table in asked]  # noqa: S608 - our own words
        return [str(dict(row)) for rows in found for row in rows.mappings()]

    tasks = [repr(task) for task in asyncio.all_tasks()]
    lines = [f"now {clock.now()}", *await store.read(look), *tasks]
    (folder / "stuck").write_text("\n".join(lines), encoding="utf-8")


def _waiting(connection: Connection) -> int:
    found: int = connection.execute(text("SELECT count(*) FROM lanes WHERE turn_seq > 0")).scalar_one()
    return found


async def _ending(store: Store, wire: Tripwire) -> Ending:
    def look(connection: Connection) -> Ending:
        rows = connection.execute(text("SELECT conversation, target, status, body FROM outbox")).all()
        return Ending(
            rows=tuple(Row(conversation=c, target=t, status=s, text=_words(t, bytes(body))) for c, t, s, body in rows),
            stored=tuple(connection.execute(text("SELECT event_id FROM inbox")).scalars()),
            polled=tuple(sorted(polled(connection))),
            parked=tuple(connection.execute(text("SELECT error FROM dead_letters")).scalars()),
            unfinished=_waiting(connection),
            passed={},
        )

    return await store.read(look)


def _words(target: str, body: bytes) -> str:
    return msgspec.json.decode(body, type=Reply).text if target == "channel" else ""


def _register(channel: KeptChannel, desk: KeptDesk | None, skill: Skill) -> None:
    """Make the plugin: a module that registers these very objects."""
    module = ModuleType(PLUGIN)
    module.__file__ = None

    @hookimpl
    def register_channels(register: Callable[[KeptChannel], None]) -> None:
        register(channel)

    @hookimpl
    def register_desks(register: Callable[[KeptDesk], None]) -> None:
        if desk is not None:
            register(desk)

    @hookimpl
    def register_skills(register: Callable[[Skill], None]) -> None:
        register(skill)

    for hook in (register_channels, register_desks, register_skills):
        setattr(module, hook.__name__, hook)
    sys.modules[PLUGIN] = module
