"""What the tools' tests stand on: the real bot with its engines and server, a token, and a model of our own making.

`FakeLlm` is a fake: it proves what becomes of a model's answers and failures, and nothing about models.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec
from pydantic import BaseModel

from bot.app import App
from bot.clock import Clock, SystemClock
from bot.errors import NoAnswer
from bot.ports import Answer, Ask, Chunk, Llm, Payer
from bot.ports.engine import Finding
from bot.ports.moods import Mood, MoodReader, Remark
from bot.ports.pronunciation import PronunciationChecker
from bot.settings import Settings
from bot.tools.usage import UsageLine, UsageQuery

M = TypeVar("M", bound=BaseModel)

ENGINES = tuple(
    f"adapters.{name}"
    for name in ("grammar", "images", "knowledge", "languages", "moods", "profiles", "pronunciation", "summaries")
)
LIGHT = ("adapters.knowledge", "adapters.profiles", "adapters.summaries")
"""Engines that need no package."""


class FakeLlm(Llm):
    """Answers with what it was given, as JSON would; or not at all."""

    def __init__(self, *answers: dict[str, Any], there: bool = True, offline: bool = False) -> None:
        self.answers, self._there, self._offline = list(answers), there, offline
        self.asked: list[Ask] = []

    async def complete(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        if not self.answers:
            raise NoAnswer("all providers are down", sentence="Nobody can answer right now.")
        text = msgspec.json.encode(self.answers.pop(0)).decode()
        return Answer(text=text, provider="fake", model="m", rung="offline" if self._offline else "model")

    def stream(self, ask: Ask) -> AsyncGenerator[Chunk, None]:
        raise NotImplementedError

    async def into(self, ask: Ask, shape: type[M]) -> M:
        raise NotImplementedError

    async def embed(self, texts: Sequence[str], payer: Payer = Payer()) -> list[list[float]]:  # noqa: B008 - frozen
        raise NotImplementedError

    @property
    def there(self) -> bool:
        return self._there


class SlowMood(MoodReader):
    """An engine that does what the test wants, and counts."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.calls, self._act = 0, act

    async def find(self, asked: Remark) -> Finding[Mood]:
        self.calls += 1
        await self._act()
        return Finding(
            result=Mood(mood="neutral", valence=0, positive=0, neutral=1, negative=0), confidence=0.5, by="test"
        )


class Desk:
    """A running bot with a token, and a client that has it."""

    def __init__(self, app: App, token: str, secret: str, client: aiohttp.ClientSession) -> None:
        self.app, self.token, self.secret, self.client = app, token, secret, client

    async def call(
        self, tool: str, arguments: dict[str, Any], *, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        """Post a call; its status and body."""
        body = {"tool_name": tool, "arguments": arguments, **more}
        async with self.client.post("/api/v1/tools/execute", json=body, headers=headers) as response:
            return response.status, await response.json()

    async def usage(self, limit: int = 100) -> Sequence[UsageLine]:
        """The usage log, newest first."""
        return await self.app.tools.usage.read(UsageQuery(limit=limit))


@asynccontextmanager
async def desk(
    home: Path,
    *,
    engines: Sequence[str] = LIGHT,
    options: dict[str, str] | None = None,
    llm: Llm | None = None,
    mood: MoodReader | None = None,
    clock: Clock | None = None,
    folders: Sequence[Path] = (),
    pronunciation: PronunciationChecker | None = None,
) -> AsyncIterator[Desk]:
    """The bot, serving on a free port."""
    given = {"server.home": str(home), "server.port": "0", "tools.rate": "10000", **(options or {})}
    app = App.build(
        Settings.load(options=given),
        builtins=[*engines, "channels.web"],
        entry_points=False,
        folders=folders,
        clock=clock or SystemClock(),
    )
    if llm is not None:
        app.services.add(Llm, llm)
    if mood is not None:
        app.services.add(MoodReader, mood)
    if pronunciation is not None:
        app.services.add(PronunciationChecker, pronunciation)
    await app.start()
    try:
        made = await app.tools.commands()["tool-token"]("tester")
        token, secret = (line.split()[-1] for line in made.splitlines()[:2])
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(app.url, headers=headers) as client:
            yield Desk(app, token, secret, client)
    finally:
        await app.stop()


def stored(home: Path) -> bytes:
    """All that is in the store's files."""
    return b"".join(path.read_bytes() for path in home.rglob("frontdesk.db*"))


async def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait until it holds; what it found."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.01)
