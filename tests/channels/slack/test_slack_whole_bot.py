"""The whole bot behind the Slack channel: buttons, forms, files, streams, storms, and everything delivered twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.app import App
from bot.settings import Settings
from channels.slack import channel
from tests.platforms.slack import APP_TOKEN, BOT, DM, SECRET, TOKEN, SlackServer
from tests.platforms.slack_rules import seen
from tests.servers import free_port

CHANNEL = "C0GENERAL"

SKILL = """
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from bot import Skill, Turn

skill = Skill("clerk", "Answers on Slack.")


@dataclass
class Refund:
    order: str
    reason: str


@skill.command("/track")
async def track(turn: Turn) -> None:
    "Find an order"
    await turn.say("Tracking.")


@skill.pattern(r"echo (.+)")
async def echo(turn: Turn) -> None:
    await turn.say(turn.text)


@skill.intent("what is there to drink")
async def drink(turn: Turn) -> None:
    choice = await turn.ask("What will it be?", choices=["Tea", "Coffee"])
    await turn.say(f"Here is your {choice}.")


@dataclass
class Table:
    seats: Annotated[int, Meta(ge=1, le=8)]
    name: str = "Ana"

    def __post_init__(self) -> None:
        if self.name == "Nobody":
            raise ValueError("Nobody has no table.")


@skill.pattern(r"book")
async def book(turn: Turn) -> None:
    table = await turn.ask("For whom?", form=Table)
    await turn.say(f"A table for {table.seats}, {table.name}.")


@skill.pattern(r"refund")
async def refund(turn: Turn) -> None:
    asked = await turn.ask("What about?", form=Refund)
    await turn.say(f"Refund of {asked.order}: {asked.reason}")


@skill.pattern(r"look at this")
async def look(turn: Turn) -> None:
    await turn.say("I see " + turn.message.media[0].url)
"""


class Bot:
    """A bot, and the Slack that it talks to."""

    def __init__(self, home: Path, *, sockets: bool) -> None:
        self.slack, self.port, self._sockets = SlackServer(), free_port(), sockets
        self.slack.events = f"http://127.0.0.1:{self.port}/channels/slack"
        self.slack.chat(DM)
        self.slack.chat(CHANNEL)
        way = {"slack.app_token": APP_TOKEN} if sockets else {"slack.signing_secret": SECRET}
        chosen = {
            "server.home": str(home / "var"),
            "server.port": str(self.port),
            "server.host": "127.0.0.1",
            "server.public_url": "https://bot.example",
            "slack.bot_token": TOKEN,
            "slack.api_url": self.slack.api,
            "slack.files_url": self.slack.files_url,
        }
        self._settings = Settings.load(options=chosen | way)
        self._folder = home / "skills"

    def build(self) -> App:
        self._folder.mkdir(exist_ok=True)
        (self._folder / "clerk.py").write_text(SKILL)
        return App.build(self._settings, builtins=["channels.slack"], folders=[self._folder], entry_points=False)

    async def deliver(self, payload: dict[str, object]) -> bool:
        interactive = payload["type"] in ("block_actions", "view_submission")
        if self._sockets:
            return await self.slack.send_envelope("interactive" if interactive else "events_api", payload)
        return await (self.slack.interact(payload) if interactive else self.slack.deliver(payload))

    async def asks(self, text: str, expected: str) -> None:
        assert await self.deliver(self.slack.event(self.slack.written(text)))
        await until(lambda: expected in self.slack.text())


@asynccontextmanager
async def whole(home: Path, *, sockets: bool = False) -> AsyncIterator[Bot]:
    """A running bot with one skill."""
    bot = Bot(home, sockets=sockets)
    app = await asyncio.to_thread(bot.build)
    await bot.slack.start()
    await app.start()
    try:
        await until(lambda: len(bot.slack.sockets) == 2 * sockets)
        yield bot
    finally:
        await app.stop()
        await bot.slack.stop()


async def until(true: Callable[[], bool], patience: float = 20.0) -> None:
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110 - the server's own time
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("sockets", [False, True])
async def test_a_question_is_answered_by_its_button(tmp_path: Path, *, sockets: bool) -> None:
    async with whole(tmp_path, sockets=sockets) as bot:
        await bot.asks("what is there to drink?", "What will it be?\nTea\nCoffee")
        assert await bot.deliver(bot.slack.press("Coffee"))
        await until(lambda: "Here is your Coffee." in bot.slack.text())


@pytest.mark.parametrize("sockets", [False, True])
async def test_a_form_of_a_skill_is_a_modal(tmp_path: Path, *, sockets: bool) -> None:
    async with whole(tmp_path, sockets=sockets) as bot:
        await bot.asks("refund", "What about?")
        opener = bot.slack.shown()[-1]["blocks"][-1]["elements"][0]["text"]["text"]
        assert await bot.deliver(bot.slack.press(opener))
        await until(lambda: bool(bot.slack.views))
        assert await bot.deliver(bot.slack.filled(bot.slack.views[0], {"order": "42", "reason": "too <late>"}))
        await until(lambda: "Refund of 42: too <late>" in bot.slack.text())


@pytest.mark.parametrize("sockets", [False, True])
async def test_a_modal_with_something_wrong_stays_open_and_says_what(tmp_path: Path, *, sockets: bool) -> None:
    async with whole(tmp_path, sockets=sockets) as bot:
        await bot.asks("book", "For whom?")
        assert await bot.deliver(bot.slack.press("Fill in"))
        await until(lambda: bool(bot.slack.views))
        (view,) = bot.slack.views
        seats, name = (block["element"] for block in view["blocks"])
        assert (seats["type"], seats["is_decimal_allowed"], seats["max_value"]) == ("number_input", False, "8")
        assert (name["type"], name["initial_value"]) == ("plain_text_input", "Ana")
        for given, errors in (
            ({"seats": "9"}, {"seats": "It should be at most 8."}),
            ({"seats": "2.5"}, {"seats": "I need a whole number, such as 3."}),
            ({"seats": "2", "name": "Nobody"}, {"name": "Nobody has no table."}),
        ):
            assert await bot.deliver(bot.slack.filled(view, given))
            assert bot.slack.answers.pop() == {"response_action": "errors", "errors": errors}
        assert await bot.deliver(bot.slack.filled(view, {"seats": "2", "name": "Bea"}))
        assert bot.slack.answers == [{"response_action": "clear"}]
        await until(lambda: "A table for 2, Bea." in bot.slack.text())
        assert len(bot.slack.shown()) == 2


async def test_a_storm_of_refusals_and_broken_lines_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "SEND_SECONDS", 2.0)  # what is uncertain is looked up after this time
    async with whole(tmp_path) as bot:
        chats = [f"D{number:06d}" for number in range(12)]
        for chat in chats:
            bot.slack.chat(chat)
        bot.slack.fail("429", method="chat.postMessage", times=6, retry_after=0.1)
        bot.slack.fail("accept-then-close", method="chat.postMessage", times=3)
        bot.slack.fail("close", method="chat.postMessage", times=3)
        events = [bot.slack.event(bot.slack.written(f"echo {chat}", chat=chat)) for chat in chats]
        assert all(await asyncio.gather(*(bot.deliver(event) for event in events + events)))
        await until(lambda: all(bot.slack.shown(chat) for chat in chats), 120)
        await asyncio.sleep(0.5)
        assert [bot.slack.text(chat).strip() for chat in chats] == [f"echo {chat}" for chat in chats]


async def test_a_mention_is_answered_in_its_thread_and_the_thread_goes_on(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        inner = bot.slack.written("echo one", chat=CHANNEL) | {"text": f"<@{BOT}> echo one", "blocks": []}
        for kind in ("app_mention", "message"):
            assert await bot.deliver(bot.slack.event({**inner, "type": kind}))
        await until(lambda: "echo one" in bot.slack.text(CHANNEL))
        follow = bot.slack.written("echo two", chat=CHANNEL, thread=inner["ts"])
        assert await bot.deliver(bot.slack.event(follow))
        assert await bot.deliver(bot.slack.event(bot.slack.written("echo three", chat=CHANNEL)))
        await until(lambda: "echo two" in bot.slack.text(CHANNEL))
        await asyncio.sleep(0.3)
        said = bot.slack.shown(CHANNEL)
        assert [seen(message).strip() for message in said] == ["echo one", "echo two"]
        assert {message["thread_ts"] for message in said} == {inner["ts"]}


async def test_a_file_of_a_person_is_fetched_by_our_address(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        file = bot.slack.keep("cat.png", "image/png", b"a cat" * 500)
        assert await bot.deliver(bot.slack.event(bot.slack.written("look at this") | {"files": [file]}))
        await until(lambda: "I see" in bot.slack.text())
        found = re.search(r"https://bot\.example\S+", bot.slack.text())
        assert found is not None
        assert TOKEN not in found[0]
        async with aiohttp.ClientSession() as http:
            here = found[0].rstrip(")").replace("https://bot.example", f"http://127.0.0.1:{bot.port}")
            async with http.get(here) as response:
                assert (response.status, await response.read()) == (200, b"a cat" * 500)
