"""What every store must pass. Subclass StoreContract, say how to make one, and let pytest run it:

    class TestMyStore(StoreContract):
        def make(self, folder: Path) -> Store:
            return MyStore(folder / "store.db")

This file has what happens around turns: handing over, timers, looking, units of work. Turns are in store_turns.py,
replies in store_sends.py, what is written down beside them in store_papers.py.
"""

# ruff: noqa: S101, S106  # asserting is what a conformance suite does; a button's token is no secret

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.channel import Accepted
from bot.errors import StoreError
from bot.messages import Command, Content, Deleted, Due, Joined, Pressed, Reacted
from bot.replies import Button, Reply
from bot.store.contract import CaseRecord, Effect, Fact, Outgoing, OutRow, OwnerChange, Store, Timer
from bot.testing.store_edits import EditContract
from bot.testing.store_kit import (
    CHAT,
    NOW,
    PERSON,
    StoreSuite,
    agent_says,
    answer,
    but,
    message,
    reply,
    result,
    said,
    take,
)
from bot.testing.store_papers import NotesContract, SilenceContract, UnreadableContract
from bot.testing.store_pruning import PruningContract
from bot.testing.store_sends import OutboxContract
from bot.testing.store_turns import InboxContract, LaneContract


class HandoffContract(StoreSuite):
    """Changes from outside a turn happen once, and not too late."""

    async def test_an_effect_happens_once(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            first = await store.apply(agent_says("d1", "hello"))
            assert first is not None
            assert [(row.seq, row.turn, row.outgoing.author) for row in first.rows] == [(2, 0, "Kim")]
            assert await store.apply(agent_says("d1", "hello")) is None
            assert len(await store.unsent()) == 1

    async def test_an_effect_that_comes_too_late_leaves_no_mark(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            took = but(agent_says("d1", "hello"), owner=OwnerChange(expected=7, owner="human"))
            assert await store.apply(took) is None
            assert await store.unsent() == []
            assert await store.apply(but(took, owner=OwnerChange(expected=0, owner="human"))) is not None

    async def test_an_effect_brings_its_case_and_its_message(self, tmp_path: Path) -> None:
        case = CaseRecord(id="k1", conversation=CHAT, desk="console", queue="q", reason="r", opened_at=NOW)
        back = message("back", Due(kind="ownership", key="k1"))
        async with self.opened(tmp_path) as store:
            await answer(store, "e1")
            applied = await store.apply(Effect(conversation=CHAT, now=NOW, event_id="d1", case=case, message=back))
            assert applied is not None
            assert applied.message == Accepted(conversation=CHAT, seq=2)
            claim = await take(store)
            assert claim.message.content == Due(kind="ownership", key="k1")
            assert claim.conversation.person.id == PERSON

    async def test_an_effect_sets_timers_once(self, tmp_path: Path) -> None:
        timer = Timer(key="waiting", at=NOW + 5, due=Due(kind="ownership", key="waiting"))
        waits = Effect(conversation=CHAT, now=NOW, event_id="d1", timers=(timer,))
        async with self.opened(tmp_path) as store:
            await answer(store, "e1")
            assert await store.apply(waits) is not None
            assert await store.apply(but(waits, timers=(but(timer, at=NOW + 1),))) is None
            assert await store.next_due() == NOW + 5
            assert await store.fire(NOW + 4) == 0
            assert await store.fire(NOW + 5) == 1
            assert (await take(store, NOW + 5)).message.content == Due(kind="ownership", key="waiting")

    async def test_cases_are_found_until_they_are_closed(self, tmp_path: Path) -> None:
        case = CaseRecord(id="k1", conversation=CHAT, desk="console", queue="q", reason="r", opened_at=NOW)
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.commit(but(result(await take(store)), case=case))
            assert await store.case(id="k1") == case
            assert await store.case(desk="console", ref="") is None
            opened = but(case, ref="77", state="open", agent="Kim", cursor="c")
            await store.apply(Effect(conversation=CHAT, now=NOW, case=opened))
            assert await store.case(desk="console", ref="77") == opened
            assert await store.open_cases("console") == [opened]
            assert await store.open_cases("other") == []
            await store.apply(Effect(conversation=CHAT, now=NOW, case=but(opened, state="closed", closed_at=NOW)))
            assert await store.open_cases("console") == []


class MemoryContract(StoreSuite):
    """Timers, facts, traces, and the transcript."""

    async def test_a_timer_becomes_a_message_once(self, tmp_path: Path) -> None:
        due = Due(kind="say", key="t", text="drink water")
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            old, kept = Timer(key="t", at=NOW + 5, due=due), Timer(key="u", at=NOW + 50, due=due)
            first = await store.commit(but(result(await take(store)), timers=(old, kept), done=False))
            assert first.rev == 1
            claim = await take(store, NOW + 31)
            replaced = Timer(key="t", at=NOW + 40, due=due)
            await store.commit(but(result(claim), timers=(replaced,), cleared=("u",)))
            assert await store.next_due() == NOW + 40
            assert await store.fire(NOW + 39) == 0
            assert await store.fire(NOW + 41) == 1
            assert await store.fire(NOW + 41) == 0
            claim = await take(store, NOW + 41)
            assert (claim.n, claim.message.content, claim.message.sender.id) == (2, due, "frontdesk")
            assert claim.conversation.person.id == PERSON
            await store.commit(result(claim))
            assert await store.next_due() is None

    async def test_facts_are_remembered_replaced_and_forgotten(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            found = []
            for number, value in enumerate((b'"a"', b'"b"', None)):
                await store.put(message(f"e{number}"), NOW)
                fact = Fact(person=PERSON, key="city", value=value)
                await store.commit(but(result(await take(store)), facts=(fact,)))
                found.append(await store.recall(PERSON, "city"))
        assert found == [b'"a"', b'"b"', None]

    async def test_what_is_remembered_is_found_by_how_its_keys_begin(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            keys = ("told:b", "told", "told:a", "told;", "Told:c", "told:%")
            facts = (Fact(person=PERSON, key=key, value=key.encode()) for key in keys)
            theirs = Fact(person="another", key="told:x", value=b"0")
            await store.commit(but(result(await take(store)), facts=(*facts, theirs)))
            found = await store.recall_all(PERSON, "told:")
        assert list(found.items()) == [(key, key.encode()) for key in ("told:%", "told:a", "told:b")]

    async def test_a_trace_comes_with_the_replies_of_its_turn(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await answer(store, "e1", reply("a"))
            await store.put(message("e2"), NOW)
            done = await store.commit(but(result(await take(store), reply("b")), trace=b"{}"))
            await store.mark_sending(done.rows[0], 15.0, NOW)
            await store.mark_sent(done.rows[0], "p", NOW)
            found = await store.trace(CHAT, 2)
            assert found is not None
            assert (found[0], [(row.outgoing.key, row.status) for row in found[1]]) == (b"{}", [("b", "sent")])
            assert await store.trace(CHAT, 1) is None

    async def test_states_are_read_page_by_page_without_the_empty_ones(self, tmp_path: Path) -> None:
        states = {"1": b'{"a":1}', "2": b"{}", "3": b'{"a":3}', "4": None, "5": b'{"a":5}'}
        async with self.opened(tmp_path) as store:
            for chat, state in states.items():
                await store.put(message(f"e{chat}", chat=chat), NOW)
                await store.commit(but(result(await take(store)), state=state))
            first = await store.states(limit=2)
            rest = await store.states(after=first[-1][0].id)
            assert [conversation.id for conversation, _ in first + rest] == sorted(c.id for c, _ in first + rest)
            found = {conversation.address.chat: state for conversation, state in first + rest}
            assert found == {chat: states[chat] for chat in ("1", "3", "5")}
            assert all([await store.conversation(c.id) == c for c, _ in first + rest])

    async def test_a_transcript_grows_only_at_its_end(self, tmp_path: Path) -> None:
        async def send(row: OutRow) -> None:
            assert await store.mark_sending(row, 15.0, NOW) == "sending"

        async with self.opened(tmp_path) as store:
            rows = (await answer(store, "e1", reply("a", "one"), reply("b", "two"))).rows
            await store.put(message("e2", "me again"), NOW)
            assert await said(store) == ["user: hello"]
            await send(rows[0])
            assert await said(store) == ["user: hello", "bot: one"]
            await store.mark_failed(rows[1], "failed", "blocked")
            assert await said(store) == ["user: hello", "bot: one", "user: me again"]
            assert await said(store, after=rows[0].seq) == ["user: me again"]
            assert await said(store, limit=2) == ["user: hello", "bot: one"]

    async def test_a_transcript_has_only_what_was_said(self, tmp_path: Path) -> None:
        silent: list[Content] = [Reacted(target="1", emoji="x"), Deleted(target="1"), Joined(), Pressed(token="t")]
        button = Button(token="t", label="Yes", value="y")
        shown = Outgoing(key="a", body=Reply(text="Sure?", buttons=(button,)))
        async with self.opened(tmp_path) as store:
            for number, content in enumerate(silent):
                await answer(store, f"s{number}", content=content)
            await answer(store, "e1", content=Command(name="track", text="7"))
            (row,) = (await answer(store, "e2", shown, content=Pressed(token="t", label="Yes"))).rows
            await store.mark_sending(row, 15.0, NOW)
            entries = await store.history(CHAT)
        assert [entry.text for entry in entries] == ["/track 7", "Yes", "Sure?"]
        assert entries[2].buttons == (button,)
        assert entries[2].reply == shown.body
        assert entries[1].message is not None

    async def test_what_is_unknown_is_none(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            assert await store.conversation("c0") is None
            assert await store.recall("p0", "k") is None
            assert await store.case(id="k0") is None
            assert await store.next_due() is None
            assert await store.history("c0") == []


async def make_table(store: Store) -> None:
    """A plugin's own table."""

    def make(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE mine (number INTEGER)"))

    await store.write(make)


class insert:  # noqa: N801  # reads as the verb that it is
    """A unit that inserts one number into the plugin's table."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self, connection: Connection) -> None:
        """Do it."""
        connection.execute(text("INSERT INTO mine (number) VALUES (:number)"), {"number": self._number})


async def numbers(store: Store) -> list[int]:
    """What the plugin's table holds."""
    return await store.read(
        lambda connection: list(connection.execute(text("SELECT number FROM mine ORDER BY number")).scalars())
    )


class UnitContract(StoreSuite):
    """Units of work are all or nothing, and harm nobody beside them."""

    async def test_a_unit_is_durable_and_read_at_once(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await make_table(store)
            await store.write(insert(1))
        async with self.opened(tmp_path) as store:
            assert await numbers(store) == [1]

    async def test_a_unit_that_raises_leaves_its_neighbours_unharmed(self, tmp_path: Path) -> None:
        def bad(connection: Connection) -> None:
            insert(99)(connection)
            raise LookupError("mine")

        async with self.opened(tmp_path) as store:
            await make_table(store)
            jobs = [store.write(bad if number % 3 == 0 else insert(number)) for number in range(30)]
            jobs.append(store.put(message("e1"), NOW))  # type: ignore[arg-type]  # of another result
            done = await asyncio.gather(*jobs, return_exceptions=True)
            assert sum(isinstance(each, LookupError) for each in done) == 10
            assert await numbers(store) == [number for number in range(30) if number % 3]
            assert len(await store.claim("worker", 1, 30.0, NOW)) == 1

    @pytest.mark.parametrize("how", ["commit", "rollback"])
    async def test_a_unit_that_commits_or_rolls_back_reaches_only_itself(self, tmp_path: Path, how: str) -> None:
        def bold(connection: Connection) -> None:
            insert(99)(connection)
            getattr(connection, how)()
            raise LookupError("mine")

        async with self.opened(tmp_path) as store:
            await make_table(store)
            jobs = [store.write(bold if number == 5 else insert(number)) for number in range(10)]
            done = await asyncio.gather(*jobs, return_exceptions=True)
            assert [number for number, each in enumerate(done) if each is not None] == [5]
            assert await numbers(store) == [0, 1, 2, 3, 4, 6, 7, 8, 9]

    async def test_a_reader_can_not_write(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await make_table(store)
            with pytest.raises(StoreError):
                await store.read(insert(1))
            assert await numbers(store) == []


class StoreContract(
    InboxContract,
    LaneContract,
    OutboxContract,
    HandoffContract,
    MemoryContract,
    UnitContract,
    NotesContract,
    UnreadableContract,
    SilenceContract,
    EditContract,
    PruningContract,
):
    """Everything."""
