"""Pushes what changed to the open pages of agents. Knows no tickets: it carries finished frames.

A frame may be missed (a closed laptop, a slow page): the page then reads everything again when it reconnects.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

BACKLOG = 200
HEARTBEAT = 20.0


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


class Live:
    """All open pages."""

    def __init__(self) -> None:
        self._pages: set[_Page] = set()

    def push(self, frame: object) -> None:
        """Send a frame to every page."""
        text = msgspec.json.encode(frame).decode()
        for page in self._pages:
            page.put(text)

    async def serve(self, request: web.Request, session: str) -> web.WebSocketResponse:
        """Keep a page up to date until it leaves."""
        page = _Page(session)
        await page.socket.prepare(request)
        self._pages.add(page)
        pump = asyncio.create_task(page.pump(), name="console-page")
        page.put('{"type":"hello"}')
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

    def drop(self, session: str = "") -> None:
        """Close the pages of a session, or all of them."""
        for page in self._pages:
            if not session or page.session == session:
                page.put(None)
