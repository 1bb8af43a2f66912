"""A gateway in memory, a bot that answers by a script, and a real server for them, on a port that stays the same."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiohttp import web

from bot import Accepted, Address, Button, Choice, Delivery, Entry, Message, Reply, StoreUnavailable
from bot.testing.loner import LoneGateway
from channels.web.channel import WebChannel
from channels.web.settings import WebSettings
from tests.servers import free_port

Source = Literal["user", "bot", "agent", "system"]
Script = Callable[["FakeGateway", Message], Awaitable[None]]


class FakeGateway(LoneGateway):
    """Keeps transcripts in memory; it stands for the database, so it outlives the channel."""

    def __init__(self, script: Script | None = None) -> None:
        self.transcripts: dict[str, list[Entry]] = {}
        self.seen: dict[str, Accepted] = {}
        self.received: list[Message] = []
        self.signals: list[Message] = []
        self.channel: WebChannel | None = None
        self.down = False
        self.script = script
        self.shift = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, message: Message) -> Accepted:
        """Store, and let the script answer."""
        if self.down:
            raise StoreUnavailable("down")
        if message.event_id in self.seen:
            return self.seen[message.event_id]
        self.received.append(message)
        entry = self.add(message.address, "user", message.text, message=message)
        accepted = Accepted(conversation=message.address.chat, seq=entry.seq)
        self.seen[message.event_id] = Accepted(conversation=message.address.chat, seq=entry.seq, duplicate=True)
        if self.script:
            task = asyncio.create_task(self.script(self, message))  # type: ignore[arg-type]
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return accepted

    async def signal(self, message: Message) -> None:
        """Remember it for the test."""
        self.signals.append(message)

    async def history(self, address: Address, *, after: int = 0, limit: int = 200) -> list[Entry]:
        """What is behind `after`."""
        if self.down:
            raise StoreUnavailable("down")
        return [entry for entry in self.transcripts.get(address.chat, []) if entry.seq > after][:limit]

    def new_id(self) -> str:
        """A real random id."""
        return secrets.token_hex(16)

    def add(
        self,
        address: Address,
        source: Source,
        text: str,
        *,
        author: str = "",
        reply: Reply | None = None,
        message: Message | None = None,
    ) -> Entry:
        """A line at the end; numbers rise with gaps, as the contract allows."""
        rows = self.transcripts.setdefault(address.chat, [])
        seq = (rows[-1].seq if rows else 0) + (1 if source == "user" else 2)
        entry = Entry(
            seq=seq,
            source=source,
            at=time.time() + self.shift,
            text=text,
            author=author,
            buttons=reply.buttons if reply else (),
            reply=reply,
            message=message,
        )
        rows.append(entry)
        return entry

    async def say(
        self,
        address: Address,
        text: str,
        *choices: str,
        source: Source = "bot",
        author: str = "",
        reply: Reply | None = None,
    ) -> Entry:
        """Say something through the channel, as the outbox does."""
        if reply is None:
            buttons = tuple(Button(token=f"tok-{n}-{c}", label=c, value=c.lower()) for n, c in enumerate(choices))
            reply = Reply(text=text, choices=tuple(Choice(label=c) for c in choices), buttons=buttons)
        entry = self.add(address, source, text, author=author, reply=reply)
        if self.channel:
            await self.channel.send(
                Delivery(
                    id=f"d{entry.seq}", conversation="c", seq=entry.seq, address=address, reply=reply, source=source
                )
            )
        return entry


class Site:
    """A running server with the web channel on it, and a client for it."""

    def __init__(self, home: Path, gateway: FakeGateway, **settings: Any) -> None:
        self.port = free_port()
        self.gateway, self.home = gateway, home
        self.settings = WebSettings(port=self.port, **settings)
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = self.url + "/channels/web"
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Start a fresh channel: nothing but the gateway and the folder is left of an earlier one."""
        self.channel = WebChannel(self.settings, self.home)
        self.gateway.channel = self.channel
        app = web.Application()
        app.add_routes(self.channel.routes())
        await self.channel.start(self.gateway)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self) -> None:
        """Stop as the bot does: the channel first, then the server."""
        self.gateway.channel = None
        await self.channel.stop()
        if self._runner:
            await self._runner.cleanup()


class Client:
    """What curl and a page would do."""

    def __init__(self, site: Site, http: aiohttp.ClientSession) -> None:
        self.site, self.http = site, http

    async def post(self, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
        """POST a message; bytes and strings go as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post(self.site.api + "/messages", data=data, headers=headers) as response:
            return response.status, await response.json()

    async def poll(self, conversation: str, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        """One long-poll."""
        params = {"conversation": conversation, "after": str(after), "wait": str(wait)}
        async with self.http.get(self.site.api + "/messages", params=params) as response:
            assert response.status == 200, await response.text()
            messages: list[dict[str, Any]] = (await response.json())["messages"]
            return messages

    @asynccontextmanager
    async def socket(
        self, conversation: str | None = None, after: int = 0, **more: object
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A socket that has said hello."""
        async with self.http.ws_connect(self.site.api + "/ws", origin=self.site.url) as line:
            await line.send_json({"t": "hello", "conversation": conversation, "after": after, **more})
            yield line


async def frames(line: aiohttp.ClientWebSocketResponse, last: str, limit: int = 500) -> list[dict[str, Any]]:
    """Frames up to and with the first of a kind."""
    got: list[dict[str, Any]] = []
    for _ in range(limit):
        got.append(await line.receive_json(timeout=5))
        if got[-1]["t"] == last:
            return got
    raise AssertionError(f"no {last} in {limit} frames")


@asynccontextmanager
async def served(home: Path, script: Script | None = None, **settings: Any) -> AsyncIterator[Client]:
    """A server, from start to stop."""
    site = Site(home, FakeGateway(script), **settings)
    await site.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Client(site, http)
    finally:
        await site.stop()
