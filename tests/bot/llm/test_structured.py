"""JSON from models that wrap it, break it and mend it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from bot.errors import Misfit
from bot.llm.structured import into, read, schema_of
from bot.ports import Answer, Ask, Line
from tests.growth import assert_linear


class Item(BaseModel):
    name: str
    count: int = Field(gt=0)


class Order(BaseModel):
    number: str
    items: list[Item] = []


GOOD = '{"number": "1000123", "items": [{"name": "shoe", "count": 2}]}'
ORDER = Order(number="1000123", items=[Item(name="shoe", count=2)])


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}```",
        f"Sure! Here it is:\n\n{GOOD}\n\nAnything else?",
        f"The shape is {{number, items}}, so: {GOOD}",
        f'I first thought {{"number": 1}} but no.\n```json\n{GOOD}\n```',
        f"  {GOOD}  ",
        f'{{"number": ["no"]}} is wrong. {GOOD}',
    ],
)
def test_it_is_found_wherever_it_stands(text: str) -> None:
    assert read(text, Order) == ORDER


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("I don't know.", "no JSON"),
        ("", "no JSON"),
        ('{"number": "1", "items": [{"name": "shoe", "count": 0}]}', "items.0.count"),
        ('{"items": []}', "number"),
        ('{"number": "1000', "no JSON"),
        ("[" * 5000, "no JSON"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(text: str, place: str) -> None:
    with pytest.raises(Misfit, match=place):
        read(text, Order)


@given(st.text(max_size=300))
def test_any_words_are_either_read_or_a_misfit(text: str) -> None:
    try:
        assert isinstance(read(text, Order), Order)
    except Misfit as misfit:
        assert str(misfit)


class Model:
    """Says these, one after another."""

    def __init__(self, *says: str) -> None:
        self.says, self.asked = list(says), list[Ask]()

    async def __call__(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        return Answer(text=self.says.pop(0))


ASK = Ask(task="extract", lines=(Line(role="user", text="Two shoes of 1000123"),), cache="tenant")


async def test_one_answer_is_enough_when_it_fits() -> None:
    model = Model(GOOD)
    assert await into(model, ASK, Order) == ORDER
    [asked] = model.asked
    assert asked.schema == schema_of(Order)
    assert asked.needs == ("json",)


async def test_a_mistake_is_told_once_and_mended() -> None:
    model = Model('{"number": "1000123", "items": [{"name": "shoe", "count": "two"}]}', GOOD)
    assert await into(model, ASK, Order) == ORDER
    told = model.asked[1]
    assert [line.role for line in told.lines] == ["user", "assistant", "user"]
    assert "items.0.count" in told.lines[-1].text
    assert told.cache == "never", "an answer to a correction is nobody else's"


async def test_the_second_mistake_is_the_callers() -> None:
    model = Model("no", "still no")
    with pytest.raises(Misfit):
        await into(model, ASK, Order)
    assert len(model.asked) == 2


def test_objects_are_closed_all_the_way_down() -> None:
    schema = schema_of(Order)

    def objects(part: Any) -> list[Any]:
        if isinstance(part, dict):
            mine = [part] if part.get("type") == "object" else []
            return mine + [found for value in part.values() for found in objects(value)]
        return [found for value in part for found in objects(value)] if isinstance(part, list) else []

    assert len(objects(schema)) == 2
    assert all(found["additionalProperties"] is False for found in objects(schema))


@pytest.mark.parametrize(("begin", "unit"), [("```json", "\n"), ("```", " "), ("```", "a"), ("", "``` "), ("", "[")])
def test_a_fence_that_never_closes_is_looked_through_once(begin: str, unit: str) -> None:
    def look(text: str) -> None:
        with pytest.raises(Misfit):
            read(text, Order)

    assert_linear(look, begin, unit, "x")
