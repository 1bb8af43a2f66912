"""A platform that keeps everything: takes replies, can be asked whether it has one, and sometimes hangs up.

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


class Arrived(msgspec.Struct):
    """One reply that the platform took and showed."""

    at: float
    post: Post


class KeepingPlatform:
    """The platform's HTTP side, on a port of its own. `drop` is the share of replies after which it hangs up.

    `delay` is the most seconds that it takes over a reply: some of them before it has taken it, the rest after that.
    """

    def __init__(self, chance: random.Random, *, drop: float = 0.0, delay: float = 0.0) -> None:
        self._chance, self._drop, self._delay = chance, drop, delay
        self._runner: web.AppRunner | None = None
        self._ids: dict[str, str] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self.arrived: list[Arrived] = []
        self.by_chat: dict[str, list[Post]] = {}
        self.dropped = 0
        self.looked = 0
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
        await asyncio.sleep(self._chance.uniform(0, self._delay / 2))
        ts = f"1700000000.{len(self.arrived):06d}"
        self.arrived.append(Arrived(at=time.time(), post=post))
        self.by_chat.setdefault(post.channel, []).append(post)
        self._ids[post.id] = ts
        self._changed.setdefault(post.channel, asyncio.Event()).set()
        if self._chance.random() < self._drop and request.transport is not None:
            self.dropped += 1
            request.transport.abort()
        await asyncio.sleep(self._chance.uniform(0, self._delay / 2))
        return _json(Posted(ts=ts))

    async def _look(self, request: web.Request) -> web.Response:
        self.looked += 1
        return _json(Posted(ts=self._ids.get(request.query.get("id", ""), "")))


def _json(value: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
