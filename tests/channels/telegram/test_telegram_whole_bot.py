"""The whole bot behind the Telegram channel: buttons, files, groups, drafts, and everything delivered twice."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.app import App
from bot.settings import Settings
from tests.platforms.telegram import GROUP, TelegramServer
from tests.servers import free_port

SKILL = """
from bot import Skill, Turn

skill = Skill("clerk", "Answers on Telegram.")


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


@skill.pattern(r"my holiday")
async def holiday(turn: Turn) -> None:
    files = turn.message.media
    await turn.say(f"I see {len(files)} pictures.", media=files)


@skill.pattern(r"look at this")
async def look(turn: Turn) -> None:
    await turn.say("I see " + turn.message.media[0].url)
"""


class Bot:
    """A bot, and the Telegram that it talks to."""

    def __init__(self, home: Path, *, public: str, skill: str = SKILL) -> None:
        self._skill = skill
        self.server, self.port = TelegramServer(), free_port()
        self.server.reach = f"http://127.0.0.1:{self.port}"
        chosen = {
            "server.home": str(home / "var"),
            "server.port": str(self.port),
            "server.host": "127.0.0.1",
            "server.public_url": public,
            "telegram.bot_token": self.server.token,
            "telegram.api_url": self.server.url,
            "telegram.poll_timeout": "1",
        }
        self._settings = Settings.load(options={name: value for name, value in chosen.items() if value})
        self._folder = home / "skills"

    def build(self) -> App:
        self._folder.mkdir(exist_ok=True)
        (self._folder / "clerk.py").write_text(self._skill)
        return App.build(self._settings, builtins=["channels.telegram"], folders=[self._folder], entry_points=False)

    async def asks(self, text: str, expected: str, chat: int = 5001) -> None:
        assert await self.server.deliver(self.server.update(message=self.server.message(text)))
        await until(lambda: expected in self.server.sees(chat))


@asynccontextmanager
async def whole(home: Path, *, public: str = "https://bot.example", skill: str = SKILL) -> AsyncIterator[Bot]:
    """A running bot with one skill."""
    bot = Bot(home, public=public, skill=skill)
    app = await asyncio.to_thread(bot.build)
    await bot.server.start()
    await app.start()
    try:
        await until(lambda: bool(bot.server.webhook) == public.startswith("https"))
        yield bot
        assert bot.server.problems == []
    finally:
        await app.stop()
        await bot.server.stop()


async def until(true: Callable[[], bool], patience: float = 30.0) -> None:
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110 - the server's own time
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("public", ["https://bot.example", ""])
async def test_a_question_is_answered_by_its_button(tmp_path: Path, public: str) -> None:
    async with whole(tmp_path, public=public) as bot:
        await bot.asks("what is there to drink?", "What will it be?\nTea\nCoffee")
        assert await bot.server.deliver(bot.server.press("Coffee"))
        await until(lambda: "Here is your Coffee." in bot.server.sees())
        await until(lambda: all(bot.server.queries.values()))


async def test_everything_delivered_twice_is_answered_once(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        bot.server.fail("429", "sendMessage", times=3)
        updates = []
        for n in range(10):
            person = {"id": 6000 + n, "is_bot": False, "first_name": "P"}
            chat = {"id": 6000 + n, "type": "private", "first_name": "P"}
            bot.server.chats[chat["id"]] = chat  # type: ignore[index]
            updates.append(bot.server.update(message=bot.server.message(f"echo {n}", chat=chat, sender=person)))
        assert all(await asyncio.gather(*(bot.server.deliver(update) for update in updates + updates)))
        await until(lambda: all(bot.server.shown[6000 + n] for n in range(10)))
        await asyncio.sleep(0.3)
        assert [bot.server.sees(6000 + n).strip() for n in range(10)] == [f"echo {n}" for n in range(10)]


async def test_a_file_of_a_person_is_fetched_by_our_address(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        bot.server.files["files/cat.bin"] = b"a cat" * 500
        photo = [{"file_id": "cat", "file_unique_id": "u", "width": 9, "height": 9}]
        sent = bot.server.message(more={"photo": photo, "caption": "look at this"})
        assert await bot.server.deliver(bot.server.update(message=sent))
        await until(lambda: "I see" in bot.server.sees())
        found = re.search(r"I see (https://bot\.example\S+)", bot.server.sees())
        assert found is not None
        assert bot.server.token not in found[1]
        async with aiohttp.ClientSession() as http:
            here = found[1].replace("https://bot.example", bot.server.reach)
            async with http.get(here) as response:
                assert (response.status, await response.read()) == (200, b"a cat" * 500)


async def test_a_group_hears_only_what_it_asked_and_the_menu_is_there(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        for text in ("echo nobody", "@frontdesk_bot echo us", "/track@frontdesk_bot 42"):
            assert await bot.server.deliver(bot.server.update(message=bot.server.message(text, chat=GROUP)))
        await until(lambda: "Tracking." in bot.server.sees(-4001))
        assert bot.server.sees(-4001) == "echo us\nTracking."
        await until(lambda: "" in bot.server.commands)
        assert "track" in {command["command"] for command in bot.server.commands[""]}


async def test_many_answers_in_one_chat_keep_telegrams_pace(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        bot.server.paced = True
        for n in range(5):
            assert await bot.server.deliver(bot.server.update(message=bot.server.message(f"echo {n}")))
        await until(lambda: "echo 4" in bot.server.sees())
        sent = [call.at for call in bot.server.made("sendMessage")]
        assert all(later - earlier > 0.9 for earlier, later in itertools.pairwise(sent))
        assert not [said for said in bot.server.refused if "Too Many" in said]


async def test_an_album_is_one_message_both_ways_whatever_is_delivered_twice(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        server = bot.server
        album = {"media_group_id": "13"}
        parts = [
            server.update(
                message=server.message(
                    more={**album, "photo": [photo(n)], **({"caption": "my holiday"} if n == 2 else {})}
                )
            )
            for n in range(1, 5)
        ]
        for part in (parts[0], parts[1], parts[1], parts[2], parts[3], parts[0]):
            assert await server.deliver(part)
        await until(lambda: "I see 4 pictures." in server.sees())
        (sent,) = server.made("sendMediaGroup")
        assert len(sent.given["media"]) == 4
        await bot.asks("echo hello", "echo hello")
        assert server.sees().count("I see") == 1


def photo(number: int) -> dict[str, object]:
    return {"file_id": f"picture{number}", "file_unique_id": f"u{number}", "width": 90, "height": 90}
