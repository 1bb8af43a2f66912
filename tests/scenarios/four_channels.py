"""The same skill on four channels at once, and the four transcripts side by side:

    python -m tests.scenarios.four_channels > docs/transcripts.md

One whole bot serves the web widget's protocol, Slack, Telegram and SMS; the platforms are the strict ones of
tests/platforms/, and what is written down is what they show to a person.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import App
from bot.operations import log
from bot.rendering import parse, plain
from bot.settings import LogSettings, Settings
from tests.platforms import slack, telegram, twilio
from tests.platforms.slack_rules import draw
from tests.servers import free_port

SKILL = Path(__file__).with_name("lamps.py")
VISITOR = "0123456789abcdef" * 2

HEAD = """# The same skill on four channels

Made by `python -m tests.scenarios.four_channels > docs/transcripts.md`, and compared by a test; don't edit it. One bot,
one skill file (`tests/scenarios/lamps.py`), four platforms that enforce their rules (`tests/platforms/`). ▸ is what the
person does, [ ] is a button.

"""


class Seat(ABC):
    """One person on one platform."""

    title: str

    async def start(self) -> None:  # noqa: B027 - the web needs nothing
        """Listen."""

    async def stop(self) -> None:  # noqa: B027
        """Be gone."""

    @abstractmethod
    def options(self) -> dict[str, str]:
        """What the bot has to be told."""

    @abstractmethod
    async def write(self, text: str) -> None:
        """Type."""

    async def choose(self, number: int, label: str) -> str:
        """Choose; what was done, in words."""
        await self.press(label)
        return f"presses [{label}]"

    async def press(self, label: str) -> None:
        """Press a button, where there are buttons."""
        raise AssertionError(label)

    async def fill_in(self, values: dict[str, str]) -> list[tuple[str, str]] | None:
        """Fill in a form; None where the questions come one by one."""
        return None

    @abstractmethod
    async def shown(self) -> list[str]:
        """All that the bot has shown, one entry for each message."""


class WebSeat(Seat):
    """Over plain HTTP, as the widget would."""

    title = "Web widget"

    def __init__(self, url: str) -> None:
        self._url, self._said = f"{url}/channels/web/messages", 0

    def options(self) -> dict[str, str]:
        return {}

    async def _post(self, **body: str) -> None:
        self._said += 1
        body |= {"conversation": VISITOR, "client_id": f"transcript-{self._said:08d}"}
        async with aiohttp.ClientSession() as http, http.post(self._url, json=body) as answer:
            assert answer.status == 202, await answer.text()

    async def write(self, text: str) -> None:
        await self._post(text=text)

    async def press(self, label: str) -> None:
        choices = [choice for row in await self._rows() for choice in row["choices"]]
        await self._post(press=[choice["token"] for choice in choices if choice["label"] == label][-1], label=label)

    async def _rows(self) -> list[dict[str, Any]]:
        params = {"conversation": VISITOR, "after": "0"}
        async with aiohttp.ClientSession() as http, http.get(self._url, params=params) as answer:
            return [row for row in (await answer.json())["messages"] if row["from"] != "user"]

    async def shown(self) -> list[str]:
        return [_on_a_page(row) for row in await self._rows()]


def _on_a_page(row: dict[str, Any]) -> str:
    lines = [plain(parse(row["text"]))] if row["text"] else []
    if card := row["card"]:
        lines += [card["title"], plain(parse(card["text"]))]
        lines += [f"{field['name']}: {field['value']}" for field in card["fields"]]
    return "\n".join(lines + [f"[ {choice['label']} ]" for choice in row["choices"]])


class SlackSeat(Seat):
    """A direct message."""

    title = "Slack"

    def __init__(self, url: str) -> None:
        self._server = slack.SlackServer()
        self._server.events = f"{url}/channels/slack"

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def options(self) -> dict[str, str]:
        return {
            "slack.bot_token": slack.TOKEN,
            "slack.signing_secret": slack.SECRET,
            "slack.api_url": self._server.api,
            "slack.files_url": self._server.files_url,
            "slack.assistant": "no",
        }

    async def write(self, text: str) -> None:
        assert await self._server.deliver(self._server.event(self._server.written(text)))

    async def press(self, label: str) -> None:
        assert await self._server.interact(self._server.press(label))

    async def fill_in(self, values: dict[str, str]) -> list[tuple[str, str]] | None:
        await self.press("Fill in")
        async with asyncio.timeout(5):
            while not self._server.views:  # noqa: ASYNC110 - a server's own time
                await asyncio.sleep(0.01)
        view = self._server.views[-1]
        inputs = {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}
        asked = "\n".join(f"{block['label']['text']}: ____" for block in inputs.values())
        given = {
            name: {block["element"]["action_id"]: {"type": block["element"]["type"], "value": value}}
            for (name, block), value in zip(inputs.items(), values.values(), strict=True)
        }
        submitted = self._server.submit(view, {})
        submitted["view"]["state"] = {"values": given}
        assert await self._server.interact(submitted)
        return [("presses [Fill in]", f"A dialog opens:\n{asked}"), ("sends: " + ", ".join(values.values()), "")]

    async def shown(self) -> list[str]:
        return [_in_slack(message) for message in self._server.shown()]


def _in_slack(message: dict[str, Any]) -> str:
    lines = []
    for block in message.get("blocks", []):
        drawn = draw(block)
        lines += [f"[ {label} ]" for label in drawn.splitlines()] if block["type"] == "actions" else [drawn]
    return "\n".join(lines)


class TelegramSeat(Seat):
    """A private chat, by long polling."""

    title = "Telegram"

    def __init__(self, url: str) -> None:
        self._server = telegram.TelegramServer()

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()
        assert self._server.problems == []

    def options(self) -> dict[str, str]:
        return {
            "telegram.bot_token": telegram.TOKEN,
            "telegram.api_url": self._server.url,
            "telegram.poll_timeout": "1",
        }

    async def write(self, text: str) -> None:
        assert await self._server.deliver(self._server.update(message=self._server.message(text)))

    async def press(self, label: str) -> None:
        assert await self._server.deliver(self._server.press(label))

    async def shown(self) -> list[str]:
        return [_in_telegram(one.message) for one in self._server.shown[5001]]


def _in_telegram(message: dict[str, Any]) -> str:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return "\n".join([telegram.words(message), *(f"[ {button['text']} ]" for row in rows for button in row)])


class SmsSeat(Seat):
    """A telephone."""

    title = "SMS"

    def __init__(self, url: str) -> None:
        self._server = twilio.Twilio(webhook=f"{url}/channels/sms")

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.close()
        assert self._server.problems == []

    def options(self) -> dict[str, str]:
        return {
            "sms.account_sid": self._server.sid,
            "sms.auth_token": self._server.token,
            "sms.sender": twilio.OURS,
            "sms.api_url": self._server.url,
        }

    async def write(self, text: str) -> None:
        assert (await self._server.text(text)).status == 200

    async def choose(self, number: int, label: str) -> str:
        await self.write(str(number))
        return f"“{number}”"

    async def shown(self) -> list[str]:
        return self._server.shown()


class Transcript:
    """What one person does and reads."""

    def __init__(self, seat: Seat, app: App) -> None:
        self._seat, self._app = seat, app
        self._read = 0
        self.steps: list[list[str]] = []

    async def act(self) -> None:
        """Everything, in order."""
        await self._writes("I need a lamp")
        did = await self._seat.choose(2, "Desk lamp")
        await self._reads(did)
        address = {"street": "12 Quay Street", "city": "Galway"}
        filled = await self._seat.fill_in(address)
        if filled is None:
            for answer in address.values():
                await self._writes(answer)
        else:
            (opens, dialog), (sends, _) = filled
            self._note(opens, [dialog])
            await self._reads(sends)
        did = await self._seat.choose(2, "Talk to a person")
        await self._reads(did)

    async def _writes(self, text: str) -> None:
        await self._seat.write(text)
        await self._reads(f"“{text}”")

    async def _reads(self, did: str) -> None:
        """Wait until the bot has said all that it has to say."""
        quiet = 0
        seen = await self._seat.shown()
        async with asyncio.timeout(30):
            while quiet < 8 or len(seen) == self._read:
                await asyncio.sleep(0.05)
                now = await self._seat.shown()
                quiet = quiet + 1 if now == seen and not self._app.busy else 0
                seen = now
        self._note(did, seen[self._read :])
        self._read = len(seen)

    def _note(self, did: str, messages: list[str]) -> None:
        self.steps.append([f"▸ {did}", *messages])


async def transcripts(home: Path) -> list[tuple[str, list[list[str]]]]:
    """Run all four at once."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    seats: list[Seat] = [WebSeat(url), SlackSeat(url), TelegramSeat(url), SmsSeat(url)]
    for seat in seats:
        await seat.start()
    options = {"server.home": str(home), "server.port": str(port), "server.public_url": url}
    settings = Settings.load(options=options | {key: value for seat in seats for key, value in seat.options().items()})
    channels = ["channels.web", "channels.slack", "channels.telegram", "channels.sms"]
    app = App.build(settings, builtins=[*channels, "handoff.console", "tests.scenarios.lamps"], entry_points=False)
    await app.start()
    try:
        made = [Transcript(seat, app) for seat in seats]
        for one in made:
            await one.act()
        return [(seat.title, one.steps) for seat, one in zip(seats, made, strict=True)]
    finally:
        await app.stop()
        for seat in seats:
            await seat.stop()


def page(found: list[tuple[str, list[list[str]]]]) -> str:
    """The document: a column for each channel, a row for each thing that the person does."""
    rows = max(len(steps) for _, steps in found)
    lines = ["| " + " | ".join(title for title, _ in found) + " |", "|" + "---|" * len(found)]
    for number in range(rows):
        cells = [steps[number] if number < len(steps) else [] for _, steps in found]
        lines.append("| " + " | ".join("<br><br>".join(map(_cell, cell)) for cell in cells) + " |")
    return HEAD + "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    safe = text.strip().replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
    return "<br>".join(line for line in safe.splitlines() if line.strip())


def main() -> None:
    """Print the page."""
    log.configure(LogSettings(level="error"), ())
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as home:
        sys.stdout.write(page(asyncio.run(transcripts(Path(home)))))


if __name__ == "__main__":
    main()
