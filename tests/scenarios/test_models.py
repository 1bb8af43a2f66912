"""Skills that ask language models: what people see when one answers, calls tools, fails, or when the process dies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import BaseModel

from bot import NoAnswer, PluginError, Skill, StartError, Turn
from bot.llm.acting import Limits
from bot.ports import Answer, Ask, Orders
from bot.testing import Bot, FakeLlm, calling, survives

AWAY = NoAnswer("all busy", sentence="I can't think right now, sorry.")


class Parcel(BaseModel):
    number: str
    items: int


class Bank:
    """What was really done."""

    def __init__(self) -> None:
        self.refunds: list[tuple[str, Decimal]] = []
        self.looked: list[str] = []


def shop(bank: Bank, limits: Limits | None = None) -> Skill:
    skill = Skill("shop", "Sells shoes.")

    @skill.tool()
    async def look_up(order: str) -> dict[str, str]:
        """Finds an order."""
        bank.looked.append(order)
        return {"order": order, "state": "delivered"}

    @skill.tool()
    async def broken(order: str) -> str:
        """Breaks."""
        raise RuntimeError("secret inner words")

    @skill.tool(confirm="Refund {amount} for {order}?")
    async def refund(order: str, amount: Decimal) -> str:
        """Pays money back."""
        bank.refunds.append((order, amount))
        return f"refunded {amount}"

    @skill.pattern(r"^ask (?P<what>.+)")
    async def ask(turn: Turn) -> None:
        answer = await turn.llm.answer(turn.slot("what") or "", system="You sell shoes.")
        await turn.say("{text}", text=answer.text)

    @skill.pattern(r"^act (?P<what>.+)")
    async def act(turn: Turn) -> None:
        answer = await turn.llm.act(turn.slot("what") or "", limits=limits)
        await turn.say("{text}", text=answer.text)

    @skill.pattern(r"^tell (?P<what>.+)")
    async def tell(turn: Turn) -> None:
        await turn.stream(turn.llm.stream(turn.slot("what") or ""))
        await turn.say("(end)")

    @skill.pattern(r"^read (?P<what>.+)")
    async def read(turn: Turn) -> None:
        parcel = await turn.llm.extract(turn.slot("what") or "", Parcel)
        mood = await turn.llm.classify(turn.text, {"glad": "is happy", "angry": "is not"})
        gist = await turn.llm.summarize(turn.text, words=10)
        await turn.say(
            "{number} x{items} {mood} {gist}", number=parcel.number, items=parcel.items, mood=mood, gist=gist
        )

    return skill


async def test_an_answer_is_said_and_explained() -> None:
    llm = FakeLlm(Answer(text="We *do*.", rung="model", provider="p", model="m", cost=1500))
    async with Bot(shop(Bank()), llm=llm) as bot, bot.user() as u:
        await u.says("ask do you sell boots?")
        u.sees("We *do*.")
        [asked] = llm.asked
        assert [line.role for line in asked.lines] == ["system", "user"]
        assert (asked.task, asked.payer.skill, asked.lines[1].text) == ("answer", "shop", "do you sell boots?")
        assert asked.payer.person
        assert "model     answer  model p/m" in await bot.explain(f"{u.conversation}.1")


async def test_without_an_answer_there_is_one_honest_sentence() -> None:
    async with Bot(shop(Bank()), llm=FakeLlm(AWAY)) as bot, bot.user() as u:
        await u.says("ask anything")
        u.sees("I can't think right now, sorry.")
        await u.says("tell me anything")
        u.sees("I can't think right now, sorry.", "(end)")
        assert "NO ANSWER: all busy" in await bot.explain(f"{u.conversation}.1")


async def test_without_any_model_there_is_one_too() -> None:
    async with Bot(shop(Bank())) as bot, bot.user() as u:
        await u.says("ask anything")
        u.sees("That is beyond me, sorry")


async def test_a_spent_budget_can_mean_a_person() -> None:
    spent = NoAnswer("the budget is spent", sentence="Let me get you a colleague.", spent=True, person=True)
    async with Bot(shop(Bank()), llm=FakeLlm(spent)) as bot, bot.user() as u:
        await u.says("ask anything")
        u.sees("Let me get you a colleague.", "passed this on to our team")


async def test_words_come_as_they_are_made_and_end_whole() -> None:
    async with Bot(shop(Bank()), llm=FakeLlm("One two three.")) as bot, bot.user() as u:
        await u.says("tell me numbers")
        u.sees("One two three.", "(end)")


async def test_texts_are_read_classified_and_summarized() -> None:
    llm = FakeLlm('{"number": "7", "items": "two"}', '{"number": "7", "items": 2}', '{"label": "glad"}', "Two of 7.")
    async with Bot(shop(Bank()), llm=llm) as bot, bot.user() as u:
        await u.says("read two of number 7 please")
        u.sees("7 x2 glad Two of 7.")
        assert [ask.task for ask in llm.asked] == ["extract", "extract", "classify", "summarize"]


# --- tools


async def test_tools_are_called_and_their_results_go_back() -> None:
    bank = Bank()
    llm = FakeLlm(calling(("look_up", {"order": "7"}), ("look_up", {"order": "8"})), "Both are delivered.")
    async with Bot(shop(bank), llm=llm) as bot, bot.user() as u:
        await u.says("act where are 7 and 8?")
        u.sees("Both are delivered.")
        assert bank.looked == ["7", "8"]
        assert {spec.name for spec in llm.asked[0].tools} == {"look_up", "broken", "refund"}
        told = llm.asked[1].lines
        assert [line.role for line in told] == ["user", "assistant", "tool", "tool"]
        assert [(line.call_id, line.text) for line in told[2:]] == [
            ("call_0", '{"order": "7", "state": "delivered"}'),
            ("call_1", '{"order": "8", "state": "delivered"}'),
        ]


@pytest.mark.parametrize(("said", "refunds"), [("Yes", [("7", Decimal("9.90"))]), ("no", [])])
async def test_what_changes_something_is_asked_about_first(said: str, refunds: list[tuple[str, Decimal]]) -> None:
    bank = Bank()
    llm = FakeLlm(calling(("refund", {"order": "7", "amount": "9.90"})), lambda ask: f"Done: {ask.lines[-1].text}")
    async with Bot(shop(bank), llm=llm) as bot, bot.user() as u:
        await u.says("act I want my money back")
        u.sees("Refund 9.90 for “7”?")
        assert bank.refunds == []
        await bot.restart()
        await u.says(said)
        u.sees("Done: refunded 9.90" if refunds else "Done: The person said no.")
        assert bank.refunds == refunds
        assert len(llm.asked) == 2, "nothing is asked again after the restart"


async def test_wrong_wishes_are_told_to_the_model_and_no_harm_is_done() -> None:
    bank = Bank()
    wrong = calling(
        ("look_up", {"number": "7"}),
        ("launch", {}),
        ("broken", {"order": "7"}),
        ("refund", {"order": "7", "amount": "lots"}),
    )
    llm = FakeLlm(wrong, "I could not.")
    async with Bot(shop(bank), llm=llm) as bot, bot.user() as u:
        await u.says("act now")
        u.sees("I could not.")
        misfit, unknown, failed, amount = (line.text for line in llm.asked[1].lines[-4:])
        assert "order" in misfit and "number" in misfit
        assert "There is no tool launch; there is look_up, broken, refund." in unknown
        assert "secret" not in failed and "The tool failed" in failed
        assert "amount" in amount
        assert (bank.looked, bank.refunds) == ([], [])


async def test_a_loop_without_an_end_has_one() -> None:
    bank = Bank()
    llm = FakeLlm(lambda ask: calling(("look_up", {"order": "7"})) if ask.tools else "That is all I know.")
    async with Bot(shop(bank), llm=llm) as bot, bot.user() as u:
        await u.says("act for ever")
        u.sees("That is all I know.")
        assert len(llm.asked) == Limits().rounds + 1
        assert bank.looked == ["7", "7"], "the same call is not made for ever"
        assert "used before" not in llm.asked[-1].lines[-1].text


@pytest.mark.parametrize("limits", [Limits(money=2500), Limits(rounds=3)])
async def test_money_and_rounds_end_it(limits: Limits) -> None:
    numbers = iter(range(100))

    def again(ask: Ask) -> str | Answer:
        return calling(("look_up", {"order": str(next(numbers))})) if ask.tools else "Enough."

    llm = FakeLlm(again)
    async with Bot(shop(Bank(), limits), llm=llm) as bot, bot.user() as u:
        await u.says("act for ever")
        u.sees("Enough.")
        assert len(llm.asked) == 4


async def test_it_goes_on_wherever_the_process_dies() -> None:
    bank = Bank()
    wishes = (calling(("look_up", {"order": "7"})), calling(("refund", {"order": "7", "amount": "5"})), "All done.")

    def answer(ask: Ask) -> str | Answer:
        return wishes[sum(line.role == "tool" for line in ask.lines)]

    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("act refund 7")
            u.sees("Refund 5 for “7”?")
            await u.says("yes")
            u.sees("All done.")

    assert await survives(scenario, shop(bank), llm=FakeLlm(answer), strict=True) > 5
    assert bank.refunds


# --- mistakes of authors


def loaded(confirm: str = "", **hints: object) -> Skill:
    skill = Skill("shop", "Sells.")

    async def tool(order: str) -> str:
        """Does."""
        return order

    @skill.command("/go")
    async def go(turn: Turn) -> None:
        await turn.say("Hi.")

    tool.__annotations__ |= hints
    skill.tool(confirm=confirm)(tool)
    return skill


@pytest.mark.parametrize(
    ("skill", "words"),
    [
        (loaded(confirm="Refund {amount}?"), "amount"),
        (loaded(order=Orders), "Orders"),
        (loaded(order=Bank), "JSON Schema"),
    ],
)
async def test_a_tool_that_can_not_work_is_told_at_the_start(skill: Skill, words: str) -> None:
    with pytest.raises(StartError, match=words):
        async with Bot(skill):
            pass


def test_a_tool_needs_words_and_await() -> None:
    skill = Skill("shop", "Sells.")
    with pytest.raises(PluginError, match="docstring"):

        @skill.tool()
        async def silent() -> None: ...

    with pytest.raises(PluginError, match="async def"):

        @skill.tool("Adds.")
        def plain() -> None: ...  # type: ignore[type-var]
