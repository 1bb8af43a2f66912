"""The web channel passes the suite for every channel, over plain HTTP and over its socket, on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.channel import Channel
from bot.rendering import parse, plain
from bot.testing.channel_contract import ChannelContract
from bot.testing.channel_kit import Core, Wire
from channels.web import WebChannel, WebSettings
from tests.servers import free_port

CONVERSATION = "0123456789abcdef" * 2


class WebWire(Wire):
    """A page that says things over plain HTTP, and keeps a socket open to look at what is fleeting."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self._frames: list[dict[str, Any]] = []
        self._pressed = 0

    async def build(self) -> Channel:
        return WebChannel(WebSettings(port=self._port), self._folder)

    async def connect(self, channel: Channel, core: Core) -> None:
        app = web.Application()
        app.add_routes(channel.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._http = aiohttp.ClientSession()
        self._line = await self._http.ws_connect(f"{self._url}/channels/web/ws", origin=self._url)
        await self._line.send_json({"t": "hello", "conversation": CONVERSATION})
        self._reader = asyncio.create_task(self._read())
        async with asyncio.timeout(5):
            while not any(frame["t"] == "caught_up" for frame in self._frames):  # noqa: ASYNC110 - a socket's own time
                await asyncio.sleep(0.005)

    async def disconnect(self) -> None:
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader
        await self._line.close()
        await self._http.close()
        await self._runner.cleanup()

    async def write(self, text: str, event: str) -> bool:
        return await self._say({"text": text, "client_id": event})

    async def press(self, label: str) -> bool:
        (token,) = [c["token"] for row in await self._rows() for c in row["choices"] if c["label"] == label]
        self._pressed += 1
        return await self._say({"press": token, "label": label, "client_id": f"press-{self._pressed:08d}"})

    async def sees(self) -> str:
        return "\n".join(_looks(row) for row in await self._rows())

    async def bold(self) -> str:
        spans = [s for row in await self._rows() for block in parse(row["text"]).blocks for s in block.spans]
        return " ".join(span.text for span in spans if span.bold)

    async def files(self) -> str:
        return " ".join(media["url"] for row in await self._rows() for media in row["media"])

    async def cards(self) -> str:
        return " ".join(row["card"]["title"] for row in await self._rows() if row["card"])

    async def sees_typing(self) -> bool:
        return bool(([frame["on"] for frame in self._frames if frame["t"] == "typing"] or [False])[-1])

    async def sees_draft(self) -> str:
        return str(([frame["text"] for frame in self._frames if frame["t"] == "draft"] or [""])[-1])

    async def _say(self, body: Mapping[str, str]) -> bool:
        data = json.dumps({**body, "conversation": CONVERSATION})
        async with self._http.post(f"{self._url}/channels/web/messages", data=data) as response:
            assert response.status < 500 or response.status == 503, await response.text()
            return response.status == 202

    async def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            params = {"conversation": CONVERSATION, "after": str(rows[-1]["seq"] if rows else 0)}
            async with self._http.get(f"{self._url}/channels/web/messages", params=params) as response:
                assert response.status == 200, await response.text()
                page = (await response.json())["messages"]
            if not page:
                gone = {row["takes_back"] for row in rows}
                return [r for r in rows if r["from"] != "user" and not r["takes_back"] and r["seq"] not in gone]
            rows += page

    async def _read(self) -> None:
        async for message in self._line:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._frames.append(json.loads(message.data))


class SocketWire(WebWire):
    """The same page, saying things over its socket, as the widget does."""

    async def _say(self, body: Mapping[str, str]) -> bool:
        if self._line.closed:
            return False
        seen = len(self._frames)
        try:
            await self._line.send_str(json.dumps({"t": "press" if "press" in body else "say", **body}))
        except ConnectionError:
            return False
        async with asyncio.timeout(5):
            while not self._reader.done():
                for frame in self._frames[seen:]:
                    if frame["t"] in ("ack", "error") and frame["client_id"] == body["client_id"]:
                        return bool(frame["t"] == "ack")
                await asyncio.sleep(0.005)
        return False


def _looks(row: Mapping[str, Any]) -> str:
    """A row as the page draws it."""
    card = row["card"] or {}
    fields = [f"{field['name']}: {field['value']}" for field in card.get("fields", ())]
    return "\n".join(
        [
            plain(parse(row["text"])),
            card.get("title", ""),
            plain(parse(card.get("text", ""))),
            *fields,
            *(media.get("alt") or media["name"] for media in row["media"]),
            *(choice["label"] for choice in row["choices"]),
        ]
    )


class TestWebOverHttp(ChannelContract):
    """As curl would."""

    title = "web"

    def make(self, folder: Path) -> Wire:
        return WebWire(folder)


class TestWebOverTheSocket(ChannelContract):
    """As the widget does."""

    title = "web"

    def make(self, folder: Path) -> Wire:
        return SocketWire(folder)
