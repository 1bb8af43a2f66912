"""Pushes what changed to the open pages of agents. Knows no tickets: it carries finished frames.

A frame may be missed (a closed laptop, a slow page): the page then reads everything again when it reconnects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from bot import DeskGateway

BACKLOG = 200
HEARTBEAT = 20.0
TOPIC = "console"
HELLO = '{"type":"hello"}'


class _Page:
    """One open page: frames wait here until its socket takes them."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=1024)
        self.frames: asyncio.Queue[str | None] = asyncio.Queue(BACKLOG)

    def put(self, frame: str | None) -> None:
        """Queue a frame; a page that is too slow is cut off, so that it reads everything again."""
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            while not self.frames.empty():
                self.frames.get_nowait()
            self.frames.put_nowait(None)

    async def pump(self) -> None:
        """Send until told to end."""
        with suppress(ConnectionError):
            while (frame := await self.frames.get()) is not None:
                await self.socket.send_str(frame)
            await self.socket.close(code=WSCloseCode.TRY_AGAIN_LATER)


class _News(msgspec.Struct, frozen=True):
    """What is told to all processes: a frame for every page, or a session whose pages are closed."""

    frame: str = ""
    dropped: str = ""


class Live:
    """All open pages: those of this process, and by way of the gateway those of the others."""

    def __init__(self) -> None:
        self._pages: set[_Page] = set()
        self._publish: Callable[[bytes], None] = self._heard
        self._deafen: Callable[[], None] = lambda: None

    def connect(self, gateway: DeskGateway) -> None:
        """From now on other processes hear what is pushed here, and the other way round."""
        self._publish = lambda body: gateway.publish(TOPIC, body)
        self._deafen = gateway.subscribe(TOPIC, self._heard)

    def push(self, frame: object) -> None:
        """Send a frame to every page."""
        self._publish(msgspec.json.encode(_News(frame=msgspec.json.encode(frame).decode())))

    def sign_out(self, session: str) -> None:
        """Close the pages of a session."""
        self._publish(msgspec.json.encode(_News(dropped=session)))

    def _heard(self, body: bytes) -> None:
        """News; none means that some was missed, and pages read everything again when they are greeted."""
        news = msgspec.json.decode(body, type=_News) if body else _News(frame=HELLO)
        for page in self._pages:
            if news.dropped == page.session:
                page.put(None)
            elif news.frame:
                page.put(news.frame)

    async def serve(self, request: web.Request, session: str) -> web.WebSocketResponse:
        """Keep a page up to date until it leaves."""
        page = _Page(session)
        await page.socket.prepare(request)
        self._pages.add(page)
        pump = asyncio.create_task(page.pump(), name="console-page")
        page.put(HELLO)
        try:
            async for message in page.socket:
                # Pages only listen; a page that says "?" wants to know that the line is alive.
                if message.type is WSMsgType.TEXT and message.data == "?":
                    page.put('{"type":"alive"}')
        finally:
            self._pages.discard(page)
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
        return page.socket

    def drop(self) -> None:
        """Close all pages of this process; they come back to whichever runs."""
        self._deafen()
        for page in self._pages:
            page.put(None)
