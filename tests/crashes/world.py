"""What outlives the bot: append-only files of what platforms, desks and shops have seen. And a clock that runs fast.

One process at a time has it open, so what is in memory is what is in the files.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bot.clock import Clock
from bot.messages import Value

V = TypeVar("V", bound=Value)

SPEED = 10.0
"""So many seconds of the bot's go by in one of ours: leases, graces and pauses are those of production, and short."""

EPOCH = 1_800_000_000.0


class Taken(Value, frozen=True):
    """A reply that a platform took."""

    channel: str
    chat: str
    id: str
    text: str


class Acknowledged(Value, frozen=True):
    """A platform, or a desk, was told that we have this event."""

    event: str


class Refused(Value, frozen=True):
    """A reply that the platform did not want at its first attempt."""

    id: str


class Ticket(Value, frozen=True):
    """A case at the desk."""

    key: str
    ref: str
    chat: str


class Appended(Value, frozen=True):
    """A line in a ticket."""

    key: str
    ref: str
    text: str


class Done(Value, frozen=True):
    """Something a handler did: a step was "run", its result was "kept", or it "failed"."""

    what: str
    subject: str


class Row(Value, frozen=True):
    """An outbox row at the end."""

    conversation: str
    target: str
    status: str
    text: str


class Ending(Value, frozen=True):
    """What the database holds when the last life is at its end, and how often each point was passed in it."""

    rows: tuple[Row, ...]
    stored: tuple[str, ...]
    polled: tuple[str, ...]
    parked: tuple[str, ...]
    unfinished: int
    passed: dict[str, int]


class World:
    """The files of one folder: for each kind of note, one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.working = 0
        self._notes: dict[type[Value], list[Any]] = {}
        self._changed = asyncio.Event()

    def all(self, kind: type[V]) -> list[V]:
        """Everything of a kind, in order."""
        if kind not in self._notes:
            path = self._path(kind)
            lines = path.read_bytes().splitlines() if path.exists() else []
            self._notes[kind] = [msgspec.json.decode(line, type=kind) for line in lines]
        return self._notes[kind]

    def note(self, value: Value) -> None:
        """Write something down for good; one call of the system, so a death can't cut it in two."""
        self.all(type(value)).append(value)
        file = os.open(self._path(type(value)), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, msgspec.json.encode(value) + b"\n")
        os.close(file)
        self._stir()

    def work(self, more: int) -> None:
        """So many more slow steps are at work in this life."""
        self.working += more
        self._stir()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until it is true of what was noted."""
        while not true():
            await self._changed.wait()

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def told(self, event: str) -> bool:
        """Whether an event was acknowledged."""
        return Acknowledged(event=event) in self.all(Acknowledged)

    def shown(self, chat: str) -> list[str]:
        """What a person was shown."""
        return [taken.text for taken in self.all(Taken) if taken.chat == chat]

    def _path(self, kind: type[Value]) -> Path:
        return self.folder / f"{kind.__name__.lower()}.jsonl"


class FastClock(Clock):
    """The machine's clock at SPEED, the same in all processes."""

    def now(self) -> float:
        """Seconds since 1970, in a time of its own."""
        return EPOCH + self.steady()

    def steady(self) -> float:
        """Seconds since the machine was started, times SPEED."""
        return time.clock_gettime(time.CLOCK_MONOTONIC) * SPEED

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds / SPEED)
