"""What is given again, to whom, and what never is."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import msgspec
import pytest
from msgspec.structs import replace

from bot.errors import NoAnswer
from bot.llm.cache import AnswerCache, CacheSettings, LocalShelf, meanings
from bot.llm.cache.meanings import telling
from bot.llm.cache.shelf import LARGEST, NOTES
from bot.ports import Answer, Ask, Chunk, Line, Payer, ToolCall
from bot.redis.connection import Link
from bot.redis.shelf import RedisShelf
from bot.testing.clock import VirtualClock
from tests.growth import assert_linear
from tests.servers import RedisServer, redis

__all__ = ["redis"]


def question(text: str, cache: str = "tenant", person: str = "ana", tenant: str = "", prompt: str = "p@1") -> Ask:
    lines = (Line(role="system", text="You sell shoes."), Line(role="user", text=text))
    payer = Payer(tenant=tenant, person=person)
    return Ask(task="answer", lines=lines, cache=cache, payer=payer, prompt=prompt)  # type: ignore[arg-type]


class Model:
    """Answers with a number that rises, so that every new answer is seen."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Answer:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        return Answer(text=f"answer {number}", model="m", cost=5)


class Letters:
    """A toy meaning: how often each letter is there. Counts who asks for one."""

    def __init__(self) -> None:
        self.paid: list[Payer] = []

    async def __call__(self, texts: Sequence[str], payer: Payer) -> list[list[float]]:
        self.paid.append(payer)
        return [self.of(text) for text in texts]

    @staticmethod
    def of(text: str) -> list[float]:
        found = [float(text.lower().count(chr(97 + at))) for at in range(26)]
        size = math.sqrt(sum(value * value for value in found)) or 1.0
        return [value / size for value in found]


def cache(*, embed: Letters | None = None, ttl: float = 3600.0, clock: VirtualClock | None = None) -> AnswerCache:
    settings = CacheSettings(ttl=ttl, semantic={"answer": 0.95} if embed else {})
    kept = AnswerCache(LocalShelf(clock or VirtualClock()), settings, clock or VirtualClock())
    if embed is not None:
        kept.use(embed)
    return kept


async def asked(kept: AnswerCache, ask: Ask, model: Callable[[], Awaitable[Answer]], *, stream: bool = False) -> Answer:
    """The answer to a question, from the cache or the model."""

    async def produce(_: Ask) -> AsyncGenerator[Chunk, None]:
        yield Chunk(answer=await model())

    return [chunk.answer async for chunk in kept.through(ask, produce, stream=stream) if chunk.answer][-1]


async def test_the_same_question_is_answered_from_memory_and_costs_nothing() -> None:
    kept, model = cache(), Model()
    first = await asked(kept, question("Which sizes?"), model)
    again = await asked(kept, question("Which sizes?", person="ben"), model)
    assert (first.text, first.rung, first.cost) == ("answer 1", "model", 5)
    assert (again.text, again.rung, again.cost, again.model) == ("answer 1", "cache", 0, "m")


@pytest.mark.parametrize(
    "other",
    [
        question("Which size?"),
        question("Which sizes?", tenant="other"),
        question("Which sizes?", prompt="p@2"),
        replace(question("Which sizes?"), language="de"),
        replace(question("Which sizes?"), schema={"type": "object"}),
        replace(question("Which sizes?"), task="extract"),
    ],
)
async def test_whatever_differs_is_another_question(other: Ask) -> None:
    kept, model = cache(), Model()
    await asked(kept, question("Which sizes?"), model)
    assert (await asked(kept, other, model)).text == "answer 2"


async def test_personal_answers_stay_with_the_person() -> None:
    kept, model = cache(), Model()
    await asked(kept, question("Where is it?", "person"), model)
    assert (await asked(kept, question("Where is it?", "person"), model)).text == "answer 1"
    assert (await asked(kept, question("Where is it?", "person", person="ben"), model)).text == "answer 2"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text="cut", finish="length"),
        Answer(calls=(ToolCall(id="1", name="find", arguments="{}"),), finish="tools"),
        Answer(text="busy", rung="canned"),
        Answer(text="x" * (LARGEST + 1)),
    ],
)
async def test_half_answers_are_not_kept(answer: Answer) -> None:
    kept = cache()

    async def produce() -> Answer:
        return answer

    await asked(kept, question("Hi"), produce)
    assert await kept.find(question("Hi")) is None


async def test_answers_grow_old_and_the_shelf_has_an_end() -> None:
    clock = VirtualClock()
    kept = cache(ttl=10, clock=clock)
    await kept.keep(question("Hi"), Answer(text="Hello"))
    clock.move(clock.now() + 9)
    assert await kept.find(question("Hi"))
    clock.move(clock.now() + 2)
    assert await kept.find(question("Hi")) is None
    shelf = LocalShelf(clock, most=100)
    for at in range(20):
        await shelf.put(f"k{at}", b"x" * 10, 60)
    assert [at for at in range(20) if await shelf.get(f"k{at}")] == list(range(10, 20))
    await shelf.get("k10")
    await shelf.put("k20", b"x" * 10, 60)
    assert await shelf.get("k10"), "what was used stays"
    assert await shelf.get("k11") is None


async def test_what_many_ask_at_once_is_asked_once() -> None:
    kept, model = cache(), Model()
    model.gate.clear()
    asking = [asyncio.create_task(asked(kept, question("Sale?", person=f"p{at}"), model)) for at in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.sleep(0)
    model.gate.set()
    done = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError), "who asked first went, the others still get their answer"
    assert {answer.text for answer in done[1:] if isinstance(answer, Answer)} == {"answer 1"}
    assert model.calls == 1


async def test_nobody_waits_for_what_nobody_wants() -> None:
    kept, model = cache(), Model()
    model.gate.clear()
    only = asyncio.create_task(asked(kept, question("Sale?"), model))
    await asyncio.sleep(0.01)
    only.cancel()
    later = asyncio.create_task(asked(kept, question("Sale?"), model))
    await asyncio.sleep(0.01)
    model.gate.set()
    assert (await later).text == "answer 2", "the first one was given up"


async def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    kept, calls = cache(), 0

    async def fail() -> Answer:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        raise NoAnswer("all busy", sentence="Sorry.")

    results = await asyncio.gather(*(asked(kept, question("Hi"), fail) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [NoAnswer] * 3
    assert calls == 1
    assert (await asked(kept, question("Hi"), Model())).text == "answer 1"


async def test_who_has_no_money_fails_alone() -> None:
    kept, model = cache(), Model()
    gate = asyncio.Event()

    async def spent() -> Answer:
        await gate.wait()
        raise NoAnswer("the budget is spent", sentence="Tomorrow.", spent=True)

    poor = asyncio.create_task(asked(kept, question("Hi"), spent))
    await asyncio.sleep(0)
    others = [asyncio.create_task(asked(kept, question("Hi", person=name), model)) for name in ("ben", "cem")]
    await asyncio.sleep(0.01)
    assert model.calls == 0, "they wait for the one who asked first"
    gate.set()
    with pytest.raises(NoAnswer):
        await poor
    assert [(await one).text for one in others] == ["answer 1", "answer 1"]


@pytest.mark.parametrize(("first", "second", "calls"), [(30.0, 2.0, 2), (2.0, 30.0, 1)])
async def test_nobody_waits_longer_than_they_want_to(first: float, second: float, calls: int) -> None:
    kept, model = cache(), Model()
    model.gate.clear()
    both = [
        asyncio.create_task(asked(kept, replace(question("Hi"), deadline=deadline), model))
        for deadline in (first, second)
    ]
    await asyncio.sleep(0.01)
    assert model.calls == calls
    model.gate.set()
    await asyncio.gather(*both)


async def test_who_was_in_a_hurry_fails_alone() -> None:
    kept, model = cache(), Model()

    async def late() -> Answer:
        await asyncio.sleep(0.01)
        raise NoAnswer("slow", sentence="Too long.")

    hasty = asyncio.create_task(asked(kept, replace(question("Hi"), deadline=2.0), late))
    await asyncio.sleep(0)
    assert (await asked(kept, question("Hi"), model)).text == "answer 1"
    with pytest.raises(NoAnswer):
        await hasty


async def test_another_picture_is_another_question() -> None:
    kept, model = cache(embed=Letters()), Model()

    def about(picture: str) -> Ask:
        lines = (Line(role="user", text="What is the total?", pictures=(f"data:image/png;base64,{picture}",)),)
        return replace(question(""), lines=lines)

    await asked(kept, about("AAAA"), model)
    assert (await asked(kept, about("BBBB"), model)).text == "answer 2"


async def test_a_vector_that_takes_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meanings, "PATIENCE", 0.01)
    kept, model = cache(embed=Letters()), Model()
    await asked(kept, question("Hi there"), model)

    async def slow(texts: Sequence[str], _: Payer) -> list[list[float]]:
        await asyncio.sleep(60)
        return [[1.0] for _ in texts]

    kept.use(slow)
    assert (await asked(kept, question("Hi there!"), model)).text == "answer 2"


async def test_a_question_that_means_the_same_has_the_same_answer() -> None:
    meanings = Letters()
    kept, model = cache(embed=meanings), Model()
    await asked(kept, question("What are your opening hours?"), model)
    assert (await asked(kept, question("What are your opening hours??"), model)).rung == "cache"
    assert [payer.person for payer in meanings.paid] == ["ana", "ana"], (
        "one vector for each question, and who asked pays"
    )
    assert (await asked(kept, question("Do you ship abroad?"), model)).text == "answer 2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is order 1000123?", "Where is order 1000124?"),
        ("Can I return shoes that I wore?", "Can I not return shoes that I wore?"),
        ("Is it made with nuts?", "Is it made without nuts?"),
        ("Kann ich getragene Schuhe zurückgeben?", "Kann ich getragene Schuhe nicht zurückgeben?"),
        ("Puis-je rendre des chaussures?", "Puis-je rendre des chaussures pas portées?"),
    ],
)
async def test_a_number_or_a_not_makes_another_question(one: str, other: str) -> None:
    kept, model = cache(embed=Letters()), Model()
    pairs = zip(Letters.of(one), Letters.of(other), strict=True)
    assert sum(left * right for left, right in pairs) > 0.95, "their likeness alone would do"
    await asked(kept, question(one), model)
    assert (await asked(kept, question(other), model)).text == "answer 2"


async def test_without_meanings_the_words_still_count() -> None:
    async def nobody(_: Sequence[str], __: Payer) -> list[list[float]]:
        raise NoAnswer("no model", sentence="")

    kept = AnswerCache(LocalShelf(VirtualClock()), CacheSettings(semantic={"answer": 0.9}), VirtualClock())
    kept.use(nobody)
    model = Model()
    await asked(kept, question("Hi"), model)
    assert (await asked(kept, question("Hi"), model)).rung == "cache"
    assert (await asked(kept, question("Hi!"), model)).text == "answer 2"


async def test_who_comes_into_a_stream_hears_it_from_the_beginning_and_along() -> None:
    kept, more = cache(), asyncio.Event()
    made = 0

    async def produce(_: Ask) -> AsyncGenerator[Chunk, None]:
        nonlocal made
        made += 1
        yield Chunk(text="Eight ")
        await more.wait()
        yield Chunk(text="to six.")
        yield Chunk(answer=Answer(text="Eight to six."))

    heard: list[list[str]] = [[], []]

    async def listen(at: int) -> None:
        async for chunk in kept.through(question("Hours?"), produce, stream=True):
            heard[at].append(chunk.text)

    first = asyncio.create_task(listen(0))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(listen(1))
    await asyncio.sleep(0.01)
    assert heard == [["Eight "], ["Eight "]], "both see what there is before it is complete"
    more.set()
    await asyncio.gather(first, second)
    assert heard[0] == heard[1] == ["Eight ", "to six.", ""]
    assert made == 1
    again = [chunk.text async for chunk in kept.through(question("Hours?"), produce, stream=True)]
    assert again == ["Eight to six."], "kept, in one piece"


async def test_what_was_said_is_kept_though_whoever_asked_has_gone_by_then(redis: RedisServer) -> None:
    link = Link(redis.url)
    kept, model = AnswerCache(RedisShelf(link, "gone"), CacheSettings(), VirtualClock()), Model()
    await asked(kept, question("Which sizes?"), model)  # returns before Redis has it
    await asyncio.sleep(0.1)
    assert (await asked(kept, question("Which sizes?"), model)).rung == "cache"
    await link.close()


async def test_processes_share_meanings_too(redis: RedisServer) -> None:
    links = [Link(redis.url), Link(redis.url)]
    settings = CacheSettings(semantic={"answer": 0.95})
    here, there = (AnswerCache(RedisShelf(link, "meanings"), settings, VirtualClock()) for link in links)
    for kept in (here, there):
        kept.use(Letters())
    model = Model()
    await asked(here, question("What are your opening hours?"), model)
    await asyncio.sleep(0.1)
    assert (await asked(there, question("what are your opening hours??"), model)).rung == "cache"
    await asked(here, question("Do you ship abroad?"), model)
    await asyncio.sleep(0.1)
    assert (await asked(there, question("Do you ship abroad"), model)).rung == "cache", "what came since is read too"
    for link in links:
        await link.close()


@pytest.mark.parametrize("where", ["here", "redis"])
async def test_notes_are_read_from_where_one_stopped_and_the_oldest_go(where: str, redis: RedisServer) -> None:
    link = Link(redis.url)
    shelf = LocalShelf(VirtualClock()) if where == "here" else RedisShelf(link, "notes")
    for at in range(NOTES + 5):
        await shelf.note("row", str(at).encode(), 60)
    every = await shelf.notes("row")
    assert [int(data) for _, data in every] == list(range(5, NOTES + 5))
    mark = every[-3][0]
    assert [int(data) for _, data in await shelf.notes("row", mark)] == [NOTES + 3, NOTES + 4]
    assert await shelf.notes("other") == []
    await link.close()


async def test_what_another_version_of_the_bot_kept_is_made_again() -> None:
    shelf = LocalShelf(VirtualClock())
    kept, model = AnswerCache(shelf, CacheSettings(semantic={"answer": 0.95}), VirtualClock()), Model()
    kept.use(Letters())
    await asked(kept, question("What are your opening hours?"), model)
    (topic,) = shelf._noted
    for data in (b"\xff no note", msgspec.msgpack.encode({"key": "k", "vector": b"odd", "telling": []})):
        await shelf.note(topic, data, 60)
    assert (await asked(kept, question("What are your opening hours??"), model)).rung == "cache", "the rest is read"
    (key,) = shelf._kept
    for data in (b"no answer", b'{"rung": "of tomorrow"}'):
        await shelf.put(key, data, 60)
        assert (await asked(kept, question("What are your opening hours?"), model)).rung == "model"


async def test_vectors_of_two_models_are_not_compared() -> None:
    kept, model = cache(embed=Letters()), Model()
    await asked(kept, question("What are your opening hours?"), model)

    async def shorter(texts: Sequence[str], _: Payer) -> list[list[float]]:
        return [[1.0] for _ in texts]

    kept.use(shorter)
    assert (await asked(kept, question("Whatever?"), model)).text == "answer 2"


async def test_processes_share_answers_by_redis_and_do_without_it(redis: RedisServer) -> None:
    links = [Link(redis.url), Link(redis.url)]
    here, there = (AnswerCache(RedisShelf(link, "bot"), CacheSettings(), VirtualClock()) for link in links)
    model = Model()
    await asked(here, question("Which sizes?"), model)
    await asyncio.sleep(0.1)
    assert (await asked(there, question("Which sizes?"), model)).rung == "cache"
    lost = Link("redis://127.0.0.1:1/0")
    alone = AnswerCache(RedisShelf(lost, "bot"), CacheSettings(), VirtualClock())
    assert (await asked(alone, question("Which sizes?"), model)).text == "answer 2"
    assert "away" in lost.trouble
    for link in (*links, lost):
        await link.close()


def test_the_words_that_turn_a_question_round() -> None:
    assert telling("Why don't I get order 7a-b, not-5, NEVER (2x)?") == ("2x", "7a-b", "don't", "never", "not-5")
    assert telling("without an-x5 no a-not") == ("an-x5", "no", "not", "without")


@pytest.mark.parametrize("unit", ["a", "n'", "n", "a-", "not", "\u4e00"])
def test_a_question_of_one_long_word_is_looked_through_once(unit: str) -> None:
    assert_linear(telling, "", unit)
