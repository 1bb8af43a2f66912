"""Somebody corrects or takes back what they wrote: before it was answered, after it, and while an agent has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from bot import Delivery, Receipt, Skill, Turn
from bot.channel import standing
from bot.errors import NotSent, Rejected, UnknownOutcome
from bot.messages import Consent, Content, Deleted, Edited, Message, Reacted, Sender, Text
from bot.testing import Bot, survives
from bot.testing.fakes import FakeChannel
from bot.testing.kit import User


class Weather:
    """A skill, and what it did in the world."""

    def __init__(self) -> None:
        self.skill = Skill("weather", "Tells the weather.")
        self.booked: list[str] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

        self.begun: list[str] = []

        @self.skill.pattern(r"weather in (?P<town>\w+)")
        async def tell(turn: Turn) -> None:
            self.begun.append(turn.slot("town") or "")
            await self.may_go_on.wait()
            await turn.say(f"Sun in {turn.slot('town')}.")

        @self.skill.pattern(r"both (?P<one>\w+) (?P<other>\w+)")
        async def both(turn: Turn) -> None:
            await turn.say(f"First {turn.slot('one')}.")
            if turn.slot("other") != "none":
                await turn.say(f"Then {turn.slot('other')}.")

        @self.skill.pattern(r"^slowly book (?P<what>\w+)")
        async def slowly(turn: Turn) -> None:
            await turn.say(await turn.step(self.order_slowly, turn.slot("what")))

        @self.skill.pattern(r"^book (?P<what>\w+)")
        async def book(turn: Turn) -> None:
            await turn.say(await turn.step(self.order, turn.slot("what")))

        @self.skill.pattern(r"look (?P<what>\w+)")
        async def look(turn: Turn) -> None:
            await turn.say(await turn.step(self.price, turn.slot("what"), effect=False))

        @self.skill.pattern(r"remind (?P<what>\w+)")
        async def remind(turn: Turn) -> None:
            await turn.schedule(turn.now() + 60, f"Time for {turn.slot('what')}.")
            await turn.say("I will.")

        @self.skill.pattern(r"trip to (?P<town>\w+)")
        async def trip(turn: Turn) -> None:
            day = await turn.ask(f"When to {turn.slot('town')}?", choices=["Today", "Tomorrow"], timeout=3600)
            await turn.say(f"{day} to {turn.slot('town')}.")

        @self.skill.pattern(r"story of (?P<whom>\w+)")
        async def story(turn: Turn) -> None:
            await turn.stream(self.story(turn.slot("whom") or ""))

        @self.skill.pattern(r"a person")
        async def person(turn: Turn) -> None:
            await turn.hand_off("support", "asked")

    async def order(self, what: str) -> str:
        self.booked.append(what)
        return f"Booked {what}."

    async def order_slowly(self, what: str) -> str:
        await self.may_go_on.wait()
        return await self.order(what)

    async def story(self, whom: str) -> AsyncIterator[str]:
        self.begun.append(whom)
        if whom != "Bob":
            await self.may_go_on.wait()
        yield f"Once {whom} "
        await self.may_go_on.wait()
        yield "was there."

    async def price(self, what: str) -> str:
        return f"{what} costs 1."


async def says(u: User, text: str, platform_id: str) -> None:
    """Write something that the platform has a name for."""
    await u.does(Text(text=text), platform_id=platform_id)


async def edits(u: User, target: str, text: str) -> None:
    """Change an earlier message."""
    await u.does(Edited(target=target, text=text))


async def put(bot: Bot, u: User, content: Content, platform_id: str = "") -> None:
    """Something arrives while the bot is busy."""
    gateway = bot.channels[u.channel].gateway
    assert gateway is not None
    sender = Sender(id=u.name, name=u.name)
    await gateway.receive(
        Message(
            event_id=bot.event_id(),
            address=u.address,
            sender=sender,
            content=content,
            at=bot.clock.now(),
            platform_id=platform_id,
        )
    )


# --- before it is answered


async def test_an_edit_before_the_turn_is_what_is_answered() -> None:
    weather = Weather()
    async with Bot(weather.skill) as bot, bot.user() as u:
        weather.may_go_on.clear()
        await put(bot, u, Text(text="weather in Rome"), "p1")
        await put(bot, u, Text(text="weather in Wein"), "p2")
        await put(bot, u, Text(text="weather in Hell"), "p3")
        await put(bot, u, Edited(target="p2", text="weather in Wien"))
        await put(bot, u, Deleted(target="p3"))
        weather.may_go_on.set()
        await bot.settle()
        assert u.all_seen == ["Sun in Rome.", "Sun in Wien."]
        assert "taken back" in await bot.explain(f"{u.conversation}.3")
        assert "edited before it was answered" in await bot.explain(f"{u.conversation}.4")
        assert "taken back before it was answered" in await bot.explain(f"{u.conversation}.5")
        said = [entry.text for entry in await bot.store.history(u.conversation) if entry.source == "user"]
        assert said == ["weather in Rome", "weather in Wien"]


# --- while it is being answered


async def test_an_edit_ends_the_answer_that_is_being_made() -> None:
    weather = Weather()
    async with Bot(weather.skill) as bot, bot.user() as u:
        weather.may_go_on.clear()
        await put(bot, u, Text(text="weather in Wein"), "p1")
        await asyncio.sleep(0.05)
        assert weather.begun == ["Wein"]
        await put(bot, u, Edited(target="p1", text="weather in Wien"))
        await asyncio.sleep(0.05)
        assert weather.begun == ["Wein", "Wien"], "the second does not wait for the first"
        weather.may_go_on.set()
        await bot.settle()
        assert u.all_seen == ["Sun in Wien."]
        assert "left, since its message was changed" in await bot.explain(f"{u.conversation}.1")
        assert "answered anew" in await bot.explain(f"{u.conversation}.2")


@pytest.mark.parametrize("content", [Deleted(target="p1"), Consent(on=False, word="STOP")])
async def test_what_was_taken_back_or_should_not_be_said_is_not_made(content: Content) -> None:
    weather = Weather()
    async with Bot(weather.skill) as bot, bot.user() as u:
        weather.may_go_on.clear()
        await put(bot, u, Text(text="weather in Wein"), "p1")
        await asyncio.sleep(0.05)
        await put(bot, u, content)
        await bot.settle()
        assert "Sun in Wein." not in u.all_seen
        assert "left, since its message" in await bot.explain(f"{u.conversation}.1")


async def test_a_streamed_answer_is_ended_before_its_first_words_and_not_after() -> None:
    weather = Weather()
    async with Bot(weather.skill) as bot, bot.user(channel="team") as u:
        weather.may_go_on.clear()
        await put(bot, u, Text(text="story of Ann"), "p1")
        await asyncio.sleep(0.05)
        await put(bot, u, Edited(target="p1", text="story of Bob"))
        await asyncio.sleep(0.05)
        assert weather.begun == ["Ann", "Bob"]
        await put(bot, u, Edited(target="p1", text="story of Cid"))
        weather.may_go_on.set()
        await bot.settle()
        assert weather.begun == ["Ann", "Bob", "Cid"]
        assert u.all_seen == ["Once Cid was there."], "it took the place of the one whose first words were seen"


async def test_what_is_in_the_world_is_brought_to_its_end() -> None:
    weather = Weather()
    async with Bot(weather.skill) as bot, bot.user(channel="chat") as u:
        weather.may_go_on.clear()
        await put(bot, u, Text(text="slowly book Rome"), "p1")
        await asyncio.sleep(0.05)
        await put(bot, u, Edited(target="p1", text="slowly book Wien"))
        weather.may_go_on.set()
        await bot.settle()
        assert weather.booked == ["Rome"]
        assert u.all_seen == ["Booked Rome."]


# --- after it was answered


async def test_the_answer_takes_the_place_of_the_old_one_where_that_can_be() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "weather in Wein", "p1")
        await edits(u, "p1", "weather in Wien")
        assert u.all_seen == ["Sun in Wien."]
        await edits(u, "p1", "weather in Graz")
        assert u.all_seen == ["Sun in Graz."]
        await u.says("weather in Linz")
        assert u.all_seen == ["Sun in Graz.", "Sun in Linz."]
        assert "answered anew" in await bot.explain(f"{u.conversation}.3")


async def test_elsewhere_the_answer_is_said_anew() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="chat") as u:
        await says(u, "weather in Wein", "p1")
        await edits(u, "p1", "weather in Wien")
        assert u.all_seen == ["Sun in Wein.", "Sun in Wien."]


async def test_replies_that_are_too_many_are_said_behind() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "both A none", "p1")
        await edits(u, "p1", "both B C")
        assert u.all_seen == ["First B.", "Then C."]


async def test_replies_that_are_not_needed_any_more_are_taken_back() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "both A B", "p1")
        await edits(u, "p1", "both C none")
        assert u.all_seen == ["First C."]
        assert "takes" in await bot.explain(f"{u.conversation}.2")
        lines = standing(await bot.store.history(u.conversation))
        assert "Then B." not in [line.text for line in lines]
        await edits(u, "p1", "both D E")
        assert u.all_seen == ["First D.", "Then E."]


async def test_what_stands_too_long_to_be_taken_back_stands() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "both A B", "p1")
        team, calls = bot.channels["team"], []

        async def refuse(delivery: Delivery, platform_id: str) -> None:
            calls.append(platform_id)
            raise Rejected("it is older than two days")

        team.delete = refuse  # type: ignore[method-assign]
        await edits(u, "p1", "both C none")
        assert (u.all_seen, calls) == (["First C.", "Then B."], ["m2"])
        await u.says("weather in Rome")
        assert u.seen == ["Sun in Rome."]
        assert "Then B." in [line.text for line in standing(await bot.store.history(u.conversation))]


async def test_taking_back_is_done_until_it_is_certain() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "both A B", "p1")
        team, faults, calls = bot.channels["team"], [UnknownOutcome("reset"), NotSent("off")], []
        real = team.delete

        async def shaky(delivery: Delivery, platform_id: str) -> None:
            calls.append(platform_id)
            if faults:
                raise faults.pop()
            await real(delivery, platform_id)

        team.delete = shaky  # type: ignore[method-assign]
        await edits(u, "p1", "both C none")
        assert u.all_seen == ["First C."]
        assert calls == ["m2", "m2", "m2"]


async def test_who_takes_back_what_they_wrote_takes_its_answer_back() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "weather in Rome", "p1")
        await says(u, "trip to Wien", "p2")
        await u.does(Deleted(target="p2"))
        assert u.all_seen == ["Sun in Rome."]
        assert await bot.store.next_due() is None, "its question is still open"
        assert "its answer with it" in await bot.explain(f"{u.conversation}.3")
        await u.says("today")
        u.does_not_see("to Wien")


async def test_what_was_acted_upon_is_not_taken_back() -> None:
    weather = Weather()
    async with Bot(weather.skill) as bot, bot.user(channel="team") as u:
        await says(u, "book one", "p1")
        await u.does(Deleted(target="p1"))
        assert (weather.booked, u.all_seen) == (["one"], ["Booked one."])
        await says(u, "trip to Wien", "p2")
        await says(u, "today", "p3")
        await u.does(Deleted(target="p3"))
        await u.does(Deleted(target="p2"))
        assert u.all_seen[1:] == ["When to Wien?\n[ Today ]\n[ Tomorrow ]", "Today to Wien."]


async def test_where_nothing_can_be_taken_back_a_question_stays_open() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="chat") as u:
        await says(u, "trip to Wien", "p1")
        await u.does(Deleted(target="p1"))
        await u.says("today")
        assert u.seen == ["Today to Wien."]


async def test_an_edited_command_or_request_may_be_for_another_handler() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "look milk", "p1")
        assert u.all_seen == ["milk costs 1."]
        await edits(u, "p1", "weather in Rome")
        assert u.all_seen == ["Sun in Rome."]


async def test_what_was_done_is_not_done_again() -> None:
    weather = Weather()
    async with Bot(weather.skill) as bot, bot.user(channel="team") as u:
        await says(u, "book one", "p1")
        await edits(u, "p1", "book two")
        assert (weather.booked, u.all_seen) == (["one"], ["Booked one."])
        assert "acted upon already" in await bot.explain(f"{u.conversation}.2")
        await edits(u, "p1", "weather in Rome")
        assert u.all_seen == ["Booked one."]
        await says(u, "remind tea", "p2")
        await edits(u, "p2", "remind milk")
        await bot.advance(120)
        assert u.all_seen == ["Booked one.", "I will.", "Time for tea."]


async def test_only_the_newest_message_is_answered_anew() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "weather in Rome", "p1")
        await says(u, "weather in Wien", "p2")
        await edits(u, "p1", "weather in Graz")
        await edits(u, "nobody's", "weather in Graz")
        await edits(u, "", "weather in Graz")
        assert u.all_seen == ["Sun in Rome.", "Sun in Wien."]
        assert "not their newest" in await bot.explain(f"{u.conversation}.3")
        await u.does(Deleted(target="p1"))
        assert u.all_seen == ["Sun in Rome.", "Sun in Wien."]
        assert "taken back, but it is not their newest" in await bot.explain(f"{u.conversation}.6")


async def test_a_question_that_nobody_answered_is_asked_anew() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "trip to Wein", "p1")
        await edits(u, "p1", "trip to Wien")
        assert u.all_seen == ["When to Wien?\n[ Today ]\n[ Tomorrow ]"]
        await bot.restart()
        await u.presses("Today")
        assert u.all_seen[1:] == ["Today to Wien."]
        await u.says("hello")
        u.does_not_see("Back to my question")


async def test_the_old_questions_time_does_not_run_out() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "trip to Wein", "p1")
        assert await bot.store.next_due() is not None
        await edits(u, "p1", "weather in Wien")
        assert await bot.store.next_due() is None
        await bot.advance(7200)
        assert u.all_seen == ["Sun in Wien."]


async def test_an_answer_is_not_taken_back() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "trip to Wien", "p1")
        await says(u, "today", "p2")
        await edits(u, "p2", "tomorrow")
        assert u.all_seen[1:] == ["Today to Wien."]
        await edits(u, "p1", "trip to Rome")
        assert u.all_seen[1:] == ["Today to Wien."]


async def test_an_answer_that_did_not_fit_may_be_mended() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "trip to Wien", "p1")
        await says(u, "xyzzy", "p2")
        await edits(u, "p2", "today")
        assert u.all_seen[1:] == ["Today to Wien."]


# --- when the platform does not play along


async def test_what_can_not_be_edited_any_more_is_said_anew() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "weather in Wein", "p1")
        team, first = bot.channels["team"], [Rejected("too old")]

        async def refuse(delivery: object, platform_id: str) -> None:
            raise first.pop()

        team.edit = refuse  # type: ignore[method-assign]
        await edits(u, "p1", "weather in Wien")
        assert u.all_seen == ["Sun in Wein.", "Sun in Wien."]
        assert first == []


async def test_what_was_said_anew_is_not_said_again_after_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "weather in Wein", "p1")
        send = FakeChannel.send

        async def refuse(channel: FakeChannel, delivery: Delivery, platform_id: str) -> None:
            raise Rejected("too old")

        async def dies(channel: FakeChannel, delivery: Delivery) -> Receipt:
            monkeypatch.setattr(FakeChannel, "send", send)
            await send(channel, delivery)
            bot.pulse.dead = True
            raise UnknownOutcome("nobody heard it")

        monkeypatch.setattr(FakeChannel, "edit", refuse)
        monkeypatch.setattr(FakeChannel, "send", dies)
        await edits(u, "p1", "weather in Wien")
        assert bot.deaths == 1
        assert u.all_seen == ["Sun in Wein.", "Sun in Wien."]


async def test_an_edit_of_unknown_outcome_is_made_again() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "weather in Wein", "p1")
        team, faults, calls = bot.channels["team"], [UnknownOutcome("reset"), NotSent("off")], []
        real = team.edit

        async def shaky(delivery, platform_id):  # type: ignore[no-untyped-def]
            calls.append(platform_id)
            if faults:
                raise faults.pop()
            await real(delivery, platform_id)

        team.edit = shaky  # type: ignore[method-assign]
        await edits(u, "p1", "weather in Wien")
        assert u.all_seen == ["Sun in Wien."]
        assert calls == ["m1", "m1", "m1"]


async def test_an_edit_is_made_until_it_is_certain_also_where_nobody_can_look() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await says(u, "weather in Wein", "p1")
        team, faults = bot.channels["team"], [UnknownOutcome("reset") for _ in range(6)]
        team.capabilities = replace(team.capabilities, read_back=False)
        real = team.edit

        async def shaky(delivery, platform_id):  # type: ignore[no-untyped-def]
            if faults:
                raise faults.pop()
            await real(delivery, platform_id)

        team.edit = shaky  # type: ignore[method-assign]
        await edits(u, "p1", "weather in Wien")
        assert u.all_seen == ["Sun in Wien."]


async def test_a_reply_that_is_still_on_its_way_is_edited_when_it_has_arrived() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        bot.platforms["team"].fail(NotSent("off"), taken=False)
        await put(bot, u, Text(text="weather in Wein"), "p1")
        while not await bot.store.trace(u.conversation, 1):  # noqa: ASYNC110 - a turn sets no event of ours
            await asyncio.sleep(0.001)
        await put(bot, u, Edited(target="p1", text="weather in Wien"))
        await bot.settle()
        assert u.all_seen == ["Sun in Wien."]


# --- while an agent has them


async def test_an_agent_sees_edits_deletes_and_reactions() -> None:
    async with Bot(Weather().skill) as bot, bot.user(channel="team") as u:
        await u.says("a person")
        await bot.desk.takes()
        await says(u, "my order is 12", "p1")
        await edits(u, "p1", "my order is 13")
        await u.does(Deleted(target="p1"))
        await u.does(Reacted(target="m1", emoji="👍"))
        await u.does(Reacted(target="m1", emoji="👍", added=False))
        ticket = bot.desk.ticket
        assert [entry.text for entry in ticket.entries] == ["my order is 12", "(edited) my order is 13"]
        assert ticket.notes == [
            "They took back a message that they sent before.",
            "They reacted with 👍.",
            "They took back their 👍.",
        ]


async def test_it_ends_alike_whenever_the_process_dies() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="team") as u:
            await says(u, "trip to Wein", "p1")
            await edits(u, "p1", "both Wien none")
            await edits(u, "p1", "both Wien Graz")
            assert u.all_seen == ["First Wien.", "Then Graz."]
            await edits(u, "p1", "weather in Linz")
            assert u.all_seen == ["Sun in Linz."]
            await u.does(Deleted(target="p1"))
            assert u.all_seen == []

    assert await survives(scenario, Weather().skill) > 10
