"""The bus over Redis: one channel for all topics of a bot, one connection that listens, one that tells.

It goes by real time, as networks do. While Redis is away, it is only remembered which topics had news; everybody looks
again once it is back, tellers and listeners alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from redis.asyncio.client import PubSub

from bot.clock import Entropy
from bot.processes.bus import Bus
from bot.redis.connection import Link, end, pause

MOST = 2000
"""Pieces of news that may wait to be told; beyond that, only which topics had some."""

BEAT = 4.0
"""Seconds after which something is told even if there is no news, so that every listener knows that its line works."""

DEAF = 11.0
"""Seconds without a word, its own included, after which a listener connects anew."""

START = 1.0
"""Seconds that the start waits for Redis; it goes on without it."""

News = tuple[str, bytes]


class RedisBus(Bus):
    """One process's end of it."""

    def __init__(self, link: Link, entropy: Entropy, prefix: str) -> None:
        super().__init__()
        self._link, self._entropy = link, entropy
        self._channel = f"{prefix}:news"
        self._me = entropy.token()[:16].encode()
        self._waiting: dict[News, None] = {}
        self._news, self._told, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._told.set()
        self._away = True
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect, or go on trying."""
        self._news.set()  # the first word, even if there is no news: whether it can be told
        self._tasks = [
            asyncio.create_task(self._listening(), name="redis listens"),
            asyncio.create_task(self._telling(), name="redis tells"),
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(START):
                await self._settled.wait()

    async def stop(self) -> None:
        """Tell what there is to tell, if that is quick; then disconnect."""
        if self._tasks and not self._away:
            with suppress(TimeoutError):
                async with asyncio.timeout(START / 2):
                    await self._told.wait()
        await end(self._tasks)
        self._tasks, self._away = [], True
        await self._link.close()

    async def trouble(self) -> str:
        """What keeps news from the others."""
        return self._link.trouble

    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell this process now, and the others in a moment."""
        self._deliver(topic, body)
        if len(self._waiting) >= MOST:
            self._summarise()
        news = (topic, b"" if self._away else body)
        # To its end, if it waits already: what comes last is what stays.
        self._waiting.pop(news, None)
        self._waiting[news] = None
        self._told.clear()
        self._news.set()

    def _summarise(self) -> None:
        """Say of each topic only that there was something."""
        self._waiting = {(topic, b""): None for topic, _ in self._waiting}

    # --- telling

    async def _telling(self) -> None:
        failures = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await self._news.wait()
            self._news.clear()
            news, self._waiting = self._waiting, {}
            try:
                await self._tell(list(news) or [("", b"")])
            except Exception as problem:  # whatever it is: the others miss something, and this task must go on
                failures += 1
                self._waiting = news | self._waiting
                self._summarise()
                self._away = True
                self._link.failed("telling", problem)
                self._news.set()
                await asyncio.sleep(pause(failures, self._entropy.jitter()))
                continue
            failures, self._away = 0, False
            self._link.works("telling")
            if not self._waiting:
                self._told.set()

    async def _tell(self, news: list[News]) -> None:
        bodies = [b" ".join((self._me, topic.encode(), body)) for topic, body in news]
        if len(bodies) == 1:
            await self._link.client.publish(self._channel, bodies[0])
            return
        async with self._link.client.pipeline(transaction=False) as pipeline:
            for body in bodies:
                pipeline.publish(self._channel, body)
            await pipeline.execute()

    # --- listening

    async def _listening(self) -> None:
        failures = 0
        while True:
            line = self._link.client.pubsub()
            try:
                await line.subscribe(self._channel)
                async for data in _said(line):
                    if data is None:
                        failures = 0
                        self._connected()
                    else:
                        self._hear(data)
            except Exception as problem:  # whatever it is: nothing is heard, and this task must go on
                self._link.failed("listening", problem)
            finally:
                with suppress(Exception):
                    await line.aclose()  # type: ignore[no-untyped-call]  # redis has no types for it
            failures += 1
            self._settled.set()
            await asyncio.sleep(pause(failures, self._entropy.jitter()))

    def _connected(self) -> None:
        """From now on nothing is missed; before, something may have been."""
        self._link.works("listening")
        self._settled.set()
        self._deliver_all()

    def _hear(self, data: bytes) -> None:
        who, _, rest = data.partition(b" ")
        topic, _, body = rest.partition(b" ")
        if who != self._me and topic:
            self._deliver(topic.decode(errors="replace"), body)


async def _said(line: PubSub) -> AsyncIterator[bytes | None]:
    """What is said on a line, None each time it was (again) connected. Raises when it is broken, or only looks well."""
    while True:
        message = await line.get_message(timeout=DEAF)
        if message is None:
            raise TimeoutError(f"nothing was heard for {DEAF:g} s")
        if message["type"] == "subscribe":
            yield None
        elif message["type"] == "message":
            yield message["data"]
