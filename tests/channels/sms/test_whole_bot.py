"""The whole bot behind the SMS channel: consent, choices, long answers, and a Twilio that fails in every way."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import App
from bot.phrases import ENGLISH
from bot.settings import Settings
from tests.platforms.twilio import OURS, THEIRS, Fault, Twilio, settings_for
from tests.servers import free_port

SKILL = """
from bot import Skill, Turn

skill = Skill("clerk", "Answers by text.")


@skill.intent("hello there")
async def hello(turn: Turn) -> None:
    await turn.say("Good morning!")


@skill.pattern(r"echo (.+)")
async def echo(turn: Turn) -> None:
    await turn.say(turn.text)


@skill.intent("what is there to drink")
async def drink(turn: Turn) -> None:
    choice = await turn.ask("What will it be?", choices=["Tea", "Coffee"])
    await turn.say(f"Here is your {choice}.")


@skill.intent("tell me a story")
async def story(turn: Turn) -> None:
    await turn.say(" ".join(f"word{number:04d}" for number in range(200)))
"""


@asynccontextmanager
async def whole(home: Path, given: Mapping[str, object] | None = None) -> AsyncIterator[Twilio]:
    """A bot with one skill on SMS, and the Twilio that it talks to."""
    port = free_port()
    twilio = Twilio(webhook=f"http://127.0.0.1:{port}/channels/sms")
    folder = home / "skills"
    await asyncio.to_thread(lambda: (folder.mkdir(), (folder / "clerk.py").write_text(SKILL)))
    chosen = {
        f"sms.{name}": json.dumps(value) if isinstance(value, dict) else str(value)
        for name, value in settings_for(twilio, given).items()
    }
    options = {"server.home": str(home / "var"), "server.port": str(port), "server.host": "127.0.0.1", **chosen}
    app = App.build(Settings.load(options=options), builtins=["channels.sms"], folders=[folder], entry_points=False)
    await twilio.start()
    await app.start()
    try:
        yield twilio
        assert twilio.problems == []
    finally:
        await app.stop()
        await twilio.close()


async def until(true: Callable[[], bool], patience: float = 30.0) -> None:
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110 - the server's own time
            await asyncio.sleep(0.01)


async def said(twilio: Twilio, text: str) -> str:
    """Text the bot; what it answers."""
    before = len(twilio.taken)
    assert (await twilio.text(text)).status == 200
    await until(lambda: len(twilio.taken) > before)
    return twilio.taken[-1].body


async def test_a_question_is_answered_by_its_number(tmp_path: Path) -> None:
    async with whole(tmp_path, {"rate": 100}) as twilio:
        asked = await said(twilio, "what is there to drink?")
        assert asked == "What will it be?\n\n1) Tea\n2) Coffee\n\nReply with a number."
        assert await said(twilio, "2") == "Here is your Coffee."


async def test_each_number_answers_for_itself(tmp_path: Path) -> None:
    other = "+14155550101"
    async with whole(tmp_path, {"rate": 100, "accounts": {"sales": {"sender": other}}}) as twilio:
        twilio.senders = (OURS, other)
        assert await said(twilio, "hello there") == "Good morning!"
        twilio.webhook += "/sales"
        assert (await twilio.text("what is there to drink?", to=other)).status == 200
        await until(lambda: len(twilio.taken) == 2)
        assert [one.sender for one in twilio.taken] == [OURS, other]
        twilio.webhook = twilio.webhook.removesuffix("/sales")
        assert "Coffee" not in await said(twilio, "2"), "a question asked by the other number"
        assert (await twilio.report(twilio.taken[1], "delivered")).status == 200
        assert "/channels/sms/sales/status?oid=" in twilio.taken[1].callback


async def test_a_long_answer_comes_in_portions(tmp_path: Path) -> None:
    async with whole(tmp_path, {"rate": 100, "max_segments": 2}) as twilio:
        parts = [await said(twilio, "tell me a story")]
        while parts[-1].endswith(ENGLISH.more):
            parts.append(await said(twilio, "More"))
        assert all(len(part) <= 306 for part in parts)
        assert " ".join(parts).replace(ENGLISH.more, "").split() == [f"word{number:04d}" for number in range(200)]


async def test_who_says_stop_hears_nothing_until_they_say_start(tmp_path: Path) -> None:
    async with whole(tmp_path, {"rate": 100}) as twilio:
        assert await said(twilio, "hello there") == "Good morning!"
        for text in ("Stop", "hello there"):
            assert (await twilio.text(text)).status == 200
        await asyncio.sleep(0.3)
        assert (len(twilio.taken), twilio.calls) == (1, 1), "not even tried"
        assert (await twilio.text("yes")).status == 200
        assert await said(twilio, "hello there") == "Good morning!"


async def test_a_refusal_is_remembered_too(tmp_path: Path) -> None:
    async with whole(tmp_path, {"rate": 100}) as twilio:
        twilio.stopped.add((THEIRS, OURS))  # by a word that only Twilio saw
        for calls in (1, 1):
            assert (await twilio.text("hello there")).status == 200
            await asyncio.sleep(0.3)
            assert twilio.calls == calls
        assert (await twilio.text("YES")).status == 200
        assert await said(twilio, "hello there") == "Good morning!"


async def test_whatever_twilio_does_each_answer_comes_once(tmp_path: Path) -> None:
    """Each way to fail once, and everything that comes in is delivered twice."""
    ways: list[Fault] = ["429", "500", "500 after", "close after", "close before", "no json", ""]
    async with whole(tmp_path, {"rate": 200, "timeout": 0.5}) as twilio:
        twilio.fail(*ways)
        wanted = Counter(f"echo {person}" for person in range(len(ways)))
        for person, text in enumerate(wanted):
            for _ in range(2):
                answer = await twilio.text(text, sender=f"+1415555{200 + person:04d}", event=text)
                assert answer.status == 200
        await until(lambda: len(twilio.taken) >= len(wanted), patience=30)
        await asyncio.sleep(0.5)
        assert Counter(one.body for one in twilio.taken) == wanted


async def test_a_text_that_no_webhook_brought_is_answered_too_and_once(tmp_path: Path) -> None:
    async with whole(tmp_path, {"rate": 100, "catch_up_every": 0.2}) as twilio:
        assert await said(twilio, "hello there") == "Good morning!"
        await until(lambda: twilio.lists > 0)
        webhook, twilio.webhook = twilio.webhook, f"http://127.0.0.1:{free_port()}/"
        assert (await twilio.text("what is there to drink?")).status == 0
        await until(lambda: len(twilio.taken) == 2)
        twilio.webhook = webhook
        assert await said(twilio, "2") == "Here is your Coffee."
        looks = twilio.lists
        await until(lambda: twilio.lists > looks + 2)
        assert len(twilio.taken) == 3
