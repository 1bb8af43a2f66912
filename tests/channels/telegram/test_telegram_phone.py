"""A question for a phone number: a button in chats of two, plain words elsewhere, and a keyboard that goes again."""

from __future__ import annotations

from pathlib import Path

from bot import Button, Contact, Media, Reply, Text
from bot.testing.channel_kit import soon
from channels.telegram.channel import TelegramChannel
from tests.channels.telegram.fakes import ANA, GROUP, bench, channel_for, delivery
from tests.channels.telegram.test_telegram_whole_bot import until, whole
from tests.platforms.telegram import BEN, PHONE
from tests.platforms.telegram import GROUP as GROUP_CHAT

ASKED = Reply(text="Which number do we call?", share_phone="This is mine")
CHOICES = (Button(token="t.0", label="Rather not", value="no"),)

SKILL = """
from bot import Phone, Skill, Turn

skill = Skill("caller", "Calls back.")


@skill.intent("please call me back")
async def call(turn: Turn) -> None:
    number = await turn.ask("Which number do we call?", like=Phone)
    sure = " (it is yours)" if turn.person.verified and turn.person.phone == number else ""
    await turn.say(f"We call {number}{sure}.", choices=["Thanks", "Not now"])


@skill.pattern(r"thanks|not now")
async def done(turn: Turn) -> None:
    await turn.say("Goodbye.")
"""


def labels(server: object) -> list[str]:
    return [button["text"] for button in server.keyboards.get(5001, [])]  # type: ignore[attr-defined]


async def test_a_tap_shares_ones_own_number_and_the_keyboard_goes() -> None:
    async with bench() as b:
        await b.says(ASKED)
        assert labels(b.server) == ["This is mine"]
        (message,) = await b.hears(b.server.taps("This is mine"))
        assert message.content == Text(text=f"+{PHONE}", contact=Contact(phone=f"+{PHONE}", name="Ana", own=True))
        assert (message.sender.phone, message.sender.verified) == (f"+{PHONE}", True)
        await b.says("Thank you.")
        assert labels(b.server) == []
        assert b.core.notes.keys() & {"telegram.main.keyboard.5001"} == set()
        await b.says("Anything else?")
        assert "reply_markup" not in b.server.made("sendMessage")[-1].given


async def test_somebody_elses_number_is_nobodys_word() -> None:
    async with bench() as b:
        (message,) = await b.hears(b.server.shares("4915112345", BEN))
        assert isinstance(message.content, Text)
        assert message.content.contact == Contact(phone="+4915112345", name="Ben")
        assert (message.sender.phone, message.sender.verified) == ("", False)


async def test_in_a_group_it_is_a_plain_question() -> None:
    async with bench() as b:
        await b.says(ASKED, GROUP)
        assert b.server.refused == []
        assert "reply_markup" not in b.server.made("sendMessage")[-1].given
        assert b.server.sees(GROUP_CHAT["id"]) == "Which number do we call?"


async def test_choices_beside_it_are_on_the_same_keyboard() -> None:
    async with bench() as b:
        await b.says(Reply(text="Which number?", share_phone="This is mine", buttons=CHOICES))
        assert labels(b.server) == ["This is mine", "Rather not"]
        (message,) = await b.hears(b.server.taps("Rather not"))
        assert message.text == "Rather not"


async def test_while_it_is_up_choices_take_its_place_and_then_it_goes() -> None:
    async with bench() as b:
        await b.says(ASKED)
        await b.writes("+43 664 1234567")
        await b.says(Reply(text="Shall we?", buttons=CHOICES))
        assert labels(b.server) == ["Rather not"]
        await b.says(Reply(media=(Media(url="https://files.example/cat.png", name="cat.png", type="image/png"),)))
        assert labels(b.server) == []
        await b.says(Reply(text="And now?", buttons=CHOICES))
        assert b.server.press("Rather not")


async def test_another_process_takes_it_away_too_also_after_a_restart() -> None:
    async with bench() as b:
        other: TelegramChannel = channel_for(b.server)
        await other.start(b.core)
        await other.send(delivery("hello", ANA))
        await b.says(ASKED)
        await b.channel.stop()
        await b.channel.start(b.core)
        await other.send(delivery("Thank you.", ANA))
        assert labels(b.server) == []
        await other.stop()


async def test_what_grows_leaves_it_alone_since_it_could_not_be_edited_then() -> None:
    async with bench() as b:
        await b.says(ASKED)
        await b.channel.draft(ANA, "key", "Grow")
        assert await soon(lambda: "Grow" in b.server.sees())
        await b.says(Reply(text="Grown.", draft="key"))
        assert b.server.sees().splitlines()[-1] == "Grown."
        assert not any("can't be edited" in said for said in b.server.refused)
        await b.says("Bye.")
        assert labels(b.server) == []


async def test_a_person_is_called_back(tmp_path: Path) -> None:
    async with whole(tmp_path, skill=SKILL) as bot:
        server = bot.server
        await bot.asks("please call me back", "Which number do we call?")
        assert await server.deliver(server.shares("4915112345", BEN))
        await until(lambda: "somebody else's number" in server.sees())
        assert await server.deliver(server.taps("Share my phone number"))
        await until(lambda: f"We call +{PHONE} (it is yours)." in server.sees())
        assert labels(server) == ["Thanks", "Not now"]
        assert await server.deliver(server.taps("Thanks"))
        await until(lambda: "Goodbye." in server.sees())
        assert labels(server) == []
        # Typed, it is any number; and the choices are where they always are.
        await bot.asks("please call me back", "Goodbye.\nWhich number do we call?")
        await bot.asks("0664 999 888 77", "We call 066499988877.")
