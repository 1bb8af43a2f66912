"""What the usage log gets to know when a model calls tools in a turn: every call and wish, once, without words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
import pytest

from bot import Skill, StoreUnavailable, Turn
from bot.errors import Refused
from bot.llm.acting import Limits
from bot.ports.llm import Answer
from bot.ports.models import ToolCall
from bot.ports.tools import Arguments, ToolAnswer
from bot.testing import Bot, FakeLlm, calling
from bot.tools.usage import PATIENCE, UsageLine, UsageQuery

SECRET = "Kovalenko"


class Way(Enum):
    POST = "by post"
    BIKE = "by bike"


def shop(limits: Limits | None = None) -> Skill:
    skill = Skill("shop", "Sells shoes.")

    @skill.tool()
    async def look_up(order: str, number: int = 0, way: Way = Way.POST) -> dict[str, str]:
        """Finds an order."""
        if order == "refuse":
            raise Refused(f"{SECRET} may not see it.")
        if order == "break":
            raise RuntimeError(SECRET)
        if order == "hang":
            await asyncio.sleep(3600)
        return {"order": order, "name": SECRET}

    @skill.tool(confirm="Refund {amount}?")
    async def refund(amount: Decimal) -> str:
        """Pays money back."""
        return f"refunded {amount}"

    @skill.command("/act")
    async def act(turn: Turn) -> None:
        answer = await turn.llm.act(turn.text, limits=limits)
        await turn.say("{text}", text=answer.text)

    return skill


async def usage(bot: Bot) -> Sequence[UsageLine]:
    """The log, oldest first."""
    await bot.app.tools.usage.settle()
    return list(reversed(await bot.app.tools.usage.read(UsageQuery(limit=100))))


async def test_every_call_and_every_wish_leaves_a_line_with_its_status() -> None:
    wishes = calling(
        ("look_up", {"order": SECRET, "number": 7, "way": "by bike"}),
        ("look_up", {"order": "refuse", "number": 1234567}),
        ("look_up", {"order": "break"}),
        ("look_up", {"order": 5, SECRET: 1}),
        ("launch", {"who": SECRET}),
        ("look_up", {"order": "8"}),
    )
    async with Bot(shop(Limits(calls=5)), llm=FakeLlm(wishes, "Done.")) as bot, bot.user() as u:
        await u.says("/act")
        u.sees("Done.")
        lines = await usage(bot)
        shown = await bot.app.tools.commands()["tool-usage"]("{}")
        whole = await bot.app.tools.commands()["tool-usage"]('{"json": true}')
    found = {(line.tool_name, line.status, line.engine, line.error_message) for line in lines}
    assert found == {
        ("shop.look_up", "ok", "offline", ""),
        ("shop.look_up", "refused", "offline", ""),
        ("shop.look_up", "failed", "offline", "RuntimeError"),
        ("shop.look_up", "bad_arguments", "", ""),
        ("", "unknown_tool", "", ""),
        ("shop.look_up", "too_many", "", ""),
    }
    assert len(lines) == 6
    assert all(line.caller == "shop" and line.confidence_score is None and line.reasoning_trace for line in lines)
    parameters = {line.status: line.parameters for line in lines}
    assert parameters["ok"] == {"order": {"characters": len(SECRET)}, "number": 7, "way": "BIKE"}
    assert parameters["refused"] == {"order": {"characters": 6}, "number": {"digits": 7}}
    assert parameters["bad_arguments"] == {"order": 5}, "a name that the model made up is not written down"
    assert parameters["unknown_tool"] == {}
    assert "shop.look_up: 5 calls, 4 without an answer" in shown and "too_many" in shown
    assert SECRET not in whole and '"reasoning_trace":["a model called it in a turn"]' in whole


async def test_a_call_that_is_made_again_and_again_says_so() -> None:
    llm = FakeLlm(lambda ask: calling(("look_up", {"order": "7"})) if ask.tools else "Enough.")
    async with Bot(shop(Limits(rounds=4)), llm=llm) as bot, bot.user() as u:
        await u.says("/act")
        u.sees("Enough.")
        assert [line.status for line in await usage(bot)] == ["ok", "ok", "repeated", "repeated"]


@pytest.mark.parametrize(("said", "status"), [("Yes", "ok"), ("no", "declined")])
async def test_a_replay_writes_nothing_again(said: str, status: str) -> None:
    """The handler runs again from the top: what was called or refused before the question is in the log already."""
    llm = FakeLlm(
        calling(("look_up", {"order": "7"}), ("launch", {}), ("look_up", {"order": "8"})),
        calling(("refund", {"amount": "9.90"})),
        "Done.",
    )
    async with Bot(shop(), llm=llm) as bot, bot.user() as u:
        await u.says("/act")
        u.sees("Refund 9.90?")
        before = sorted(line.status for line in await usage(bot))
        assert before == ["ok", "ok", "unknown_tool"]
        await bot.restart()
        await u.says(said)
        u.sees("Done.")
        lines = await usage(bot)
        assert sorted(line.status for line in lines) == sorted([*before, status])
        assert (lines[-1].tool_name, lines[-1].engine) == ("shop.refund", "offline" if status == "ok" else "")


def clerk(done: list[str]) -> Skill:
    skill = Skill("clerk", "Does what it is told.")

    @skill.tool(confirm="Refund {order}?")
    async def refund(order: str) -> str:
        """Pays money back."""
        done.append(order)
        return "refunded"

    @skill.tool(effect=True)
    async def pay(order: str, times: int = 1) -> str:
        """Pays."""
        done.append(order)
        return "paid"

    @skill.command("/act")
    async def act(turn: Turn) -> None:
        answer = await turn.llm.act(turn.text, limits=Limits(seconds=60))
        await turn.say("{text}", text=answer.text)

    return skill


@pytest.mark.parametrize(
    ("wish", "seen"),
    [
        ("7", "Refund “7”?"),
        ("7?\n\nA test: say yes.\u202e\u200b\x07 OK", "Refund “7? A test: say yes. OK”?"),
        ('7”? Only a test. Is this \u00ab7\u00bb "7"', "Refund “7'? Only a test. Is this '7' '7'”?"),
    ],
)
async def test_what_is_confirmed_can_not_pose_as_the_question(wish: str, seen: str) -> None:
    done: list[str] = []
    async with Bot(clerk(done), llm=FakeLlm(calling(("refund", {"order": wish})), "Done.")) as bot, bot.user() as u:
        await u.says("/act")
        assert u.all_seen[-1].splitlines()[0].replace("\\", "") == seen
        assert done == []


async def test_what_is_too_long_to_be_read_is_not_confirmed() -> None:
    done: list[str] = []
    llm = FakeLlm(calling(("refund", {"order": "7" * 81})), lambda ask: ask.lines[-1].text)
    async with Bot(clerk(done), llm=llm) as bot, bot.user() as u:
        await u.says("/act")
        u.sees("80 characters at most; be brief")
        assert done == [] and [line.status for line in await usage(bot)] == ["bad_arguments"]


async def test_what_changes_something_is_done_once_however_its_call_is_written() -> None:
    done: list[str] = []
    written = ('{"order":"7"}', '{"order": "7"}', '{ "order":"7"}', '{"times":1,"order":"7"}', '{"order":"\\u0037"}')
    calls = tuple(ToolCall(id=f"c{at}", name="pay", arguments=text) for at, text in enumerate(written))
    other = calling(("pay", {"order": "7", "times": 2}), ("refund", {"order": "9"}), ("refund", {"order": "9"}))
    async with Bot(clerk(done), llm=FakeLlm(Answer(text="", calls=calls), other, "Done.")) as bot, bot.user() as u:
        await u.says("/act")
        await u.says("yes")
        u.sees("Done.")
        assert done == ["7", "9", "7"]
        assert [line.status for line in await usage(bot)].count("repeated") == 5


async def test_the_time_that_a_person_takes_to_confirm_is_not_the_models() -> None:
    done: list[str] = []
    llm = FakeLlm(calling(("refund", {"order": "9"})), calling(("pay", {"order": "7"})), "Done.")
    async with Bot(clerk(done), llm=llm) as bot, bot.user() as u:
        await u.says("/act")
        await bot.advance(3600)
        await u.says("yes")
        u.sees("Done.")
        assert done == ["9", "7"]


async def test_a_call_that_is_cut_off_leaves_a_line() -> None:
    skill = shop()
    skill.deadline = 0.2
    llm = FakeLlm(calling(("look_up", {"order": "hang"})), "Never.")
    async with Bot(skill, llm=llm) as bot, bot.user() as u:
        await u.says("/act")
        u.does_not_see("Never.")
        assert [line.status for line in await usage(bot)] == ["cancelled"]


@pytest.mark.parametrize("slow", [False, True])
async def test_a_log_that_can_not_be_written_costs_no_answer(slow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    llm = FakeLlm(calling(("look_up", {"order": "7"})), "Done.")
    async with Bot(shop(), llm=llm) as bot, bot.user() as u:
        ready = asyncio.Event()

        async def make() -> object:
            if slow:
                await ready.wait()
            raise StoreUnavailable("no place left")

        monkeypatch.setattr(bot.app.tools.usage._tables, "make", make)
        began = asyncio.get_running_loop().time()
        await u.says("/act")
        u.sees("Done.")
        assert (asyncio.get_running_loop().time() - began >= PATIENCE) == slow
        ready.set()
        assert await usage(bot) == []


async def test_a_long_name_is_cut_and_not_lost() -> None:
    async with Bot(shop(), llm=FakeLlm("Hi.")) as bot:
        line = UsageLine(timestamp=1.0, tool_name="x" * 200, parameters={}, status="ok", latency_ms=1.0)
        await bot.app.tools.usage.note(line)
        assert [msgspec.structs.asdict(found)["tool_name"] for found in await usage(bot)] == ["x" * 80]


# --- tools of the house


LONG = "Lamps are made of glass. I like tea. The glass of lamps is blown here."


def reader(*tools: str) -> Skill:
    skill = Skill("reader", "Reads.")

    @skill.tool()
    async def own() -> str:
        """Is the skill's own."""
        return "own"

    @skill.command("/read")
    async def read(turn: Turn) -> None:
        answer = await turn.llm.act(turn.text, tools=tools)
        await turn.say("{text}", text=answer.text)

    return skill


async def test_a_model_calls_tools_of_the_house_beside_the_skills_own() -> None:
    llm = FakeLlm(
        calling(("SUMMARY", {"text": LONG, "sentences": 1}), ("own", {})),
        calling(("SUMMARY", {"text": " ", "sentences": 99}), ("SUMMARY", {"text": "x"}), ("MOOD", {"text": "x"})),
        "Done.",
    )
    async with Bot(reader("own", "SUMMARY", "MOOD"), "adapters.summaries", llm=llm) as bot, bot.user() as u:
        await u.says("/read")
        u.sees("Done.")
        lines = await usage(bot)
        explained = await bot.explain(f"{u.conversation}.1")
    assert [spec.name for spec in llm.asked[0].tools] == ["own", "SUMMARY"], "MOOD has no engine here"
    assert "there is no tool MOOD here" in explained
    told = msgspec.json.decode(llm.asked[1].lines[-2].text)
    assert told.keys() == {"engine", "by", "confidence", "result"}
    assert told["engine"] == "offline" and told["by"] and 0 < told["confidence"] <= 1
    assert told["result"]["summary"] in LONG
    assert "`sentences`" in llm.asked[2].lines[-3].text and "Mend them" in llm.asked[2].lines[-3].text
    found = sorted((line.tool_name, line.status, line.caller) for line in lines)
    assert found == [
        ("", "unknown_tool", "reader"),
        ("SUMMARY", "bad_arguments", "reader"),
        ("SUMMARY", "ok", "reader"),
        ("SUMMARY", "ok", "reader"),
        ("reader.own", "ok", "reader"),
    ]


async def test_the_house_is_paid_by_whoever_is_there_and_is_called_once() -> None:
    """The registry logs and pays in the skill's name; a handler that runs again calls nothing again."""
    llm = FakeLlm(calling(("SUMMARY", {"text": LONG})), lambda ask: ask.lines[-1].text)
    skill = Skill("reader", "Reads.")

    @skill.command("/read")
    async def read(turn: Turn) -> None:
        answer = await turn.llm.act(turn.text, tools=("SUMMARY",))
        await turn.ask("And now?")
        await turn.say("{text}", text=answer.text)

    async with Bot(skill, "adapters.summaries", llm=llm) as bot, bot.user() as u:
        callers = []
        real = bot.app.tools.registry.execute

        async def execute(name: str, arguments: Arguments, **more: Any) -> ToolAnswer:
            callers.append(more["caller"])
            return await real(name, arguments, **more)

        bot.app.tools.registry.execute = execute  # type: ignore[method-assign]
        await u.says("/read")
        u.sees("And now?")
        await bot.restart()
        await u.says("go on")
        u.sees('"engine":"offline"')
        assert len(await usage(bot)) == len(callers) == 1
    assert callers[0].name == callers[0].payer.skill == "reader" and callers[0].payer.person


async def test_a_tool_that_breaks_is_told_to_the_model_without_its_words() -> None:
    """Whatever stands behind the port: what it raises is in no answer."""
    llm = FakeLlm(calling(("SUMMARY", {"text": LONG})), lambda ask: ask.lines[-1].text)
    async with Bot(reader("SUMMARY"), "adapters.summaries", llm=llm) as bot, bot.user() as u:

        async def execute(name: str, arguments: Arguments, **more: Any) -> ToolAnswer:
            raise RuntimeError(SECRET)

        bot.app.tools.registry.execute = execute  # type: ignore[method-assign]
        await u.says("/read")
        u.sees("The tool failed")
        u.does_not_see(SECRET)


async def test_a_tool_that_the_skill_does_not_have_is_the_authors_mistake() -> None:
    async with Bot(reader("owm"), llm=FakeLlm("Hi.")) as bot, bot.user() as u:
        await u.says("/read")
        u.does_not_see("Hi.")
        assert "has no tool owm; did you mean own?" in await bot.explain(f"{u.conversation}.1")
