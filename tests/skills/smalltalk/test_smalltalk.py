"""Small talk over the real engine, beside the order skill."""

from __future__ import annotations

import time

import pytest

from bot.messages import Text
from bot.testing import Bot
from bot.turns.router import Router
from skills.orders.skill import skill as orders
from skills.smalltalk.skill import skill
from skills.smalltalk.words import LONGEST

PLUGINS = ("adapters.orders", "skills.orders", "skills.smalltalk")
ROUTER = Router([orders, skill])


def claimed(text: str) -> str:
    """Which handler a message goes to; nothing when none is sure."""
    intent = ROUTER.route(Text(text=text), text).intent
    return intent.id if intent else ""


@pytest.mark.parametrize(
    ("handler", "texts"),
    [
        ("hello", ["hi", "Hiii!", "hello there", "good morning sir", "Hello, how are you?", "👋"]),
        ("thanks", ["thanks", "ok thank you so much", "thx 😀", "no thanks", "that's all, thanks"]),
        ("bye", ["bye", "ok bye", "good night", "no", "nothing else", "that's all"]),
        ("fine", ["ok", "okay", "yes", "great!", "hmm", "👍"]),
        ("who", ["who are you?", "hi, are you a bot", "is this a real person or a bot?", "what's your name"]),
        ("anger", ["fuck off", "you stupid bot", "WTF"]),
        ("complaint", ["I want to make a complaint", "worst service ever"]),
        ("contact", ["please call me back", "customer care number"]),
    ],
)
def test_small_talk_is_understood(handler: str, texts: list[str]) -> None:
    assert {text: claimed(text) for text in texts} == dict.fromkeys(texts, f"smalltalk.{handler}")


@pytest.mark.parametrize(
    "text",
    ["hi, where is my order", "thanks, and now cancel my order", "where is my fucking order", "ok return the shoes"],
)
def test_a_request_with_small_talk_around_it_is_a_request(text: str) -> None:
    assert claimed(text).startswith("orders.")


@pytest.mark.parametrize(
    "text", ["Dumbbell", "hiking boots", "nothing fits", "tyres", "bytes", "okra", "/nothing", " /ok", "/thanks", "😀"]
)
def test_words_that_only_begin_like_small_talk_are_none(text: str) -> None:
    assert not claimed(text).startswith("smalltalk.")


@pytest.mark.parametrize("word", ["hi ", "thank you ", "no no thanks ", "bye bye ", "ok", "you stupid ", "\n", "who "])
def test_long_text_costs_the_patterns_nothing(word: str) -> None:
    long, short = word * (20_000 // len(word)) + "q", (word * LONGEST)[: LONGEST - 2] + "q"
    for text in (long, short):
        started = time.perf_counter()
        ROUTER.route(Text(text=text), text)
        assert time.perf_counter() - started < 0.5, repr(text[:30])


async def test_a_greeting_is_no_miss_and_its_choices_work() -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as user:
        await user.says("what is the meaning of life")
        user.sees("I can't help with that myself", "[ Talk to a person ]")
        await user.says("hi")
        user.sees("Hello! What can I do for you?", "[ What can you do? ]")
        await user.presses("What can you do?")
        user.sees("Here is what I can do", "Finds your orders", "[ Where is my order? ]")
        await user.says("what is the meaning of life")
        user.sees("I can't help with that myself")
        await user.says("and of death")
        user.sees("Shall I get you a person?")


async def test_thanks_in_the_middle_of_a_question() -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as user:
        await user.says("where is my order")
        await user.says("ok thanks")
        user.sees("You're welcome", "Back to my question", "e-mail address or phone number")


async def test_anger_and_complaints_lead_to_a_person() -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as user:
        await user.says("you stupid bot")
        await user.presses("Talk to a person")
        user.sees("passed this on to our team")
        assert bot.desk.ticket.case.queue == "support"


async def test_a_question_about_products_is_answered_honestly() -> None:
    async with Bot(*PLUGINS) as bot, bot.user(channel="sms") as user:
        await user.says("which product should I buy?")
        user.sees("I only look after orders", "1) Talk to a person")
        await user.says("1")
        user.sees("passed this on to our team")


@pytest.mark.parametrize("said", ["7021645199", "+1 (212) 555-0100", "sam.rivers@example.com"])
async def test_a_phone_number_or_an_address_alone_is_asked_about(said: str) -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as user:
        await user.says(said)
        user.sees("Shall I look up your orders with that?", "[ Yes ]")
        user.does_not_see("Sam", "#W")
        await user.says("yes")
        user.sees("I've sent a 6-digit code", "if it belongs to an account here")
