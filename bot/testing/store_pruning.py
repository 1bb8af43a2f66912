"""What every store must do when old things are deleted: what is needed stays. A part of the conformance suite."""

# ruff: noqa: S101  # asserting is what a conformance suite does

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

from sqlalchemy import Connection, text

from bot.channel import Unreadable
from bot.messages import Due
from bot.store.consents import consents
from bot.store.contract import CaseRecord, Effect, OwnerChange, SilenceChange, Store, Timer
from bot.store.letters import keep_unreadable, list_unreadable
from bot.store.notes import read_note, write_note
from bot.store.pruning import Cutoffs, Since, prune
from bot.testing.store_kit import CHAT, NOW, StoreSuite, answer, but, message, reply, result, said, take

DAY = 86_400.0
LATER = NOW + 100 * DAY
ALL = Cutoffs(now=LATER, transcripts=LATER - DAY, traces=LATER - DAY, events=LATER - DAY, letters=LATER - DAY)


def nobody_waits(state: bytes) -> float:
    """As if there were no dialogs."""
    return math.inf


class PruningContract(StoreSuite):
    """What is too old goes, and nothing else."""

    async def test_old_words_and_traces_go_and_new_ones_stay(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            for number in range(3):
                await _whole(store, f"e{number}", NOW)
            await _whole(store, "new", LATER)
            gone = await _pruned(store, ALL)
            assert gone == {"traces": 3, "inbox": 3, "outbox": 3}
            assert await said(store) == ["user: new", "bot: to new"]
            assert await store.trace(CHAT, 3) is None
            assert await store.trace(CHAT, 4) is not None
            assert await _pruned(store, ALL) == {}

    async def test_traces_may_go_before_the_words(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await _whole(store, "e1", NOW)
            assert await _pruned(store, but(ALL, transcripts=0.0)) == {"traces": 1}
            assert await said(store) == ["user: e1", "bot: to e1"]

    async def test_nothing_goes_that_nobody_wants_to_lose(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await _whole(store, "e1", NOW)
            await keep_unreadable(store, LETTER)
            assert await _pruned(store, Cutoffs(now=LATER)) == {}
            assert await list_unreadable(store) == [LETTER]

    async def test_numbers_go_on_and_a_reader_gets_what_came_after(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            for number in range(2):
                await _whole(store, f"e{number}", NOW)
            last = (await store.history(CHAT))[-1].seq
            assert (await _pruned(store, ALL))["inbox"] == 2
            assert await said(store, after=last) == []
            await store.put(message("new"), LATER)
            claim = await take(store, LATER)
            assert (claim.n, claim.seq) == (3, last + 1)
            await store.commit(result(claim, reply("k", "to new"), now=LATER))
            (row,) = await store.unsent(CHAT)
            await store.mark_sending(row, 15.0, LATER)
            assert await said(store, after=last) == ["user: hello", "bot: to new"]

    async def test_a_conversation_with_an_unsent_reply_stays_whole(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await _whole(store, "e1", NOW)
            (row,) = (await answer(store, "e2", reply("late", "late"))).rows
            assert await _pruned(store, ALL) == {}
            assert await store.mark_sending(row, 15.0, LATER) == "sending"
            assert await _pruned(store, ALL) == {}
            await store.mark_sent(row, "p", LATER)
            assert (await _pruned(store, ALL))["outbox"] == 2

    async def test_a_conversation_with_a_message_that_waits_stays_whole(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await _whole(store, "e1", NOW)
            await store.put(message("e2", "waits"), NOW)
            assert await _pruned(store, ALL) == {}
            assert (await take(store, LATER)).message.text == "waits"
            assert await _pruned(store, ALL) == {}, "it is being answered"

    async def test_a_conversation_in_a_persons_hands_stays_whole_with_its_case(self, tmp_path: Path) -> None:
        case = CaseRecord(id="k1", conversation=CHAT, desk="d", queue="", reason="", opened_at=NOW, ref="7")
        async with self.opened(tmp_path) as store:
            await _whole(store, "e1", NOW)
            await store.apply(_owner("human", 0, but(case, state="open")))
            assert await _pruned(store, ALL) == {}
            assert await store.open_cases("d") != []
            await store.apply(_owner("bot", 1, case.closed(NOW)))
            assert await _pruned(store, ALL) == {"traces": 1, "inbox": 1, "outbox": 1, "cases": 1}
            assert await store.case(id="k1") is None

    async def test_what_a_dialog_waits_with_stays(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await _whole(store, "e1", NOW)
            await _whole(store, "e2", NOW + 50 * DAY, state=b"waits")
            gone = await _pruned(store, ALL, since=lambda state: NOW + 50 * DAY if state == b"waits" else math.inf)
            assert gone == {"traces": 1, "inbox": 1, "outbox": 1}
            assert await said(store) == ["user: e2", "bot: to e2"]
            assert (await store.states())[0][1] == b"waits"

    async def test_timers_facts_and_consents_stay(self, tmp_path: Path) -> None:
        timer = Timer(key="t", at=LATER + DAY, due=Due(kind="say", key="t", text="soon"))
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            change = but(result(await take(store)), timers=(timer,), silence=SilenceChange(silence="opted_out"))
            await store.commit(change)
            assert await _pruned(store, ALL) == {"inbox": 1}
            assert await store.next_due() == LATER + DAY
            assert len(await consents(store, CHAT)) == 1

    async def test_a_dead_letter_goes_with_its_message(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.commit(but(result(await take(store)), parked="it broke"))
            assert await _pruned(store, but(ALL, transcripts=NOW)) == {}
            assert len(await store.dead_letters()) == 1
            assert await _pruned(store, ALL) == {"inbox": 1, "dead_letters": 1}

    async def test_an_event_happens_once_until_it_goes(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await _whole(store, "e1", NOW)
            effect = Effect(conversation=CHAT, now=NOW, event_id="d1")
            assert await store.apply(effect) is not None
            assert await _pruned(store, Cutoffs(now=LATER, events=NOW - DAY)) == {}
            assert await store.apply(effect) is None
            assert (await store.put(message("e1"), NOW)).duplicate
            assert await _pruned(store, Cutoffs(now=LATER, events=NOW + DAY)) == {"effects": 1}

    async def test_a_note_goes_when_its_time_is_over(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await write_note(store, "for.ever", "1")
            await write_note(store, "short", "1", until=NOW + 1)
            await write_note(store, "renewed", "1", until=NOW + 1)
            await write_note(store, "renewed", "2", until=LATER + 1)
            await write_note(store, "kept.after.all", "1", until=NOW + 1)
            await write_note(store, "kept.after.all", "2")
            assert await _pruned(store, Cutoffs(now=NOW)) == {}
            assert await _pruned(store, Cutoffs(now=LATER)) == {"notes": 1}
            kept = [await read_note(store, key) for key in ("for.ever", "short", "renewed", "kept.after.all")]
            assert kept == ["1", None, "2", "2"]

    async def test_many_go_in_small_steps(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await _whole(store, "e0", NOW)
            await store.write(_copies)
            steps = [gone async for gone in prune(store, ALL, nobody_waits)]
            assert max(sum(gone.values()) for gone in steps) <= 300
            assert sum(steps, Counter())["inbox"] == 251
            assert await said(store) == []


LETTER = Unreadable(event_id="e1", channel="test", account="main", payload="{", problem="no type", at=NOW)


def _copies(connection: Connection) -> None:
    """250 more old messages, as the first one; they are numbered in front of it."""
    for number in range(1, 251):
        values = {"seq": -number, "event": f"copy{number}"}
        connection.execute(
            text("""
INSERT INTO inbox (conversation, seq, n, tenant, channel, account, event_id, person, words, payload, at)
SELECT conversation, :seq, n, tenant, channel, account, :event, person, words, payload, at FROM inbox
WHERE event_id = 'e0'"""),
            values,
        )


async def _whole(store: Store, event: str, now: float, state: bytes | None = None) -> None:
    """A message that was answered, and whose answer was sent."""
    await store.put(message(event, event), now)
    change = but(result(await take(store, now), reply(event, f"to {event}"), now=now), trace=b"{}", state=state)
    for row in (await store.commit(change)).rows:
        await store.mark_sending(row, 15.0, now)
        await store.mark_sent(row, "p", now)


async def _pruned(store: Store, cutoffs: Cutoffs, since: Since = nobody_waits) -> dict[str, int]:
    """All steps; what went."""
    gone = Counter[str]()
    async for deleted in prune(store, cutoffs, since):
        gone += deleted
    return dict(gone)


def _owner(owner: str, expected: int, case: CaseRecord) -> Effect:
    change = OwnerChange(expected=expected, owner=owner, case="k1" if owner != "bot" else "")  # type: ignore[arg-type]  # one of its words
    return Effect(conversation=CHAT, now=NOW, event_id="", owner=change, case=case)
