"""Shows that the bot is at it, once an answer takes a while. Fleeting: failures are ignored, nothing is stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial

import structlog

from bot.alarms import Alarms
from bot.channel import Channel, Types
from bot.messages import Address

log = structlog.get_logger()

AFTER = 0.7
"""Seconds of work after which somebody begins to wonder whether they were heard."""


class Thinking:
    """Tells channels when to show it."""

    def __init__(self) -> None:
        self._alarms = Alarms()
        self._telling: set[asyncio.Task[None]] = set()

    def shown(self, channel: Channel, address: Address) -> contextlib.AbstractContextManager[None]:
        """Show it from AFTER on, until the block ends."""
        return self._shown(channel, address) if isinstance(channel, Types) else contextlib.nullcontext()

    @contextlib.contextmanager
    def _shown(self, channel: Types, address: Address) -> Iterator[None]:
        due = self._alarms.set(AFTER, partial(self._tell, channel, address, on=True))
        try:
            yield
        finally:
            if not due.off():
                self._tell(channel, address, on=False)

    def _tell(self, channel: Types, address: Address, *, on: bool) -> None:
        task = asyncio.create_task(_told(channel, address, on=on), name="thinking")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


async def _told(channel: Types, address: Address, *, on: bool) -> None:
    try:
        await channel.typing(address, on=on)
    except Exception as problem:
        log.info("typing_not_shown", channel=address.channel, why=type(problem).__name__)
