"""What is answered without any model, and what is honestly not."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace
from pydantic import BaseModel, create_model

from adapters.knowledge.files import KnowledgeFiles
from adapters.profiles.rules import ProfileRules
from adapters.summaries.textrank import TextRank
from bot.llm.house import furnish
from bot.llm.offline import Engines
from bot.llm.structured import read, schema_of
from bot.ports import Answer, Ask, KnowledgeEngine, Line, ProfileReader, Summarizer, ToolSpec
from bot.services import Services

PAGES = Path(__file__).resolve().parents[3] / "config" / "knowledge"


class Parcel(BaseModel):
    order_number: str
    email: str
    quantity: int | None = None


class Contact(BaseModel):
    name: str
    phone: str = ""


def engines(*, furnished: bool = True) -> Engines:
    services, made = Services(), Engines()
    furnish(made, services)
    if furnished:
        services.add(KnowledgeEngine, KnowledgeFiles(PAGES, vectors=False))
        services.add(Summarizer, TextRank())
        services.add(ProfileReader, ProfileRules())
    return made


def ask(task: str, text: str, *, system: str = "", shape: type[BaseModel] | None = None) -> Ask:
    lines = (Line(role="system", text=system), Line(role="user", text=text))
    return Ask(task=task, lines=lines, schema=schema_of(shape) if shape else None)


async def test_what_the_pages_say_is_an_answer_with_its_source() -> None:
    answer = await engines().answer(ask("answer", "How long does delivery take?"))
    assert answer is not None
    assert "3 to 5 business days" in answer.text
    assert "delivery.md" in answer.text
    assert (answer.rung, answer.provider, answer.cost) == ("offline", "house", 0)


async def test_what_they_do_not_say_is_none() -> None:
    made = engines()
    assert await made.answer(ask("answer", "Who won the match last night?")) is None
    tools = (ToolSpec(name="find", description="Finds.", parameters={"type": "object"}),)
    assert await made.answer(replace(ask("answer", "How long does delivery take?"), tools=tools)) is None, (
        "it can call nothing"
    )


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I want my money back", "refund"),
        ("where is my parcel", "delivery"),
        ("the weather is nice", "none"),
    ],
)
async def test_labels_are_told_by_likeness(text: str, label: str) -> None:
    shape = create_model("Label", label=(Literal["refund", "delivery", "none"], ...))
    system = "Say which label fits.\n- refund: wants money back\n- delivery: asks where the parcel is"
    answer = await engines().answer(ask("classify", text, system=system, shape=shape))
    assert answer is not None
    assert read(answer.text, shape).model_dump() == {"label": label}


async def test_fields_are_copied_and_never_made_up() -> None:
    made = engines()
    said = "Order 1000123 please, two pairs, I'm sam@example.com"
    answer = await made.answer(ask("extract", said, shape=Parcel))
    assert answer is not None
    found = read(answer.text, Parcel)
    assert (found.order_number, found.email) == ("1000123", "sam@example.com")
    assert await made.answer(ask("extract", "Two pairs please", shape=Parcel)) is None
    named = await made.answer(ask("extract", "My name is Ana Novak, call +43 664 1234567", shape=Contact))
    assert named is not None
    contact = read(named.text, Contact)
    assert contact.name == "Ana Novak"
    assert contact.phone.replace(" ", "").endswith("6641234567")


async def test_a_gist_is_made_of_the_texts_own_sentences() -> None:
    text = (
        "The parcel left on Monday. The parcel was in Graz on Tuesday. It rained. "
        "The parcel should have been here on Wednesday. My cat is called Mia."
    )
    answer = await engines().answer(ask("summarize", text, system="Summarize in at most 40 words."))
    assert answer is not None
    sentences = [one.strip(". ") for one in answer.text.split(". ")]
    assert len(sentences) == 2
    assert all(one in text for one in sentences)


@pytest.mark.parametrize("task", ["answer", "extract", "summarize", "judge", "embed"])
async def test_without_engines_there_is_nothing(task: str) -> None:
    answer: Answer | None = await engines(furnished=False).answer(ask(task, "Anything at all.", shape=None))
    assert answer is None
