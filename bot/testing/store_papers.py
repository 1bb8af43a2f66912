"""What every store must do beside turns: notes, what nobody could read, silence and the ledger of consents.

A part of the conformance suite in store_contract.py.
"""

# ruff: noqa: S101  # asserting is what a conformance suite does

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Connection, text

from bot.channel import Unreadable
from bot.messages import Due, Sender
from bot.people import Silence
from bot.replies import Reply
from bot.store.consents import consents, silent
from bot.store.contract import DeskCall, Effect, Outgoing, SilenceChange, Timer
from bot.store.letters import (
    find_unreadable,
    keep_unreadable,
    list_unreadable,
    strike_turn,
    strike_unreadable,
)
from bot.store.notes import agree_on, read_note, write_note
from bot.store.parking import letter_id
from bot.testing.store_kit import CHAT, NOW, StoreSuite, agent_says, answer, but, message, reply, result, said, take

LETTER = Unreadable(event_id="e1", channel="test", account="main", payload='{"odd": 1}', problem="no type", at=NOW)


class NotesContract(StoreSuite):
    """What is written down is there for everybody, until it is struck out."""

    async def test_a_note_is_kept_replaced_and_struck_out(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            assert await read_note(store, "test.main.offset") is None
            await write_note(store, "test.main.offset", "1")
            await write_note(store, "test.main.offset", "2")
            await write_note(store, "test.main.other", "x")
        async with self.opened(tmp_path) as store:
            assert await read_note(store, "test.main.offset") == "2"
            await write_note(store, "test.main.offset", None)
            assert await read_note(store, "test.main.offset") is None
            assert await read_note(store, "test.main.other") == "x"

    async def test_of_several_that_agree_all_get_the_same(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            agreed = await asyncio.gather(*(agree_on(store, "secret", f"s{number}") for number in range(5)))
            assert len(set(agreed)) == 1
            assert await agree_on(store, "secret", "late") == agreed[0]


class UnreadableContract(StoreSuite):
    """What nobody can read is kept as it came, once."""

    async def test_it_is_kept_once_and_struck_from_the_list(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await keep_unreadable(store, LETTER)
            await keep_unreadable(store, but(LETTER, payload="again", at=NOW + 1))
            other = but(LETTER, account="second", at=NOW + 2)
            await keep_unreadable(store, other)
        async with self.opened(tmp_path) as store:
            assert await list_unreadable(store) == [other, LETTER]
            assert await list_unreadable(store, 1) == [other]
            assert await find_unreadable(store, letter_id(LETTER)) == LETTER
            await strike_unreadable(store, letter_id(LETTER))
            assert await find_unreadable(store, letter_id(LETTER)) is None
            assert await list_unreadable(store) == [other]

    async def test_strange_text_is_kept_or_mended(self, tmp_path: Path) -> None:
        odd = but(LETTER, event_id="e\ud800", payload="lone \ud800", problem="\udfff")
        async with self.opened(tmp_path) as store:
            await keep_unreadable(store, odd)
            await keep_unreadable(store, but(odd, event_id="e\ud801"))
            found = await find_unreadable(store, letter_id(odd))
            assert found is not None
            assert (found.payload, found.problem) == ("lone \ufffd", "\ufffd")
            assert len(await list_unreadable(store)) == 2

    async def test_a_turn_that_was_given_up_can_be_struck_from_the_list(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            for event in ("e1", "e2"):
                await store.put(message(event), NOW)
                await store.commit(but(result(await take(store)), parked="it broke"))
            await strike_turn(store, CHAT, 1)
            assert [letter.n for letter in await store.dead_letters()] == [2]
            assert await said(store) == ["user: hello", "user: hello"]

    async def test_a_message_that_can_not_be_decoded_holds_up_nobody(self, tmp_path: Path) -> None:
        def spoil(connection: Connection) -> None:
            connection.execute(
                text("UPDATE inbox SET payload = :odd WHERE event_id IN ('e2', 'f1')"), {"odd": b'{"odd": 1}'}
            )

        async with self.opened(tmp_path) as store:
            for event, chat in (("e1", "1"), ("e2", "1"), ("e3", "1"), ("f1", "2"), ("f2", "2"), ("g1", "3")):
                await store.put(message(event, event, chat=chat), NOW)
            await store.write(spoil)
            first, other = sorted(await store.claim("worker", 9, 30.0, NOW), key=lambda claim: claim.message.text)
            assert (first.message.text, other.message.text) == ("e1", "g1"), "its own lane comes next time"
            (behind,) = await store.claim("worker", 9, 30.0, NOW)
            assert (behind.message.text, behind.n) == ("f2", 2)
            assert (await store.commit(result(first, reply("a")))).next is None, "nobody can read it"
            for claim in (other, behind):
                await store.commit(result(claim))
            assert await store.claim("worker", 9, 30.0, NOW + 31) == []
            (third,) = await store.claim("worker", 9, 30.0, NOW + 31)
            assert (third.message.text, third.n) == ("e3", 3)
            await store.commit(result(third, reply("b")))
            letters = await list_unreadable(store)
            assert sorted(letter.event_id.rpartition(".")[2] for letter in letters) == ["1", "2"]
            assert {letter.payload for letter in letters} == {'{"odd": 1}'}
            assert await said(store) == ["user: e1", "user: e3"]
            assert [row.outgoing.key for row in await store.unsent(CHAT)] == ["a", "b"]

    async def test_what_can_not_be_decoded_is_kept_as_it_came(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.write(lambda c: _spoil(c, "inbox", "payload", b'\x00\xff{"a'))
            assert await store.claim("worker", 9, 30.0, NOW) == []
            (letter,) = await list_unreadable(store)
            assert letter.payload == '\ufffd\ufffd{"a', "as far as any database can hold it"

    async def test_a_reply_that_can_not_be_decoded_holds_up_nobody(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            odd, behind = (await answer(store, "e1", reply("a"), reply("b"))).rows
            await store.put(message("f1", chat="2"), NOW)
            (other,) = (await store.commit(result(await take(store), reply("c")))).rows
            await store.write(lambda c: _spoil(c, "outbox", "body", b'{"odd"', where=f"seq = {odd.seq} AND key = 'a'"))
            assert [row.id for row in await store.pick_up(9, 30.0, NOW + 60)] == [other.id]
            (letter,) = await list_unreadable(store)
            assert (letter.event_id, letter.payload) == (f"outbox.{odd.id}", '{"odd"')
            assert [row.id for row in await store.pick_up(9, 30.0, NOW + 60)] == [behind.id]
            assert await store.mark_sending(behind, 15.0, NOW + 60) == "sending"
            assert await store.mark_sending(odd, 15.0, NOW + 60) == "failed"
            assert [row.id for row in await store.unsent(CHAT)] == [behind.id]

    async def test_nobody_knows_about_such_a_reply_that_was_being_sent(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            (odd,) = (await answer(store, "e1", reply("a"))).rows
            assert await store.mark_sending(odd, 15.0, NOW) == "sending"
            await store.write(lambda c: _spoil(c, "outbox", "body", b"[]"))
            assert await store.pick_up(9, 30.0, NOW + 60) == []
            assert await store.mark_sending(odd, 15.0, NOW + 60) == "ambiguous"

    async def test_a_timer_that_can_not_be_decoded_holds_up_nobody(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            timers = tuple(Timer(key=key, at=NOW + 1, due=Due(kind="timeout", key=key)) for key in ("odd", "good"))
            await store.commit(but(result(await take(store)), timers=timers))
            await store.write(lambda c: _spoil(c, "timers", "due", b"{}", where="key = 'odd'"))
            await store.fire(NOW + 2)
            assert (await take(store, NOW + 2)).message.content == timers[1].due
            (letter,) = await list_unreadable(store)
            assert letter.event_id == f"timer.{CHAT}.odd"
            assert await store.fire(NOW + 3) == 0

    async def test_the_list_of_dead_letters_does_without_what_can_not_be_decoded(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            for event in ("e1", "e2"):
                await store.put(message(event), NOW)
                await store.commit(but(result(await take(store)), parked="it broke"))
            await store.write(lambda c: _spoil(c, "inbox", "payload", b"", where="event_id = 'e2'"))
            assert [letter.n for letter in await store.dead_letters()] == [1]


def _spoil(connection: Connection, table: str, column: str, value: bytes, where: str = "1 = 1") -> None:
    """What a newer version, or a broken disk, may leave."""
    connection.execute(text(f"UPDATE {table} SET {column} = :value WHERE {where}"), {"value": value})  # noqa: S608  # our own words


class SilenceContract(StoreSuite):
    """To somebody who wants to hear nothing, nothing is sent."""

    async def test_nothing_is_sent_to_who_opted_out(self, tmp_path: Path) -> None:
        note = Outgoing(key="n", call=DeskCall(kind="note", case="k1", text="look"), source="system")
        notice = Outgoing(key="s", body=Reply(text="Kim is here"), source="system")
        goodbye = Outgoing(key="g", body=Reply(text="goodbye"), source="system", always=True)
        async with self.opened(tmp_path) as store:
            early = (await answer(store, "e1", reply("a"))).rows
            await store.put(message("e2", "STOP"), NOW)
            change = but(result(await take(store), reply("b"), note, notice, goodbye), sends=15.0)
            rows = (await store.commit(but(change, silence=SilenceChange(silence="opted_out", word="STOP")))).rows
            assert [row.status for row in rows] == ["pending"] * 4
            applied = await store.apply(agent_says("d1", "hello"))
            assert applied is not None
            marks = []
            for row in (*early, *rows, *applied.rows):
                marks.append(await store.mark_sending(row, 15.0, NOW))
                await store.mark_sent(row, "p", NOW)
            assert marks == ["suppressed", "suppressed", "sending", "suppressed", "sending", "suppressed"]
            assert await said(store) == ["user: hello", "user: STOP", "system: goodbye"]

    async def test_a_commit_begins_no_send_to_who_opted_out(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1", "STOP"), NOW)
            await store.commit(but(result(await take(store)), silence=SilenceChange(silence="opted_out")))
            await store.put(message("e2"), NOW)
            claim = await take(store)
            assert claim.conversation.silence == "opted_out"
            (row,) = (await store.commit(but(result(claim, reply("a")), sends=15.0))).rows
            assert row.status == "pending"
            assert await store.mark_sending(row, 15.0, NOW) == "suppressed"

    async def test_who_opts_in_again_is_answered(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1", "STOP"), NOW)
            await store.commit(but(result(await take(store)), silence=SilenceChange(silence="opted_out")))
            await store.put(message("e2", "START"), NOW)
            back = but(result(await take(store), reply("a"), now=NOW + 1), silence=SilenceChange(silence=""))
            (row,) = (await store.commit(but(back, sends=15.0))).rows
            assert row.status == "sending"
            again = await store.conversation(CHAT)
            assert again is not None
            assert again.silence == ""

    async def test_a_platform_may_say_so_too(self, tmp_path: Path) -> None:
        blocked = SilenceChange(silence="blocked", word="21610")
        async with self.opened(tmp_path) as store:
            (row,) = (await answer(store, "e1", reply("a"))).rows
            effect = Effect(conversation=CHAT, now=NOW, event_id="silence", silence=blocked)
            assert await store.apply(effect) is not None
            assert await store.mark_sending(row, 15.0, NOW) == "suppressed"
            found = await store.conversation(CHAT)
            assert found is not None
            assert found.silence == "blocked"

    async def test_the_ledger_tells_when_and_by_which_word(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            told: list[tuple[Silence, str]] = [("opted_out", "STOP"), ("", "START"), ("opted_out", "Quit")]
            for number, (why, word) in enumerate(told):
                await store.put(message(f"e{number}", word), NOW)
                change = result(await take(store), now=NOW + number)
                await store.commit(but(change, silence=SilenceChange(silence=why, word=word)))
            await store.put(message("f1", "STOP", chat="2"), NOW)
            quiet = but(result(await take(store), now=NOW + 9), silence=SilenceChange(silence="opted_out", word="STOP"))
            await store.commit(quiet)
            await store.put(message("f2", "START", chat="2"), NOW)
            loud = but(result(await take(store), now=NOW + 10), silence=SilenceChange(silence="", word="START"))
            await store.commit(loud)
            story = await consents(store, CHAT)
            assert [(each.at, each.silence, each.word) for each in story] == [
                (NOW, "opted_out", "STOP"),
                (NOW + 1, "", "START"),
                (NOW + 2, "opted_out", "Quit"),
            ]
            (now,) = await silent(store)
            assert (now.conversation, now.at, now.word) == (CHAT, NOW + 2, "Quit")
            assert now.address is not None
            assert now.address.chat == "1"

    async def test_a_time_zone_is_remembered(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1", sender=Sender(id="u", name="Ann", timezone="Europe/Vienna")), NOW)
            await store.put(message("e2", sender=Sender(id="u", name="Anne")), NOW)
            assert (await take(store)).conversation.person.timezone == "Europe/Vienna"
            await store.put(message("e3", sender=Sender(id="u", timezone="Asia/Tokyo")), NOW)
            found = await store.conversation(CHAT)
            assert found is not None
            assert (found.person.name, found.person.timezone) == ("Anne", "Asia/Tokyo")

    async def test_a_row_knows_what_it_replaces(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            (old,) = (await answer(store, "e1", reply("a"))).rows
            await answer(store, "e2", but(reply("b"), edits=old.id, always=True))
            new = (await store.unsent())[-1].outgoing
            assert (new.edits, new.always) == (old.id, True)
