"""The console passes the suite for every desk: on a real database, over real HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.clock import SystemEntropy
from bot.desk import Desk, Ref
from bot.store.sqlite import SqliteStore
from bot.testing.desk_contract import DeskContract
from bot.testing.desk_kit import DeskCore, Office
from handoff.console import ConsoleDesk, ConsoleSettings
from tests.handoff.console.support import Breakable, HandClock
from tests.servers import free_port


class ConsoleOffice(Office):
    """Ana, in a browser."""

    def __init__(self, folder: Path) -> None:
        self._file, self._port = folder / "console.db", free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self._numbers = itertools.count(10_000_000)
        self._frames: list[dict[str, Any]] = []

    async def build(self) -> Desk:
        self._store = SqliteStore(self._file)
        await self._store.start()
        self._database = Breakable(self._store)
        self._desk = ConsoleDesk(ConsoleSettings(), self._database, HandClock(), SystemEntropy())
        return self._desk

    async def connect(self, desk: Desk, core: DeskCore) -> None:
        app = web.Application()
        app.add_routes(desk.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        cookies = aiohttp.CookieJar(unsafe=True)
        self._http = aiohttp.ClientSession(cookie_jar=cookies, headers={"Origin": self._url})
        token = (await self._desk.sign_in_link(self._url)).partition("token=")[2]
        async with self._http.post(f"{self._url}/console/sign-in", data={"token": token, "name": "Ana"}) as response:
            assert response.status == 200, await response.text()
        self._line = await self._http.ws_connect(f"{self._url}/console/events")
        self._reader = asyncio.create_task(self._read())

    async def disconnect(self) -> None:
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader
        await self._line.close()
        await self._http.close()
        await self._runner.cleanup()
        await self._store.stop()

    async def says(self, ref: Ref, text: str) -> bool:
        ticket = (await self._thread(ref))["ticket"]
        if ticket["state"] == "waiting":
            assert await self._does(ref, "take", {})
        body = {"text": text, "client_id": self._id(), "seen": 0, "anyway": True}
        return await self._does(ref, "reply", body)

    async def notes(self, ref: Ref, text: str) -> None:
        assert await self._does(ref, "note", {"text": text, "client_id": self._id()})

    async def closes(self, ref: Ref) -> None:
        assert await self._does(ref, "give-back", {})

    async def shows(self, ref: Ref) -> list[str]:
        thread = await self._thread(ref)
        parts = [thread["ticket"], *thread["lines"], *thread["pending"], *thread["notes"]]
        return [part.get("summary") or part["text"] for part in parts]

    async def tickets(self) -> int:
        return len(await self._queue("open")) + len(await self._queue("closed"))

    async def is_open(self, ref: Ref) -> bool:
        return bool((await self._thread(ref))["ticket"]["state"] != "closed")

    async def sees_typing(self, ref: Ref) -> bool:
        shown = [frame["on"] for frame in self._frames if frame["type"] == "typing" and str(frame["ticket"]) == ref.id]
        return bool(shown and shown[-1])

    async def break_off(self) -> bool:
        self._database.down = True
        return True

    async def mend(self) -> None:
        self._database.down = False

    def _id(self) -> str:
        return f"client-{next(self._numbers)}"

    async def _does(self, ref: Ref, action: str, body: Mapping[str, object]) -> bool:
        async with self._http.post(f"{self._url}/console/api/tickets/{ref.id}/{action}", json=body) as response:
            assert response.status in (200, 422), await response.text()
            return response.status == 200

    async def _thread(self, ref: Ref) -> dict[str, Any]:
        async with self._http.get(f"{self._url}/console/api/tickets/{ref.id}?after=0") as response:
            assert response.status == 200, await response.text()
            thread: dict[str, Any] = await response.json()
            return thread

    async def _queue(self, view: str) -> list[dict[str, Any]]:
        async with self._http.get(f"{self._url}/console/api/queue?view={view}") as response:
            tickets: list[dict[str, Any]] = (await response.json())["tickets"]
            return tickets

    async def _read(self) -> None:
        async for message in self._line:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._frames.append(json.loads(message.data))


class TestConsole(DeskContract):
    """The built-in desk."""

    title = "console"

    def make(self, folder: Path) -> Office:
        return ConsoleOffice(folder)
