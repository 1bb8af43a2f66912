"""The running summary: behind the answers, bit by bit, by a model or without one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SystemClock
from bot.context.extracting import Said, extract
from bot.context.measure import rough
from bot.context.summary import ROOM, VERBATIM, Summaries, Summary
from bot.errors import NoAnswer
from bot.ports import Payer
from bot.store.contract import Store
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from bot.testing.store_kit import CHAT, NOW, PERSON, answer, reply
from tests.servers import PostgresServer, postgres

__all__ = ["postgres"]


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def talk(store: Store, first: int, last: int) -> None:
    for n in range(first, last):
        committed = await answer(store, f"e{n}", reply(f"r{n}", f"Answer {n} about parcel {n}."), content=f"Order {n}?")
        for row in committed.rows:
            await store.mark_sending(row, 5.0, NOW)
            await store.mark_sent(row, f"p{n}", NOW)


class Model:
    """Sums up by listing what it was given; breaks when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.payers: set[Payer] = set()
        self.broken = False

    async def __call__(self, before: str, said: Sequence[Said], room: int, payer: Payer) -> str:
        self.payers.add(payer)
        self.asked.append((before, [line.text for line in said]))
        if self.broken:
            raise NoAnswer("gone", sentence="")
        return f"{len(self.asked)}th summary, {len(said)} lines more"


async def stages(store: Store) -> None:
    model = Model()
    summaries = Summaries(store, SystemClock(), summarize=model)
    await talk(store, 0, 4)
    assert await summaries.of(CHAT) == Summary()
    await summaries.settled()
    assert await summaries.of(CHAT) == Summary(), "too few lines: all of them are read as they are"
    await summaries.settled()

    await talk(store, 4, 10)
    assert await summaries.of(CHAT) == Summary(), "never on the path of an answer"
    await summaries.settled()
    first = await summaries.of(CHAT)
    assert (first.text, first.made) == ("1th summary, 12 lines more", "model")
    assert len(model.asked) == 1

    await talk(store, 10, 14)
    summaries.soon(CHAT)
    await summaries.settled()
    assert model.asked[1] == (
        first.text,
        [f"{w}" for n in (6, 7, 8, 9) for w in (f"Order {n}?", f"Answer {n} about parcel {n}.")],
    )
    second = await summaries.of(CHAT)
    assert second.upto > first.upto

    model.broken = True
    await talk(store, 14, 20)
    summaries.soon(CHAT)
    await summaries.settled()
    third = await summaries.of(CHAT)
    assert third.made == "extract"
    assert "customer: Order" in third.text
    assert rough(third.text) <= ROOM

    assert model.payers == {Payer(tenant="default", person=PERSON, skill="summaries")}, "whoever it is about pays"

    await summaries.forget(CHAT)
    assert await summaries.of(CHAT) == Summary()
    await summaries.stop()


async def test_it_is_carried_forward_behind_the_answers(tmp_path: Path) -> None:
    async with opened(SqliteStore(tmp_path / "db.sqlite")) as store:
        await stages(store)


async def test_it_is_carried_forward_on_postgresql(postgres: PostgresServer) -> None:
    async with opened(PostgresStore(postgres.new_database())) as store:
        await stages(store)


async def test_two_processes_carry_it_forward_once(tmp_path: Path) -> None:
    async with opened(SqliteStore(tmp_path / "db.sqlite")) as store:
        await talk(store, 0, 12)
        model = Model()
        both = [Summaries(store, SystemClock(), summarize=model) for _ in range(2)]
        for one in both:
            one.soon(CHAT)
        await asyncio.gather(*(one.settled() for one in both))
        first = await both[0].of(CHAT)
        assert first.text in ("1th summary, 16 lines more", "2th summary, 16 lines more")
        assert (await store.history(CHAT))[-VERBATIM - 1].seq == first.upto
        for one in both:
            await one.stop()


DIALOG = [
    Said(who="customer", text="Hello there!"),
    Said(who="customer", text="My blender from order #W2611340 arrived broken. I want a refund."),
    Said(who="bot", text="I'm sorry to hear that. Can you tell me your e-mail address?"),
    Said(who="customer", text="It is sam@example.com"),
    Said(who="bot", text="Thank you."),
    Said(who="customer", text="ok"),
    Said(who="agent", text="I have sent a new blender, it arrives on 14 May."),
]


def test_an_extract_keeps_what_is_particular() -> None:
    text = extract(DIALOG, 60, rough)
    assert "#W2611340 arrived broken" in text
    assert "agent: I have sent a new blender" in text
    assert "Thank you" not in text
    assert "Hello" not in text


def test_an_extract_is_carried_forward() -> None:
    before = extract(DIALOG[:4], 60, rough)
    text = extract(DIALOG[4:], 60, rough, before=before)
    assert "#W2611340" in text
    assert "14 May" in text
    assert extract([], 60, rough, before="The customer's blender 2000 broke.") == (
        "earlier: The customer's blender 2000 broke."
    )


@given(
    st.lists(st.builds(Said, who=st.sampled_from(["customer", "bot"]), text=st.text(max_size=80)), max_size=6),
    st.integers(0, 80),
)
def test_an_extract_is_never_too_long_and_invents_nothing(said: list[Said], room: int) -> None:
    text = extract(said, room, rough)
    assert rough(text) <= max(room, 0)
    everything = " ".join(" ".join(line.text.split()) for line in said)
    for line in text.splitlines():
        assert line.partition(": ")[2] in everything or len(line) > 290


@pytest.mark.parametrize("junk", ["", "\x00", "a" * 100_000])
def test_an_extract_takes_anything(junk: str) -> None:
    assert rough(extract([Said(who="customer", text=junk)], 100, rough)) <= 100


def test_an_extract_of_very_many_sentences_weighs_only_the_best() -> None:
    counted = 0

    def count(text: str) -> int:
        nonlocal counted
        counted += 1
        return rough(text)

    letters = [f"{one}{other}" for one in "abcdefghij" for other in "klmnopqrst"]
    said = [Said(who="customer", text=" ".join(f"Zog{one} fro{two}." for two in letters)) for one in letters[:50]]
    said.insert(20, Said(who="customer", text="I need parcel #W2611340 of 14 May at a@example.org, it is missing?"))
    assert "#W2611340" in extract(said, 300, count)
    assert counted < 300, "one for each sentence that competes, and a few for the whole"


async def test_an_extract_is_made_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[int] = []

    def slow(*args: object, **more: object) -> str:
        where.append(threading.get_ident())
        return "customer: parcels."

    monkeypatch.setattr("bot.context.summary.extract", slow)
    async with opened(SqliteStore(tmp_path / "db.sqlite")) as store:
        await talk(store, 1, 40)
        summaries = Summaries(store, SystemClock())
        await summaries.of(CHAT)
        await summaries.settled()
    assert where and threading.get_ident() not in where
