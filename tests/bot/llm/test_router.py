"""What becomes of a question when models fail in each of their ways. Time is virtual, so every second is exact."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import (
    AuthFailed,
    BadInquiry,
    ContentRefused,
    ModelBusy,
    NoAnswer,
    QuotaSpent,
    StreamBroken,
)
from bot.llm.offline import Engine
from bot.phrases import Phrases
from bot.ports.llm import Answer, Ask, Payer
from bot.ports.models import CallPiece, Finished, Line, Thinking, Usage, Words
from bot.testing.clock import START
from tests.bot.llm.scripted import CATALOGUE, DONE, House, Step, TestBooks, ask, busy, says, still

PHRASES = Phrases()


async def test_the_first_of_the_route_answers() -> None:
    house = House()
    answer = await house.run(house.router.complete(ask()))
    assert (answer.text, answer.provider, answer.model) == ("Hello from big", "one", "big")
    assert answer.cost == 100 * 1 + 10 * 4
    assert [entry.cost for entry in house.books.entries] == [answer.cost]
    assert house.books.open == {}


async def test_a_stream_shows_the_words_as_they_come() -> None:
    house = House()
    shown: list[str] = []
    assert await house.seen(ask(), shown.append) == "Hello from big"
    assert shown[:3] == ["Hello", "Hello from", "Hello from big"]


async def test_a_busy_model_makes_room_for_the_next_and_is_left_alone_as_long_as_it_asked_for() -> None:
    house = House()
    house.plan("big", busy(20), says("big is back"))
    first = await house.run(house.router.complete(ask()))
    assert first.model == "small"
    assert [attempt.model for attempt in first.attempts] == ["big", "small"]
    assert (await house.run(house.router.complete(ask()))).model == "small"
    house.clock.move(house.clock.now() + 20.1)
    assert (await house.run(house.router.complete(ask()))).text == "big is back"
    assert len(house.one.inquiries) == 2, "nobody asked it before its time"


async def test_when_all_are_busy_the_question_waits_and_comes_back() -> None:
    house = House()
    house.plan("big", busy(3), says("at last"))
    house.plan("small", busy(30))
    began = house.clock.now()
    answer = await house.run(house.router.complete(ask()))
    assert answer.text == "at last"
    assert house.clock.now() - began == pytest.approx(3, abs=0.01)


async def test_when_all_stay_busy_there_is_one_honest_sentence_and_no_long_wait_for_it() -> None:
    house = House()
    house.plan("big", busy(100))
    house.plan("small", busy(100))
    with pytest.raises(NoAnswer) as caught:
        await house.run(house.router.complete(ask()))
    assert caught.value.sentence == PHRASES.model_away
    assert house.books.spent == 0


async def test_a_provider_without_credit_is_out_with_all_its_models_until_a_probe() -> None:
    house = House()
    house.plan("big", [QuotaSpent("429 insufficient_quota")], says("paid"))
    for _ in range(3):
        assert (await house.run(house.router.complete(ask()))).model == "small"
    assert len(house.one.inquiries) == 1
    assert "one: no credit" in await house.router.trouble()
    house.clock.move(house.clock.now() + 301)
    assert (await house.run(house.router.complete(ask()))).text == "paid"
    assert await house.router.trouble() == ""


async def test_a_refused_key_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    house = House()
    house.plan("big", [AuthFailed("401")])
    for _ in range(3):
        assert (await house.run(house.router.complete(ask()))).model == "small"
    assert len(house.one.inquiries) == 1
    assert capsys.readouterr().out.count("provider_refused_the_key") == 1


async def test_a_bad_inquiry_goes_to_the_next_and_harms_nobody() -> None:
    house = House()
    house.plan("big", [BadInquiry("400")])
    for _ in range(7):
        assert (await house.run(house.router.complete(ask()))).model == "small"
    assert len(house.one.inquiries) == 7, "it is no failure of the model"


async def test_a_model_that_is_not_there_is_not_asked_each_time() -> None:
    house = House()
    house.plan("big", [BadInquiry("404", no_such_model=True)])
    for _ in range(3):
        await house.run(house.router.complete(ask()))
    assert len(house.one.inquiries) == 1


async def test_what_is_too_long_for_one_goes_to_a_larger_context() -> None:
    house = House()
    house.plan("big", [BadInquiry("400", too_long=True)])
    answer = await house.run(house.router.complete(ask("long", needs=())))
    assert answer.model == "huge"


async def test_what_is_too_long_for_all_is_cut_and_asked_again() -> None:
    house = House()
    house.plan("big", [BadInquiry("400", too_long=True)], says("now it fits"))
    lines = tuple(Line(role="user", text=f"line {number} " * 30) for number in range(20))
    answer = await house.run(house.router.complete(Ask(task="alone", lines=lines)))
    assert answer.text == "now it fits"
    assert answer.rung == "shorter"
    first, second = house.one.inquiries
    assert len(second.lines) < len(first.lines)
    assert second.lines[-1] == lines[-1], "the newest line stays"


async def test_what_can_not_be_cut_is_not_asked_again_and_again() -> None:
    house = House()
    house.plan("big", [BadInquiry("400", too_long=True)])
    with pytest.raises(NoAnswer) as caught:
        await house.run(house.router.complete(ask("alone")))
    assert caught.value.sentence == PHRASES.model_too_long
    assert len(house.one.inquiries) == 1


async def test_one_line_that_is_too_long_for_everybody_is_told_as_that() -> None:
    house = House()
    with pytest.raises(NoAnswer) as caught:
        await house.run(house.router.complete(ask(text="word " * 20_000)))
    assert caught.value.sentence == PHRASES.model_too_long
    assert house.one.inquiries == []


@pytest.mark.parametrize("how", ["error", "finish"])
async def test_what_a_filter_refuses_is_not_shopped_around(how: str) -> None:
    house = House()
    refused = [ContentRefused("filter")] if how == "error" else [Words(text="I"), Finished(reason="content")]
    house.plan("big", refused)  # type: ignore[arg-type]  # both are steps
    with pytest.raises(NoAnswer) as caught:
        await house.seen(ask())
    assert caught.value.refused
    assert caught.value.sentence == PHRASES.model_refused
    assert house.two.inquiries == []


async def test_a_route_may_say_that_the_next_one_is_asked_after_a_refusal() -> None:
    house = House()
    house.plan("big", [ContentRefused("filter")])
    assert (await house.run(house.router.complete(ask("careful")))).model == "small"


LONG_ANSWER = "The parcel left our house on Monday and is with the carrier now. It will reach you on Thursday."


async def test_a_stream_that_is_cut_is_gone_on_with_and_nothing_is_repeated() -> None:
    house = House()
    cut = LONG_ANSWER.index("will reach") + 2  # in the middle of a word
    house.plan("big", [Words(text=LONG_ANSWER[:cut]), StreamBroken("cut")])
    house.plan("small", says(LONG_ANSWER[cut - 2 :]))
    shown: list[str] = []
    assert await house.seen(ask(), shown.append) == LONG_ANSWER
    assert all(LONG_ANSWER.startswith(text) for text in shown), "it only ever grew"
    asked = house.two.inquiries[0].lines
    assert asked[-2].role == "assistant"
    assert asked[-2].text == LONG_ANSWER[: cut - 2].rstrip()
    assert [entry.problem for entry in house.books.entries] == ["StreamBroken: cut", ""]
    assert house.books.entries[0].usage.estimated


async def test_a_model_that_begins_again_repeats_nothing() -> None:
    house = House()
    house.plan("big", [Words(text=LONG_ANSWER[:80]), StreamBroken("cut")])
    house.plan("small", says(LONG_ANSWER))
    shown: list[str] = []
    assert await house.seen(ask(), shown.append) == LONG_ANSWER
    assert all(LONG_ANSWER.startswith(text) for text in shown)


async def test_little_that_was_said_is_replaced() -> None:
    house = House()
    house.plan("big", [Words(text="Well, let me"), StreamBroken("cut")])
    house.plan("small", says("Your parcel arrives on Thursday."))
    shown: list[str] = []
    assert await house.seen(ask(), shown.append) == "Your parcel arrives on Thursday."
    assert len(house.two.inquiries[0].lines) == 1, "asked from the beginning"


async def test_a_stream_that_falls_silent_is_broken() -> None:
    house = House()
    house.plan("big", [Words(text="Well, let me"), 1000.0])
    house.plan("small", says("Here you are."))
    began = house.clock.now()
    assert await house.seen(ask()) == "Here you are."
    assert house.clock.now() - began < 11
    assert house.one.cut_off == 1


async def test_a_call_that_was_cut_off_is_not_made() -> None:
    house = House()
    house.plan("big", [CallPiece(index=0, id="a", name="pay", arguments='{"amo'), StreamBroken("cut")])
    house.plan("small", [CallPiece(index=0, id="b", name="pay", arguments='{"amount": 1}'), DONE])
    answer = await house.run(house.router.complete(ask()))
    assert [call.arguments for call in answer.calls] == ['{"amount": 1}']
    assert answer.finish == "tools"


async def test_a_model_that_says_nothing_has_not_answered() -> None:
    house = House()
    house.plan("big", [Finished(reason="length", usage=Usage(prompt=5, completion=100))])
    answer = await house.run(house.router.complete(ask()))
    assert answer.model == "small"
    assert answer.cost == house.books.spent, "it was paid for all the same"


async def test_a_model_that_goes_on_with_nothing_has_not_answered() -> None:
    house = House()
    house.plan("big", [Words(text=LONG_ANSWER[:80]), StreamBroken("cut")])
    house.plan("small", [DONE], says(LONG_ANSWER))
    assert await house.seen(ask(deadline=60.0)) == LONG_ANSWER


async def test_a_model_that_nobody_can_stand_in_for_may_be_late_but_not_fall_silent() -> None:
    house = House()
    house.plan("big", [15.0, Words(text="Well, let me"), 1000.0], says("Here you are.", after=15.0))
    assert await house.seen(ask("alone", deadline=90.0)) == "Here you are."
    assert house.clock.now() - START < 60


async def test_a_second_request_that_comes_too_late_is_not_made() -> None:
    house = House()
    for _ in range(15):
        await house.run(house.router.complete(ask()))
    house.plan("big", [2.0, Words(text="just in time"), 1.0, DONE])
    answer = await house.run(house.router.complete(ask()))
    assert answer.text == "just in time"
    assert house.two.inquiries == []
    assert answer.cost == 140


async def test_a_slow_first_word_is_overtaken_by_a_second_request() -> None:
    house = House()
    for _ in range(15):
        await house.run(house.router.complete(ask()))  # earns the credit for a second request
    house.plan("big", says("slow", after=20.0))
    began = house.clock.now()
    answer = await house.run(house.router.complete(ask()))
    assert answer.model == "small"
    assert house.clock.now() - began == pytest.approx(2, abs=0.1)
    assert house.one.cut_off == 1
    assert [attempt.problem for attempt in answer.attempts] == ["cancelled", ""]
    assert answer.cost == sum(entry.cost for entry in house.books.entries[-2:])


THINKS: list[Step] = [1.0, Thinking(text="let me see, the parcel left on Monday")] * 15


async def test_a_model_that_thinks_is_neither_given_up_nor_hedged_and_its_thoughts_are_shown_to_nobody() -> None:
    house = House()
    for _ in range(15):
        await house.run(house.router.complete(ask()))
    house.plan("big", [*THINKS, *says("on Thursday")])
    shown: list[str] = []
    assert await house.seen(ask(), shown.append) == "on Thursday"
    assert house.two.inquiries == []
    assert shown[0] == "on"


async def test_thoughts_are_paid_for_but_never_more_than_was_held() -> None:
    house = House()
    house.plan("big", [*THINKS[:6], StreamBroken("cut")], [*THINKS, *THINKS, StreamBroken("cut")])
    for _ in range(2):
        assert (await house.run(house.router.complete(ask(deadline=90.0)))).model == "small"
    few, many = (entry.usage.completion for entry in house.books.entries if entry.model == "big")
    assert 20 < few < 40
    assert many == 100


async def test_one_that_was_given_up_before_it_said_anything_may_have_been_at_work() -> None:
    house = House()
    house.plan("big", [1000.0])
    await house.run(house.router.complete(ask()))
    given_up = house.books.entries[0]
    assert (given_up.model, given_up.usage.completion, given_up.usage.estimated) == ("big", 100, True)


async def test_nobody_is_given_up_for_one_who_could_not_begin_in_time() -> None:
    house = House()
    house.plan("big", says("just in time", after=10.7))
    answer = await house.run(house.router.complete(ask(deadline=10.9)))
    assert answer.model == "big"


async def test_second_requests_are_no_more_than_their_share() -> None:
    house = House()
    house.plan("big", says("slow", after=2.5))
    for _ in range(100):
        await house.run(house.router.complete(ask()))
    assert len(house.two.inquiries) <= 10


async def test_a_hanging_provider_is_given_up_for_the_next_one_and_its_breaker_opens() -> None:
    house = House()
    house.plan("big", [1000.0])
    began = house.clock.now()
    answers = await house.run(asyncio.gather(*(house.router.complete(ask()) for _ in range(2))))
    assert {answer.model for answer in answers} == {"small"}
    assert house.clock.now() - began < 11
    for _ in range(4):
        await house.run(house.router.complete(ask()))
    asked = len(house.one.inquiries)
    await house.run(house.router.complete(ask()))
    assert len(house.one.inquiries) == asked, "the breaker is open"
    assert "one/big" in await house.router.trouble()


async def test_a_breaker_lets_one_probe_through_and_closes_when_that_works() -> None:
    house = House()
    house.plan("big", *[[ModelBusy("500")]] * 5, says("well again", after=0.5))
    for _ in range(5):
        await house.run(house.router.complete(ask()))
    assert len(house.one.inquiries) == 5
    await house.run(house.router.complete(ask()))
    assert len(house.one.inquiries) == 5
    house.clock.move(house.clock.now() + 5.1)
    answers = await house.run(asyncio.gather(*(house.router.complete(ask()) for _ in range(6))))
    assert sorted(answer.model for answer in answers) == ["big"] + ["small"] * 5
    assert await house.router.trouble() == ""


async def test_the_deadline_includes_everything() -> None:
    house = House()
    house.plan("big", says("slow", after=50.0))
    house.plan("small", busy(2), says("slow too", after=50.0))
    began = house.clock.now()
    with pytest.raises(NoAnswer) as caught:
        await house.run(house.router.complete(ask(deadline=8.0)))
    assert house.clock.now() - began == pytest.approx(8.0, abs=0.01)
    assert caught.value.sentence == PHRASES.model_slow
    assert house.one.at_once == house.two.at_once == 0
    assert house.books.open == {}


async def test_half_an_answer_at_the_deadline_is_taken_back() -> None:
    house = House()
    house.plan("big", says("one two three four five six", gap=1.0))
    shown: list[str] = []
    with pytest.raises(NoAnswer):
        await house.seen(ask("alone", deadline=3.5), shown.append)
    assert shown[-1] == ""


async def test_closing_the_stream_ends_it_at_once_and_what_was_used_is_paid() -> None:
    house = House()
    house.plan("big", says("one two three four", gap=1.0))
    stream = house.router.stream(ask())
    await house.run(anext(stream))
    await stream.aclose()
    await still()
    assert house.one.at_once == 0
    assert house.one.cut_off == 1
    (entry,) = house.books.entries
    assert entry.problem == "cancelled"
    assert entry.usage.estimated
    assert entry.usage.prompt > 0
    assert house.clock.next_waking is None, "no clock of it ticks on"


async def test_no_more_at_once_than_the_provider_may_have_and_tenants_take_turns() -> None:
    house = House()
    house.plan("big", says("answer", after=1.0))
    order: list[str] = []

    async def one(tenant: str) -> None:
        await house.router.complete(ask("alone", payer=Payer(tenant=tenant)))
        order.append(tenant)

    await house.run(asyncio.gather(*(one(name) for name in ["a", "a", "a", "a", "a", "b"])))
    assert house.one.most_at_once == 2
    assert order.index("b") < 4, "it did not wait for all of the other tenant's"


async def test_a_budget_is_never_passed() -> None:
    house = House(TestBooks(budget=2000))
    answers = await house.run(
        asyncio.gather(*(house.router.complete(ask("alone")) for _ in range(20)), return_exceptions=True)
    )
    denied = [answer for answer in answers if isinstance(answer, NoAnswer)]
    assert denied
    assert all(answer.spent and answer.person and answer.sentence == PHRASES.model_spent for answer in denied)
    assert house.books.spent <= 2000


async def test_somebody_cheaper_still_fits_into_a_budget() -> None:
    house = House(TestBooks(budget=200))
    assert (await house.run(house.router.complete(ask()))).model == "small"


async def test_a_second_request_without_money_leaves_the_way_open_for_those_after_the_first() -> None:
    house = House()
    for _ in range(15):
        await house.run(house.router.complete(ask()))
    house.plan("big", [5.0, ModelBusy("500")])
    house.books.budget = house.books.spent + 450  # the first one and half of a second
    answer = await house.run(house.router.complete(ask()))
    assert [attempt.model for attempt in answer.attempts] == ["big", "small"]


async def test_on_its_rung_a_budget_chooses_cheaper_models_and_shorter_prompts() -> None:
    house = House(TestBooks(levels=[(100, "cheaper"), (200, "shorter")]))
    lines = tuple(Line(role="user", text=f"line {number} " * 20) for number in range(10))
    asked = Ask(task="answer", lines=lines)
    rungs = []
    for _ in range(7):
        answer = await house.run(house.router.complete(asked))
        rungs.append((answer.model, answer.rung))
    assert rungs[0] == ("big", "model")
    assert rungs[1] == ("small", "cheaper")
    assert rungs[-1] == ("small", "shorter")
    assert len(house.two.inquiries[-1].lines) < len(lines)


async def test_the_cheaper_one_may_answer_at_no_more_length_than_was_paid_for() -> None:
    talkative = CATALOGUE.replace("{model: small, max_tokens: 100}", "{model: small, max_tokens: 4000}")
    house = House(TestBooks(levels=[(0, "cheaper")]), talkative.replace("context: 2000", "context: 9000"))
    answer = await house.run(house.router.complete(ask()))
    assert (answer.model, answer.rung) == ("small", "cheaper")
    (held,), (inquiry,) = house.books.held, house.two.inquiries
    assert inquiry.params.max_tokens is not None
    assert held - 5 < inquiry.params.max_tokens * 0.8 + 2 < held < 4000 * 0.8


async def test_books_that_can_not_be_asked_let_nobody_spend() -> None:
    house = House()
    house.books.broken = True
    with pytest.raises(NoAnswer) as caught:
        await house.run(house.router.complete(ask()))
    assert caught.value.sentence == PHRASES.model_away
    assert house.one.inquiries == []


async def test_what_the_books_could_not_take_is_settled_when_they_are_back() -> None:
    house = House()
    house.books.away = 4
    await house.run(house.router.complete(ask()))
    assert [entry.cost for entry in house.books.entries] == [140]
    assert house.books.open == {}
    assert house.clock.now() - START == pytest.approx(0.5 + 1 + 2 + 4)


async def test_closing_tries_a_last_time_and_does_not_wait_for_books_that_stay_away() -> None:
    for away, settled in ((1, 1), (1000, 0)):
        house = House()
        house.books.away = away
        await house.router.complete(ask())
        await still()
        await house.router.close()
        assert len(house.books.entries) == settled
        assert house.clock.now() == START


class Parrot(Engine):
    """An engine of the house."""

    tasks = ("summarize",)

    async def answer(self, ask: Ask) -> Answer | None:
        return Answer(text=ask.lines[-1].text.partition(".")[0] + ".", rung="offline")


async def test_without_a_model_an_engine_of_the_house_answers_or_one_sentence_does() -> None:
    house = House(text="providers: {}\n")
    house.router.engines.add(Parrot())
    assert not house.router.there
    answer = await house.run(house.router.complete(ask("summarize", "First. Second.")))
    assert (answer.text, answer.rung, answer.cost) == ("First.", "offline", 0)
    with pytest.raises(NoAnswer) as caught:
        await house.run(house.router.complete(ask()))
    assert caught.value.sentence == PHRASES.model_none


async def test_where_no_model_is_able_nobody_is_told_that_one_is_away() -> None:
    house = House()
    with pytest.raises(NoAnswer) as caught:
        await house.run(house.router.complete(ask(needs=("long_context",))))
    assert caught.value.sentence == PHRASES.model_none


async def test_what_may_be_kept_is_streamed_once_to_all_and_the_rest_to_each() -> None:
    house = House(kept=True)
    house.plan("big", says("first answer", gap=1.0), says("second answer", gap=1.0))
    both = await house.run(asyncio.gather(*(house.shown(ask(cache="tenant")) for _ in range(2))))
    assert both == ["first answer", "first answer"]
    assert len(house.one.inquiries) == 1
    await house.run(house.shown(ask()))
    await house.run(house.shown(ask(cache="person")))
    await house.run(house.shown(ask(cache="person")))
    assert len(house.one.inquiries) == 4, "what may not be kept is asked anew, and so is what is nobody's"
    assert (await house.run(house.router.complete(ask(cache="tenant")))).rung == "cache"


async def test_an_engine_of_the_house_steps_in_when_models_fail() -> None:
    house = House()
    house.router.engines.add(Parrot())
    house.plan("big", busy(100))
    house.plan("small", busy(100))
    answer = await house.run(house.router.complete(ask("summarize", "First. Second.")))
    assert answer.rung == "offline"
    assert len(answer.attempts) == 2


async def test_an_engine_of_the_house_that_takes_too_long_is_not_waited_for() -> None:
    house = House()

    class Sloth(Parrot):
        async def answer(self, ask: Ask) -> Answer | None:
            await house.clock.sleep(600)
            return await super().answer(ask)

    house.router.engines.add(Sloth())
    house.plan("big", says("slow", after=50.0))
    house.plan("small", busy(100))
    with pytest.raises(NoAnswer):
        await house.run(house.router.complete(ask("summarize", "First. Second.", deadline=8.0)))
    assert house.clock.now() - START == pytest.approx(8.6)
    assert house.clock.next_waking is None


async def test_vectors_have_unit_length_and_come_from_one_model() -> None:
    house = House()
    assert await house.run(house.router.embed(["a", "b"])) == [[0.6, 0.8], [0.6, 0.8]]
    house.one.scripts["vector"] = [[ModelBusy("500")]]
    assert await house.run(house.router.embed(["a"])) == [[0.6, 0.8]]
    assert [entry.provider for entry in house.books.entries] == ["one", "one", "two"]
    assert house.books.open == {}


async def test_vectors_take_places_like_answers() -> None:
    house = House()
    house.one.scripts["vector"] = [[1.0]]
    await house.run(asyncio.gather(*(house.router.embed(["a"]) for _ in range(6))))
    assert house.one.most_at_once == 2


@pytest.mark.parametrize(("rounds", "tokens"), [(1, 0), (2, 0), (3, 0), (50, 1)])
async def test_vectors_that_nobody_waits_for_any_more_hold_no_money(rounds: int, tokens: int) -> None:
    house = House()
    house.one.scripts["vector"] = [[1000.0]]
    wanted = asyncio.ensure_future(house.router.embed(["word"]))
    await still(rounds)
    assert house.one.at_once == tokens
    wanted.cancel()
    await still()
    assert house.books.open == {}
    assert [entry.usage.prompt > 0 for entry in house.books.entries] == [tokens > 0]


async def test_a_mistake_of_an_adapter_is_a_failure_like_any_other() -> None:
    house = House()
    house.plan("big", [ZeroDivisionError("a bug")])
    assert (await house.run(house.router.complete(ask()))).model == "small"


async def test_closing_the_router_closes_what_was_opened() -> None:
    house = House()
    await house.run(house.router.complete(ask()))
    await house.router.close()
    assert house.one.closed
    assert not house.two.closed
