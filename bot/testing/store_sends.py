"""What every store must do for the outbox: replies are kept with their turn, begun by one sender, and never made twice.

A part of the conformance suite in store_contract.py.
"""

# ruff: noqa: S101  # asserting is what a conformance suite does

from __future__ import annotations

from pathlib import Path

from bot.messages import Due
from bot.replies import Reply
from bot.store.contract import DeskCall, Effect, Outgoing, OwnerChange, Timer
from bot.testing.store_kit import CHAT, NOW, StoreSuite, agent_says, answer, but, message, reply, result, said, take


class OutboxContract(StoreSuite):
    """Replies are kept with the turn, marked before they are sent, and never made twice."""

    async def test_rows_come_back_with_the_commit_and_as_unsent(self, tmp_path: Path) -> None:
        note = Outgoing(key="n", call=DeskCall(kind="note", case="k1", text="look"), source="system")
        async with self.opened(tmp_path) as store:
            committed = await answer(store, "e1", reply("a"), note, reply("b"))
            unsent = await store.unsent()
        assert [(row.id, row.turn, row.target) for row in committed.rows] == [
            (f"{CHAT}.2", 1, "channel"),
            (f"{CHAT}.3", 1, "desk"),
            (f"{CHAT}.4", 1, "channel"),
        ]
        assert unsent == sorted(committed.rows, key=lambda row: (row.target, row.seq))

    async def test_a_repeated_key_adds_nothing(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await answer(store, "e1", reply("a", "first"))
            again = await answer(store, "e2", reply("a", "second"), reply("b"), reply("b"))
            assert [row.outgoing.key for row in again.rows] == ["b"]
            assert [row.outgoing.key for row in await store.unsent()] == ["a", "b"]

    async def test_a_send_is_counted_before_it_begins(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            (row,) = (await answer(store, "e1", reply("a"))).rows
            assert await store.mark_sending(row, 15.0, NOW + 1) == "sending"
            first = but(row, attempts=1)
            assert await store.postpone(first, 58.0, "429", NOW + 2)
            (waiting,) = await store.unsent()
            assert (waiting.error, await store.unsent(CHAT), await store.unsent("c0")) == ("429", [waiting], [])
            assert (waiting.status, waiting.attempts, waiting.not_before) == ("pending", 1, NOW + 60)
            assert await store.mark_sending(first, 15.0, NOW + 61) == "sending"
            (sending,) = await store.unsent()
            assert (sending.status, sending.attempts, sending.not_before) == ("sending", 2, NOW + 76)
            assert (sending.first_attempt_at, sending.last_attempt_at) == (NOW + 1, NOW + 61)
            await store.mark_sent(row, "p1", NOW + 62)
            assert await store.unsent() == []
            assert await store.mark_sending(sending, 15.0, NOW + 63) == "sent"

    async def test_rows_are_withdrawn_together_or_not_at_all(self, tmp_path: Path) -> None:
        timer = Timer(key="t", at=NOW + 60, due=Due(kind="outreach", key="t"))
        async with self.opened(tmp_path) as store:
            rows = (await answer(store, "e1", reply("a"), reply("a/1"), reply("b"))).rows
            effect = Effect(conversation=CHAT, now=NOW, event_id="night", timers=(timer,), withdraws=rows[:2])
            assert await store.mark_sending(rows[0], 15.0, NOW) == "sending"
            assert await store.apply(effect) is None, "a send of it has begun"
            begun = but(rows[0], attempts=1)
            assert await store.postpone(begun, 0.0, "off", NOW)
            assert await store.apply(effect) is None, "it is not as it was"
            assert await store.next_due() is None
            effect = but(effect, withdraws=(begun, rows[1]))
            assert await store.apply(effect) is not None
            assert await store.apply(effect) is None
            assert await store.next_due() == NOW + 60
            assert [row.outgoing.key for row in await store.unsent()] == ["b"]
            assert await store.mark_sending(begun, 15.0, NOW) == "suppressed"
            assert await store.mark_sending(rows[2], 15.0, NOW) == "sending", "it waits for what was withdrawn"
            again = await answer(store, "e2", reply("a", "in the morning"))
            assert [row.outgoing.key for row in again.rows] == ["a"], "its key is still taken"

    async def test_a_failed_row_is_finished(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            rows = (await answer(store, "e1", reply("a"), reply("b"))).rows
            assert await store.mark_failed(rows[0], "failed", "blocked")
            assert await store.mark_failed(rows[1], "ambiguous", "timeout")
            assert await store.unsent() == []
            assert await store.mark_sending(rows[0], 15.0, NOW) == "failed"
            await store.mark_sent(rows[0], "late", NOW)
            assert not await store.postpone(rows[0], 1.0, "late", NOW)
            assert await store.mark_sending(rows[0], 15.0, NOW) == "failed"

    async def test_of_two_that_would_send_a_row_one_does(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            (row,) = (await answer(store, "e1", reply("a"))).rows
            marks = [await store.mark_sending(row, 15.0, NOW) for _ in range(3)]
            assert marks == ["sending", "taken", "taken"]
            assert not await store.postpone(row, 1.0, "429", NOW), "whoever lost it can't put it off"
            assert not await store.mark_failed(row, "failed", "blocked")
            second = but(row, attempts=1)
            assert await store.mark_sending(second, 15.0, NOW + 20) == "sending"
            assert not await store.mark_failed(second, "ambiguous", "late")
            await store.mark_sent(second, "p1", NOW + 21)
            assert await store.mark_sending(second, 15.0, NOW) == "sent", "what was sent was sent, in whichever attempt"

    async def test_a_row_waits_for_those_before_it_in_its_line(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            note = Outgoing(key="n", call=DeskCall(kind="note", case="k1", text="look"), source="system")
            first, called, second = (await answer(store, "e1", reply("a"), note, reply("b"))).rows
            assert await store.mark_sending(second, 15.0, NOW) == "waits"
            assert await store.mark_sending(called, 15.0, NOW) == "sending"
            assert await store.mark_sending(first, 15.0, NOW) == "sending"
            assert await store.mark_sending(second, 15.0, NOW) == "waits"
            await store.mark_sent(first, "p1", NOW)
            assert await store.mark_sending(second, 15.0, NOW) == "sending"

    async def test_a_commit_may_begin_its_first_send(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            change = but(result(await take(store), reply("a"), reply("b")), sends=15.0)
            first, second = (await store.commit(change)).rows
            assert (first.status, first.attempts, first.first_attempt_at) == ("sending", 1, NOW)
            assert [row.status for row in await store.unsent()] == ["sending", "pending"]
            assert second.status == "pending"
            await store.put(message("e2"), NOW)
            (third,) = (await store.commit(but(result(await take(store), reply("c")), sends=15.0))).rows
            assert third.status == "pending", "something stands before it"
            assert await store.mark_sending(but(first, attempts=0), 15.0, NOW) == "taken"

    async def test_what_must_not_be_said_twice_is_not_begun_by_a_commit(self, tmp_path: Path) -> None:
        once = Outgoing(key="a", body=Reply(text="hi", once=True))
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            (row,) = (await store.commit(but(result(await take(store), once), sends=15.0))).rows
            assert row.status == "pending"

    async def test_what_nobody_sends_is_picked_up(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            first, second = (await answer(store, "e1", reply("a"), reply("b"))).rows
            assert await store.pick_up(9, 10.0, NOW + 29) == [], "whoever committed it has time to send it"
            (found,) = await store.pick_up(9, 10.0, NOW + 31)
            assert found.id == first.id, "the first of its line only"
            assert await store.pick_up(9, 10.0, NOW + 40) == []
            assert await store.mark_sending(found, 15.0, NOW + 40) == "sending"
            assert await store.pick_up(9, 10.0, NOW + 54) == [], "nobody looks before its outcome is certain"
            (unsure,) = await store.pick_up(9, 10.0, NOW + 56)
            assert (unsure.id, unsure.status, unsure.attempts) == (first.id, "sending", 1)
            await store.mark_sent(unsure, "p", NOW + 57)
            (rest,) = await store.pick_up(9, 10.0, NOW + 57)
            assert rest.id == second.id
            assert await store.mark_sending(rest, 15.0, NOW + 57) == "sending"
            assert await store.postpone(but(rest, attempts=1), 60.0, "429", NOW + 57)
            assert await store.pick_up(9, 10.0, NOW + 116) == []
            assert len(await store.pick_up(9, 10.0, NOW + 130)) == 1

    async def test_the_bot_is_silent_while_a_human_speaks(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            call = Outgoing(key="d", call=DeskCall(kind="append", case="k1"))
            notice = Outgoing(key="s", body=Reply(text="Kim is here"), source="system")
            rows = (await answer(store, "e1", reply("a"), notice, call)).rows
            owner = OwnerChange(expected=0, owner="human", case="k1")
            assert await store.apply(Effect(conversation=CHAT, now=NOW, owner=owner)) is not None
            applied = await store.apply(agent_says("d1", "hello"))
            assert applied is not None
            marks = []
            for row in (*rows, *applied.rows):
                marks.append(await store.mark_sending(row, 15.0, NOW))
                await store.mark_sent(row, "p", NOW)
            assert marks == ["suppressed", "sending", "sending", "sending"]
            assert await said(store) == ["user: hello", "system: Kim is here", "agent: hello"]
