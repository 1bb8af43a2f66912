"""Several questions that belong together: one form where there are forms, one question after the other elsewhere."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from bot import Skill, Turn
from bot.dialog.forms import form_of
from bot.errors import AskTimeout, Cancelled, Misuse
from bot.messages import Submitted
from bot.replies import FormField
from bot.testing import Bot, survives


class Way(enum.Enum):
    PHONE = "By phone"
    MAIL = "By e-mail"


class Contact(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(title="Your name", max_length=20)]
    email: str
    seats: int
    way: Way
    day: date | None = None
    note: str = "none"


@dataclass
class Parcel:
    weight: Decimal
    fragile: bool
    size: Literal["S", "M"] = field(default="S", metadata={"title": "Which size?", "description": "S is a shoe box"})


class Visit(pydantic.BaseModel):
    street: str = pydantic.Field(title="Street", min_length=3)
    number: float

    @pydantic.field_validator("number")
    @classmethod
    def positive(cls, value: float) -> float:
        if value <= 0:
            raise ValueError("the number must be above *zero*")
        return value


def asking(kind: type, **more: Any) -> Skill:
    skill = Skill("contact", "Asks how to reach you.")

    @skill.command("/contact")
    async def contact(turn: Turn) -> None:
        try:
            found = await turn.ask("How do we **reach** you, {who}?", form=kind, who="Sam", **more)
        except Cancelled:
            await turn.say("dropped it")
            return
        except AskTimeout:
            await turn.say("too late")
            return
        await turn.say("got {found}", found=repr(found))

    @skill.command("/hours")
    async def hours(turn: Turn) -> None:
        await turn.say("We are open.")

    @skill.intent("when are you open", "opening hours", "are you open today")
    async def opening(turn: Turn) -> None:
        await turn.say("Nine to five.")

    return skill


GIVEN = {"name": "Ana", "email": "ana@x.example", "seats": "3", "way": "By phone"}
ANA = Contact(name="Ana", email="ana@x.example", seats=3, way=Way.PHONE)


async def test_a_form_is_shown_and_comes_back_as_an_instance() -> None:
    async with Bot(asking(Contact)) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        u.sees("How do we reach you, Sam?", "[ Fill in ]")
        form = bot.platforms["team"].taken[-1].reply.form
        assert form is not None
        assert form.title == "How do we reach you, Sam?"
        assert [(f.name, f.label, f.kind, f.optional) for f in form.fields] == [
            ("name", "Your name", "text", False),
            ("email", "Email", "email", False),
            ("seats", "Seats", "number", False),
            ("way", "Way", "choice", False),
            ("day", "Day", "date", True),
            ("note", "Note", "text", True),
        ]
        assert [choice.meaning for choice in form.fields[3].choices] == ["By phone", "By e-mail"]
        assert 0 < len(form.token.encode()) <= 40
        await u.fills_in({**GIVEN, "day": "2026-03-03", "note": ""})
        u.sees(repr(Contact(name="Ana", email="ana@x.example", seats=3, way=Way.PHONE, day=date(2026, 3, 3))))


async def test_what_is_wrong_in_a_form_is_said_of_each_field() -> None:
    async with Bot(asking(Contact)) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        await u.fills_in({**GIVEN, "seats": "many", "email": "", "way": "By pigeon", "name": "x" * 21})
        u.sees("Your name: I need", "Email: I need an answer", "Seats: I need a whole number", "Way: I need one of: By")
        u.sees("[ Fill in ]")
        u.does_not_see("got", "Day:", "Note:")
        await u.fills_in(GIVEN)
        u.sees(repr(ANA))


async def test_a_form_of_before_is_told_from_the_open_one() -> None:
    async with Bot(asking(Contact)) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        await u.fills_in(GIVEN)
        await u.fills_in(GIVEN)
        u.sees("already settled")
        await u.says("/contact")
        await u.does(Submitted(token="of-before.form", values=GIVEN, text="Ana"))
        u.sees("already settled", "reach you", "[ Fill in ]")
        await u.fills_in(GIVEN)
        u.sees("got")


@pytest.mark.parametrize("channel", ["web", "sms", "team"])
async def test_elsewhere_and_for_those_who_type_it_is_one_question_after_the_other(channel: str) -> None:
    async with Bot(asking(Contact)) as bot, bot.user(channel=channel) as u:
        await u.says("/contact")
        if channel == "team":
            u.sees("[ Fill in ]")
            await u.says("it is complicated")
        else:
            u.sees("How do we reach you, Sam?", "Your name:")
        await u.says("a name that is much too long for this field")
        u.does_not_see("Email:")
        u.sees("Your name:")
        await bot.restart()
        await u.says("Ana")
        u.sees("Email:")
        await u.says("somewhere")
        u.sees("Email:")
        await u.says("it's ana@x.example.")
        u.sees("Seats:")
        await u.says("three")
        u.sees("Way:", "By phone", "By e-mail")
        await bot.restart()
        await u.says("1")
        u.sees("Day:", "Skip")
        await u.says("skip")
        u.sees("Note:", "Skip")
        await u.says("2 stairs")
        u.sees(f"got {ANA!r}".replace("'none'", "'2 stairs'"))


async def test_the_prompt_and_the_first_question_are_one_message() -> None:
    async with Bot(asking(Contact)) as bot, bot.user(channel="sms") as u:
        await u.says("/contact")
        assert len(u.seen) == 1


async def test_dataclasses_and_pydantic_models_do_as_well() -> None:
    async with Bot(asking(Parcel)) as bot, bot.user(channel="sms") as u:
        await u.says("/contact")
        for words in ("2.50", "no"):
            await u.says(words)
        u.sees("Which size?", "1) S", "2) M", "3) Skip")
        await u.says("help")
        u.sees("S is a shoe box")
        await u.says("3")
        u.sees(repr(Parcel(weight=Decimal("2.50"), fragile=False, size="S")))


@pytest.mark.parametrize("channel", ["team", "sms"])
async def test_what_the_type_itself_refuses_is_asked_again(channel: str) -> None:
    async with Bot(asking(Visit)) as bot, bot.user(channel=channel) as u:
        await u.says("/contact")
        if channel == "team":
            await u.fills_in({"street": "Main", "number": "-2"})
            u.sees("the number must be above *zero*", "[ Fill in ]")
            await u.fills_in({"street": "M", "number": "2"})
            u.sees("Street: I need")
            await u.fills_in({"street": "Main", "number": "2"})
        else:
            await u.says("M")
            u.sees("Street:")
            await u.says("Main")
            await u.says("-2")
            u.sees("the number must be above *zero*", "Number:")
            await u.says("2")
        u.sees(repr(Visit(street="Main", number=2.0)))


@pytest.mark.parametrize("channel", ["team", "sms"])
async def test_the_words_that_work_everywhere_work_in_forms(channel: str) -> None:
    async with Bot(asking(Contact, help="We only call about orders.")) as bot, bot.user(channel=channel) as u:
        await u.says("/contact")
        await u.says("help")
        u.sees("only call about orders")
        await u.says("back")
        u.sees("first question")
        if channel == "team":
            await u.says("when are you open?")
            u.sees("Nine to five.", "Back to my question", "reach you", "[ Fill in ]")
            await u.says("Ana")
            await u.says("back")
            u.sees("[ Fill in ]")
            await u.says("Ana")
        await u.says("Ana")
        u.sees("Email:")
        await u.says("back")
        u.sees("Your name:")
        await u.says("/hours")
        u.sees("We are open.", "Your name:")
        await u.says("cancel")
        u.sees("dropped it")
        u.does_not_see("Email:")


@pytest.mark.parametrize("channel", ["team", "sms"])
async def test_a_form_has_a_deadline(channel: str) -> None:
    async with Bot(asking(Contact, timeout=60)) as bot, bot.user(channel=channel) as u:
        await u.says("/contact")
        await bot.advance(61)
        u.sees("too late")


async def test_a_form_survives_death_at_any_moment() -> None:
    async def filled(bot: Bot) -> None:
        async with bot.user(channel="team") as u:
            await u.says("/contact")
            await u.fills_in({**GIVEN, "seats": "many"})
            await u.fills_in(GIVEN)
            u.sees("got")

    async def typed(bot: Bot) -> None:
        for channel, first in (("team", ["well"]), ("sms", [])):
            async with bot.user(channel=channel) as u:
                await u.says("/contact")
                for words in (*first, "Ana", "ana@x.example", "3", "2", "skip", "skip"):
                    await u.says(words)
                u.sees("got")

    assert await survives(filled, asking(Contact)) > 5
    assert await survives(typed, asking(Contact)) > 20


def test_what_can_be_asked_in_a_form() -> None:
    class Wrong(msgspec.Struct):
        items: list[str]

    @dataclass
    class Empty:
        pass

    for kind in (Wrong, Empty, int, "Contact"):
        with pytest.raises(Misuse):
            form_of(kind)
    assert form_of(Parcel).parts[2].field == FormField(
        name="size",
        label="Which size?",
        kind="choice",
        choices=form_of(Parcel).parts[2].field.choices,
        hint="S is a shoe box",
        optional=True,
    )


async def test_a_form_and_choices_are_a_mistake() -> None:
    async with Bot(asking(Contact, choices=["a"])) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        u.sees("went wrong")


def test_who_knows_the_word_for_it_can_not_skip_what_must_be_answered() -> None:
    name, *_, note = form_of(Contact).parts
    assert name.chosen("form:skip") == "form:skip"
    assert note.chosen("form:skip") == "none"


async def test_a_limit_is_told_in_words_that_people_understand() -> None:
    async with Bot(asking(Contact)) as bot, bot.user(channel="sms") as u:
        await u.says("/contact")
        await u.says("A" * 21)
        u.sees("It should have at most 20 characters.")
        u.does_not_see("Expected")
