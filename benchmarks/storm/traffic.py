"""People who write all the time, and a platform that delivers what they write until it is acknowledged.

What is due comes whether the bot is well or not (so a bot that stands still is seen to be late). The messages of one
conversation are delivered one after the other, each to whichever worker there is, again and again with the same id.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import aiohttp
import msgspec

from benchmarks.history import Record
from benchmarks.plugin import SECRET, Envelope, Event, path_of, signature

PATIENCE = 3.0
"""Seconds within which a webhook has to be answered, as Slack wants it."""

AGAIN = 0.02
"""The share of acknowledged webhooks that the platform delivers once more."""

Result = Literal["ok", "fail", "unknown"]
Words = Callable[[random.Random, str], str]
"""Makes a message out of its mark."""


def small_talk(_: random.Random, mark: str) -> str:
    """What costs nothing to answer."""
    return f"say {mark}"


@dataclass(slots=True)
class Said:
    """One message that is due."""

    chat: str
    number: int
    words: str
    due: float

    @property
    def event(self) -> str:
        """The id that all its deliveries have."""
        return f"Ev{self.chat}.{self.number}"

    @property
    def answer(self) -> str:
        """What is to be read."""
        return f"echo: {self.words}"


@dataclass(slots=True)
class Crowd:
    """Who writes: `rate` messages a second, spread over `conversations`; `name` begins the names of their chats."""

    name: str
    rate: float
    conversations: int
    words: Words = small_talk
    account: str = "main"
    tenant: str = "default"
    numbers: dict[str, int] = field(default_factory=dict)

    def next(self, chance: random.Random, due: float) -> Said:
        """The next message, of anybody."""
        chat = f"{self.name}{chance.randrange(self.conversations):05d}"
        number = self.numbers[chat] = self.numbers.get(chat, 0) + 1
        return Said(chat, number, self.words(chance, f"{chat}.{number}"), due)


class Traffic:
    """Delivers what crowds write to a worker of the `balancer`'s choice; every try goes into `history`."""

    def __init__(self, balancer: Callable[[], int], chance: random.Random, history: list[Record]) -> None:
        self._balancer, self._chance, self._history = balancer, chance, history
        self._queues: dict[str, deque[Said]] = {}
        self._talking: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self.answers: dict[str, int] = {}
        self.acknowledged = 0
        self.acknowledged_at: list[float] = []

    async def __aenter__(self) -> Traffic:
        """Open the way to them."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=5.0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whoever still talks is cut off."""
        for task in list(self._talking.values()):
            task.cancel()
        await asyncio.gather(*self._talking.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def write(self, crowds: Sequence[Crowd], seconds: float) -> None:
        """Write for so long; returns when the last message is due, not when it is delivered."""
        began = time.time()
        plan = sorted(
            (began + place / crowd.rate, who)
            for who, crowd in enumerate(crowds)
            for place in range(int(crowd.rate * seconds))
        )
        for due, who in plan:
            wait = due - time.time()
            if wait > 0.002:
                await asyncio.sleep(wait)
            self._write(crowds[who], due)
        await asyncio.sleep(max(0.0, began + seconds - time.time()))

    def _write(self, crowd: Crowd, due: float) -> None:
        said = crowd.next(self._chance, due)
        queue = self._queues.setdefault(said.chat, deque())
        queue.append(said)
        if said.chat not in self._talking:
            self._talking[said.chat] = asyncio.create_task(self._talk(crowd, queue))

    async def delivered(self, patience: float) -> bool:
        """Wait until everything was acknowledged; False when that takes too long."""
        deadline = time.monotonic() + patience
        while self._talking and time.monotonic() < deadline:
            await asyncio.wait(list(self._talking.values()), timeout=0.2)
        return not self._talking

    @property
    def waiting(self) -> int:
        """Messages that are due and not acknowledged."""
        return sum(len(queue) for queue in self._queues.values())

    async def _talk(self, crowd: Crowd, queue: deque[Said]) -> None:
        chat = queue[0].chat
        try:
            while queue:
                await self._deliver(crowd, queue[0])
                queue.popleft()
        finally:
            del self._talking[chat]

    async def _deliver(self, crowd: Crowd, said: Said) -> None:
        """Until it was acknowledged; now and then once more."""
        event = Event(
            channel=said.chat, user=f"U{said.chat}", ts=f"{said.due:.6f}", text=said.words, tenant=crowd.tenant
        )
        body = msgspec.json.encode(Envelope(event_id=said.event, event=event))
        path = path_of(crowd.account)
        tries = 0
        while not await self._try(said, path, body):
            tries += 1
            await asyncio.sleep(self._chance.uniform(0.05, 0.4) * min(tries, 4))
        self.acknowledged += 1
        self.acknowledged_at.append(time.time())
        if self._chance.random() < AGAIN:
            await self._try(said, path, body)

    async def _try(self, said: Said, path: str, body: bytes) -> bool:
        began = time.time()
        stamp = str(int(began))
        headers = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(SECRET.encode(), stamp.encode(), body),
        }
        result: Result = "fail"
        what = "nobody there"
        if port := self._balancer():
            result, what = await self._post(f"http://127.0.0.1:{port}{path}", headers, body)
        self.answers[what] = self.answers.get(what, 0) + 1
        record = Record(
            op="said", at=began, end=time.time(), due=said.due, result=result, chat=said.chat, event=said.event
        )
        record.text = said.answer
        self._history.append(record)
        return result == "ok"

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[Result, str]:
        assert self._session is not None
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                await response.read()
        except aiohttp.ClientConnectorError:
            return "fail", "refused"
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            return "unknown", type(problem).__name__
        if response.status == 200:
            return "ok", "200"
        # What a 503 was said about may still have been stored: the answer to a commit can be lost.
        return "unknown" if response.status >= 500 else "fail", str(response.status)


def longest_gap(times: Sequence[float], began: float, ended: float) -> float:
    """The longest time in which nothing was acknowledged."""
    return max(_gaps([began, *(at for at in times if began <= at <= ended), ended]))


def _gaps(times: Sequence[float]) -> Iterator[float]:
    return (later - earlier for earlier, later in pairwise(times))
