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
from bot.messages import Message, Sender, Submitted
from bot.replies import Form, FormField
from bot.testing import Bot, survives
from bot.testing.user import User


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
        u.sees("Your name: It should have at most 20 characters.", "Email: I need an answer.")
        u.sees("Seats: I need a whole number", "Way: I need one of: By")
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
            u.sees("Street: It should have at least 3 characters.")
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
        value="S",
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


def shown(bot: Bot) -> Form:
    """The form that was shown last."""
    form = bot.platforms["team"].taken[-1].reply.form
    assert form is not None
    return form


async def problems(bot: Bot, user: User, content: Submitted) -> dict[str, str]:
    """What a channel is told before it takes a form."""
    sender = Sender(id=user.name)
    message = Message(event_id="e", address=user.address, sender=sender, content=content, at=bot.clock.now())
    return dict(await bot.app.inbox.problems(message))


async def test_what_was_typed_stands_in_the_form_that_is_offered_again() -> None:
    async with Bot(asking(Contact)) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        assert {f.name: f.value for f in shown(bot).fields if f.value} == {"note": "none"}
        await u.fills_in({**GIVEN, "seats": "many", "note": ""})
        assert {f.name: f.value for f in shown(bot).fields if f.value} == {**GIVEN, "seats": "many"}
        await bot.restart()
        await u.fills_in(GIVEN)
        u.sees(repr(ANA))


class Booking(msgspec.Struct):
    seats: Annotated[int, msgspec.Meta(gt=0, lt=9, title="How many?")]
    price: Annotated[float, msgspec.Meta(ge=1, le=99.5)] | None
    code: Annotated[str, msgspec.Meta(min_length=2, max_length=4, pattern="^[A-Z]+$")]
    day: date = date(2026, 3, 1)
    website: str = ""
    notes: Annotated[str, msgspec.Meta(max_length=9, extra={"long": True})] = "none"
    warm: bool = True


class Fare(pydantic.BaseModel):
    seats: int = pydantic.Field(gt=0, le=8)
    code: Annotated[str, pydantic.StringConstraints(min_length=2, max_length=4)] = "AB"
    low: float = 1.5
    high: float = 2.5

    @pydantic.model_validator(mode="after")
    def ordered(self) -> Fare:
        if self.low > self.high:
            raise ValueError("low is above *high*")
        return self


def test_a_form_tells_the_limits_of_its_fields() -> None:
    booking, fare = (form_of(kind).shown("x").fields for kind in (Booking, Fare))
    assert booking == (
        FormField(name="seats", label="How many?", kind="number", whole=True, least="1", most="8"),
        FormField(name="price", label="Price", kind="number", least="1", most="99.5", optional=True),
        FormField(name="code", label="Code", shortest=2, longest=4),
        FormField(name="day", label="Day", kind="date", optional=True, value="2026-03-01"),
        FormField(name="website", label="Website", kind="url", optional=True),
        FormField(name="notes", label="Notes", kind="long", longest=9, optional=True, value="none"),
        FormField(name="warm", label="Warm", kind="choice", choices=booking[6].choices, optional=True, value="Yes"),
    )
    assert fare[:2] == (
        FormField(name="seats", label="Seats", kind="number", whole=True, least="1", most="8"),
        FormField(name="code", label="Code", shortest=2, longest=4, optional=True, value="AB"),
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("seats", "2", ""),
        ("seats", "two", ""),
        ("seats", "2.0", ""),
        ("seats", "2.5", "I need a whole number, such as 3."),
        ("seats", "0", "It should be at least 1."),
        ("seats", "9", "It should be at most 8."),
        ("seats", "", "I need an answer."),
        ("price", "", ""),
        ("price", "1.200", ""),
        ("price", "cheap", "I need a number, such as 2.5."),
        ("price", "99.51", "It should be at most 99.5."),
        ("code", "A", "It should have at least 2 characters."),
        ("code", "ABCDE", "It should have at most 4 characters."),
        ("day", "the day", "I need a date, such as tomorrow or 3 March."),
        ("website", "x.example/a?b", ""),
        ("website", "no page", "I need a web address, such as https://example.com."),
        ("notes", "0123456789", "It should have at most 9 characters."),
        ("warm", "maybe", "I need one of: Yes, No."),
        ("warm", "no", ""),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
async def test_what_is_wrong_is_known_before_a_form_is_sent(
    name: str, text: str, problem: str, restarted: bool
) -> None:
    """In the process that asked, and in another one, which has only what is stored."""
    async with Bot(asking(Booking)) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        token = shown(bot).token
        if restarted:
            await bot.restart()
        values = {"seats": "2", "code": "AB", name: text}
        assert await problems(bot, u, Submitted(token=token, values=values)) == ({name: problem} if problem else {})
        assert await problems(bot, u, Submitted(token="of-before.form", values={})) == {}
        before = len(bot.platforms["team"].taken)
        await u.fills_in(values)
        assert len(bot.platforms["team"].taken) == before + 1
        if problem:
            u.sees("[ Fill in ]")
        else:
            u.sees("got Booking")


async def test_what_only_the_type_knows_is_told_where_its_handler_waits_and_else_by_the_turn() -> None:
    async with Bot(asking(Fare)) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        wrong = Submitted(token=shown(bot).token, values={"seats": "2", "low": "3"})
        assert await problems(bot, u, wrong) == {"": "low is above *high*."}
        await bot.restart()
        assert await problems(bot, u, wrong) == {}
        await u.fills_in(dict(wrong.values))
        u.sees("low is above *high*.", "[ Fill in ]")


async def test_a_type_that_breaks_is_left_to_the_turn() -> None:
    class Odd(msgspec.Struct):
        count: int

        def __post_init__(self) -> None:
            raise ZeroDivisionError

    async with Bot(asking(Odd)) as bot, bot.user(channel="team") as u:
        await u.says("/contact")
        assert await problems(bot, u, Submitted(token=shown(bot).token, values={"count": "2"})) == {}
