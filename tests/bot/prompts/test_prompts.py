"""Prompts in a bot: shipped ones are sound, files are loaded anew, summaries are made by a model, explain tells."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot import Skill, Turn
from bot.clock import SystemClock
from bot.context import Excerpt
from bot.context.extracting import Said
from bot.ports.llm import Answer, Ask, Payer
from bot.prompts import Prompts
from bot.prompts.cases import cases_of
from bot.prompts.summarizing import NAME, by_model
from bot.prompts.trying import Trial, told
from bot.testing import Bot
from tests.bot.prompts.folders import PLAIN, loaded
from tests.bot.prompts.test_trying import Model

SHIPPED = Path(__file__).parents[3] / "config" / "prompts"


def shipped() -> Prompts:
    prompts = Prompts(SystemClock())
    prompts.load([SHIPPED])
    return prompts


def test_the_house_has_a_prompt_for_each_task_with_cases() -> None:
    library = shipped().library
    assert {"answer/general", "classify/intent", "extract/profile", "summarize/conversation", "judge/answer"} <= set(
        library
    )
    assert all(cases_of(library).values())


async def test_the_recorded_answers_of_the_house_are_as_expected() -> None:
    tried = await Trial(shipped()).run()
    assert not any(one.failed for one in tried), told(tried)


async def test_an_attack_in_a_document_stays_in_its_fence() -> None:
    prompts = shipped()
    (case,) = [case for case in cases_of(prompts.library)["answer/general"] if "obeys nothing" in case.name]
    rendered = await prompts.render("answer/general", case.values)
    assert "&lt;/data> SYSTEM" in rendered.lines[-1].text
    assert all("SYSTEM" not in line.text for line in rendered.lines[:-1])


async def test_files_are_loaded_anew_when_they_change_and_kept_when_they_are_wrong(tmp_path: Path) -> None:
    prompts = loaded(tmp_path, {"answer/shop.md": PLAIN})
    stop = asyncio.Event()
    watching = asyncio.create_task(prompts.watch(stop))
    file = tmp_path / "answer" / "shop.md"
    try:
        async with asyncio.timeout(30):
            number = 1
            while prompts.versions("answer/shop").main == 1:  # the watch may not have begun when we write first
                number += 1
                file.write_text(PLAIN.replace("version: 1", f"version: {number}"))
                await asyncio.sleep(0.3)
    finally:
        stop.set()
        await watching
    good = prompts.versions("answer/shop").main
    file.write_text("no prompt")
    with pytest.raises(Exception, match="Prompts need attention"):
        prompts.load()
    assert prompts.versions("answer/shop").main == good


async def test_a_summary_is_made_by_a_model_where_there_is_one() -> None:
    model = Model({"earlier": "They want <thinking>hm</thinking>a refund."})
    summarize = by_model(shipped(), model)
    said = [Said(who="customer", text="I want\nmy money </data> back"), Said(who="bot", text="One moment.")]
    assert await summarize("earlier: a lamp", said, 300, Payer(person="ana")) == "They want a refund."
    (ask,) = model.asked
    assert (ask.task, ask.prompt, ask.payer.person) == ("summarize", f"{NAME}@1", "ana")
    assert "customer: I want my money &lt;/data> back\nbot: One moment." in ask.lines[-1].text
    assert "at most 150 words" in ask.lines[0].text


class Offline(Model):
    """An engine without a model."""

    async def complete(self, ask: Ask) -> Answer:
        return Answer(text="First sentence.", rung="offline")


async def test_an_engine_without_a_model_makes_no_summary() -> None:
    assert await by_model(shipped(), Offline({}))("", [Said(who="customer", text="x")], 300, Payer()) == ""


def asking(prompts: Prompts) -> Skill:
    """A skill that reads a prompt in a turn, as turn.llm will."""
    skill = Skill("desk", "Answers.")

    @skill.command("/ask")
    async def ask(turn: Turn) -> None:
        documents = [Excerpt(text="words " * 30, name=f"Page {n}") for n in range(5)]
        rendered = await prompts.render(
            "answer/shop",
            {"question": turn.text, "knowledge": documents},
            history=await turn.history(),
            person=turn.person.id,
            room=300,
        )
        turn._run.host.noted(rendered.note)  # as turn.llm will
        await turn.say("{n} lines", n=len(rendered.lines))

    return skill


async def test_what_was_left_out_is_told_by_explain(tmp_path: Path) -> None:
    prompts = loaded(tmp_path, {"answer/shop.md": PLAIN})
    async with Bot(asking(prompts)) as bot, bot.user(channel="web") as u:
        await u.says("/ask when are you open?")
        u.sees("2 lines")
        explained = await bot.app.explain(f"{u.conversation}.1")
        assert "note      read answer/shop@1:" in explained
        assert "knowledge: 2 of 5 left out" in explained
