"""A platform that keeps everything: takes replies, can be asked whether it has one, and misbehaves when told to.

It hangs up in the worst way there is: after it has taken the reply, before it says so.
"""

from __future__ import annotations

import asyncio
import random
import time

import msgspec
from aiohttp import web

from benchmarks.plugin import Post, Posted

_post = msgspec.json.Decoder(Post).decode

UNDERWAY = 0.3
"""Seconds after a 429 in which other replies may still come in that were on their way."""


class Arrived(msgspec.Struct):
    """One reply that the platform took and showed."""

    at: float
    post: Post


class Mood(msgspec.Struct, frozen=True):
    """How it behaves. `drop` is the share of replies after which it hangs up; `hang` of those that it never answers.

    `delay` is the most seconds that it takes over a reply: some of them before it has taken it, the rest after that.
    `errors` is the share that it answers with a 500, half of which it has taken. With `closes`, it says 429 to
    everything for a time between these (in seconds) whenever it has taken `burst` replies.
    """

    drop: float = 0.0
    delay: float = 0.0
    errors: float = 0.0
    hang: float = 0.0
    closes: tuple[float, float] | None = None
    burst: int = 20


class Early(msgspec.Struct):
    """A reply that came although the platform had said not to come before a certain time."""

    at: float
    post: Post
    by: float


class KeepingPlatform:
    """The platform's HTTP side, on a port of its own. `drop` and `delay` are the mood that it begins in."""

    def __init__(self, chance: random.Random, *, drop: float = 0.0, delay: float = 0.0) -> None:
        self._chance = chance
        self._runner: web.AppRunner | None = None
        self._ids: dict[str, str] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._closed_at = self._closed_until = 0.0
        self._taken = 0
        self._not_before: dict[str, float] = {}
        self.mood = Mood(drop=drop, delay=delay)
        self.arrived: list[Arrived] = []
        self.early: list[Early] = []
        self.by_chat: dict[str, list[Post]] = {}
        self.dropped = self.looked = self.refused = self.failed = self.hung = 0
        self.url = ""

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post("/api/chat.postMessage", self._take)
        app.router.add_get("/sent", self._look)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    async def shows(self, chat: str, texts: list[str], seconds: float) -> bool:
        """Wait until a chat shows all these texts; False when that takes too long."""
        changed = self._changed.setdefault(chat, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                while not {post.text for post in self.by_chat.get(chat, [])}.issuperset(texts):
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return False
        return True

    def button(self, chat: str, label: str) -> str:
        """The token of the newest button with this label."""
        posts = reversed(self.by_chat.get(chat, []))
        return next(button.token for post in posts for button in post.buttons if button.label == label)

    async def _take(self, request: web.Request) -> web.Response:
        post = _post(await request.read())
        mood = self.mood
        if wait := self._refuses(post, mood):
            self.refused += 1
            return web.Response(status=429, headers={"Retry-After": f"{wait:.3f}"})
        fails = mood.errors and self._chance.random() < mood.errors
        if fails and self._chance.random() < 0.5:
            self.failed += 1
            return web.Response(status=500)
        await asyncio.sleep(self._chance.uniform(0, mood.delay / 2))
        ts = self._keep(post)
        if fails:
            self.failed += 1
            return web.Response(status=500)
        if mood.drop and self._chance.random() < mood.drop and request.transport is not None:
            self.dropped += 1
            request.transport.abort()
        if mood.hang and self._chance.random() < mood.hang:
            self.hung += 1
            await asyncio.sleep(30.0)
        await asyncio.sleep(self._chance.uniform(0, mood.delay / 2))
        return _json(Posted(ts=ts))

    def _keep(self, post: Post) -> str:
        ts = f"1700000000.{len(self.arrived):06d}"
        self.arrived.append(Arrived(at=time.time(), post=post))
        self.by_chat.setdefault(post.channel, []).append(post)
        self._ids[post.id] = ts
        self._changed.setdefault(post.channel, asyncio.Event()).set()
        return ts

    def _refuses(self, post: Post, mood: Mood) -> float:
        """For how many seconds it wants nothing more; notes who comes in spite of that."""
        now = time.time()
        told = self._not_before.pop(post.id, 0.0)
        underway = self._closed_at + UNDERWAY
        if now < told or (now < self._closed_until and post.sent > underway):
            self.early.append(Early(at=now, post=post, by=max(told, self._closed_until) - now))
        if mood.closes and now >= self._closed_until:
            self._taken += 1
            if self._taken > mood.burst:
                self._taken = 0
                self._closed_at, self._closed_until = now, now + self._chance.uniform(*mood.closes)
        wait = self._closed_until - now
        if wait <= 0:
            return 0.0
        self._not_before[post.id] = now + wait
        return wait

    async def _look(self, request: web.Request) -> web.Response:
        self.looked += 1
        return _json(Posted(ts=self._ids.get(request.query.get("id", ""), "")))


def _json(value: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
