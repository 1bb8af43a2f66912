"""The rules for what is said unasked, one by one, and the words by which people want no more broadcasts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot import Choice, Command, Content, Pressed, Reply, Skill, Text, Turn
from bot.outreach.gate import LATE, SOON, Situation, judge, wish_of
from bot.outreach.words import Words
from bot.testing import Bot

NOW = 1_000_000.0
WORDS = Words(reply=Reply(text="news"), since=NOW, expires=NOW + 86_400)
CAST = replace(WORDS, broadcast="b1")
ASKS = replace(WORDS, reply=Reply(text="?", choices=(Choice(label="Yes"),)))
SEEN = Situation(now=NOW, awake=NOW, status="running")

talk = Skill("talk", "Talks.")


@talk.command("/agent")
async def agent(turn: Turn) -> None:
    await turn.hand_off()


@talk.command("/letter")
async def letter(turn: Turn) -> None:
    await turn.say("You chose {it}.", it=await turn.ask("Our letter?", choices=["Subscribe", "No"]))


@talk.command("/name")
async def name(turn: Turn) -> None:
    await turn.say("Hello {name}.", name=await turn.ask("Your name?"))


def test_in_an_ordinary_moment_it_is_said() -> None:
    assert judge(WORDS, SEEN).what == judge(CAST, SEEN).what == judge(ASKS, SEEN).what == "say"


@pytest.mark.parametrize(
    ("words", "seen", "why"),
    [
        (WORDS, replace(SEEN, now=WORDS.expires), "expired"),
        (WORDS, replace(SEEN, silence="opted_out"), "opted out"),
        (WORDS, replace(SEEN, silence="blocked", owner="human"), "blocked"),
        (CAST, replace(SEEN, subscribed=False), "unsubscribed"),
        (CAST, replace(SEEN, status="cancelled", owner="human"), "cancelled"),
        (CAST, replace(SEEN, status=None), "cancelled"),
    ],
)
def test_it_is_dropped(words: Words, seen: Situation, why: str) -> None:
    verdict = judge(words, seen)
    assert (verdict.what, verdict.why) == ("drop", why)


@pytest.mark.parametrize(
    ("words", "seen", "why", "until"),
    [
        (WORDS, replace(SEEN, owner="human"), "a human agent", NOW + SOON),
        (WORDS, replace(SEEN, owner="queued"), "a human agent", NOW + SOON),
        (WORDS, replace(SEEN, owner="human", now=NOW + 1200), "a human agent", NOW + 1800),
        (WORDS, replace(SEEN, owner="human", now=NOW + 50_000), "a human agent", NOW + 50_000 + LATE),
        (WORDS, replace(SEEN, owner="human", now=WORDS.expires - 1), "a human agent", WORDS.expires),
        (CAST, replace(SEEN, status="paused"), "paused", NOW + SOON),
        (ASKS, replace(SEEN, asking=True), "a question", NOW + SOON),
        (WORDS, replace(SEEN, awake=NOW + 3600), "quiet hours", NOW + 3600),
    ],
)
def test_it_waits(words: Words, seen: Situation, why: str, until: float) -> None:
    verdict = judge(words, seen)
    assert (verdict.what, verdict.until) == ("wait", until)
    assert why in verdict.why


def test_what_does_not_matter_does_not_matter() -> None:
    assert judge(WORDS, replace(SEEN, subscribed=False)).what == "say"  # it is no broadcast
    assert judge(WORDS, replace(SEEN, asking=True)).what == "say"  # it has no choices
    assert judge(replace(WORDS, quiet=False), replace(SEEN, awake=NOW + 9)).what == "say"
    assert judge(CAST, replace(SEEN, status="done")).what == "say"  # all were handed over


@pytest.mark.parametrize(
    ("content", "wish"),
    [
        (Command(name="unsubscribe"), "off"),
        (Command(name="subscribe"), "on"),
        (Text(text=" Unsubscribe! "), "off"),
        (Text(text="/subscribe"), "on"),
        (Text(text="how do I unsubscribe from the newsletter?"), ""),
        (Pressed(token="t", label="subscribe"), ""),
        (Command(name="track"), ""),
    ],
)
def test_who_wants_no_broadcasts_says_so(content: Content, wish: str) -> None:
    assert wish_of(content) == wish


async def test_the_wish_is_kept_and_confirmed_whoever_owns_the_conversation() -> None:
    async with Bot(talk) as bot:
        user = bot.user()
        await user.says("/unsubscribe")
        user.sees("You'll get no more broadcasts")
        await bot.restart()
        person = (await bot.app.store.conversation(user.conversation)).person.id  # type: ignore[union-attr]
        assert await bot.app.store.recall(person, "outreach") == b'"off"'
        await user.says("/agent")
        await bot.desk.takes()
        await user.says("subscribe")
        user.sees("You'll get my broadcasts again")
        assert await bot.app.store.recall(person, "outreach") == b'"on"'


async def test_an_open_question_stays_open() -> None:
    async with Bot(talk) as bot:
        user = bot.user()
        await user.says("/name")
        await user.says("/unsubscribe")
        await user.says("Ann")
        user.sees("Hello Ann.")


async def test_a_word_that_a_question_offers_is_its_answer() -> None:
    async with Bot(talk) as bot:
        user = bot.user()
        await user.says("/letter")
        await user.says("subscribe")
        user.sees("You chose Subscribe.")
