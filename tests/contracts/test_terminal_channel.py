"""The terminal passes the suite for every channel, whichever channel it rehearses."""

from __future__ import annotations

import asyncio
import io
import os
import re
from pathlib import Path

import pytest

from bot.channel import Channel
from bot.testing.channel_contract import ChannelContract
from bot.testing.channel_kit import Core, Wire
from channels.terminal import Pace, TerminalChannel, profile
from channels.web import WebChannel

STYLE = re.compile(r"\x1b\[[0-9;]*m")
BOLD = re.compile(r"\x1b\[(?:\d+;)*1(?:;\d+)*m(.*?)\x1b\[0m")
PROMPT = "sam> "


class Glass(io.StringIO):
    """A screen that somebody looks at."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """What is on it: a line that was cleared is gone."""
        whole = []
        for line in self.getvalue().split("\n"):
            whole.append(line.rpartition("\r\x1b[K")[2])
        return "\n".join(whole)


class TerminalWire(Wire):
    """Sam, at a keyboard. What is typed comes once, so there is no redelivery."""

    redelivers = False

    def __init__(self, rehearse: str) -> None:
        self._rehearse = rehearse
        self._glass = Glass()
        reader, self._keyboard = os.pipe()
        self._stdin = os.fdopen(reader)

    async def build(self) -> Channel:
        quick = Pace(quiet=0.01, longest=0.05, between=0.01, patience=0.05)
        return TerminalChannel(profile(self._rehearse), person="sam", stdin=self._stdin, stdout=self._glass, pace=quick)

    async def connect(self, channel: Channel, core: Core) -> None:
        assert isinstance(channel, TerminalChannel)
        before = self._prompts()
        self._running = asyncio.create_task(channel.run(core))
        await self._prompted(before)

    async def disconnect(self) -> None:
        async with asyncio.timeout(5):
            await self._running

    async def close(self) -> None:
        self._stdin.close()
        os.close(self._keyboard)

    async def write(self, text: str, event: str) -> bool:
        if self._running.done():
            return False
        before, prompts = len(self._glass.getvalue()), self._prompts()
        line = " ".join(text.encode("utf-8", "replace").decode().splitlines())
        await asyncio.to_thread(os.write, self._keyboard, line.encode() + b"\n")
        return await self._prompted(prompts) and "not stored" not in self._glass.getvalue()[before:]

    async def press(self, label: str) -> bool:
        last = self._plain().rpartition("bot: ")[2]
        number = re.search(rf"\[ (\d+) {re.escape(label)} \]", last)
        assert number, f"no button {label!r} in {last!r}"
        return await self.write(number[1], "")

    async def sees(self) -> str:
        return self._plain()

    async def bold(self) -> str:
        return " ".join(BOLD.findall(self._glass.shown()))

    async def files(self) -> str:
        return " ".join(line for line in self._plain().splitlines() if "[file] " in line)

    async def cards(self) -> str:
        return " ".join(line for line in self._plain().splitlines() if "┃ " in line)

    async def sees_typing(self) -> bool:
        return "is typing" in self._status()

    async def sees_draft(self) -> str:
        return self._status()

    async def break_off(self) -> bool:
        self._glass.close()
        return True

    def _status(self) -> str:
        return self._plain().rpartition("\n")[2].removesuffix(PROMPT).strip()

    def _plain(self) -> str:
        return STYLE.sub("", self._glass.shown())

    def _prompts(self) -> int:
        return STYLE.sub("", self._glass.getvalue()).count(PROMPT)

    async def _prompted(self, before: int) -> bool:
        """Wait for the next prompt: the line before it was taken. False when nobody reads any more."""
        async with asyncio.timeout(5):
            while self._prompts() <= before:
                if self._running.done():
                    return False
                await asyncio.sleep(0.002)
        return True


class TerminalContract(ChannelContract):
    """On a terminal that shows colours."""

    rehearse = ""

    @pytest.fixture(autouse=True)
    def _colours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.delenv("NO_COLOR", raising=False)

    def make(self, folder: Path) -> Wire:
        return TerminalWire(self.rehearse)


class TestTerminalAsWeb(TerminalContract):
    """`python run.py chat`."""

    rehearse, title = "web", "terminal as web"


class TestTerminalAsSms(TerminalContract):
    """`python run.py chat --channel sms`."""

    rehearse, title = "sms", "terminal as sms"


class TestTerminalAsTelegram(TerminalContract):
    """`python run.py chat --channel telegram`."""

    rehearse, title = "telegram", "terminal as telegram"


class TestTerminalAsSlack(TerminalContract):
    """`python run.py chat --channel slack`."""

    rehearse, title = "slack", "terminal as slack"


def test_the_rehearsal_of_the_web_is_like_the_web() -> None:
    """Whoever rehearses sees a list where the web shows a list, and buttons where it shows buttons."""
    rehearsed, real = profile("web").capabilities, WebChannel.capabilities
    for name in ("max_text", "buttons", "markdown", "cards", "media"):
        assert getattr(rehearsed, name) == getattr(real, name), name
