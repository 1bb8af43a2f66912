"""Several processes on one database: nothing is done twice, nothing is out of order, nobody waits for ever."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from bot.channel import Accepted
from bot.errors import Fenced
from bot.messages import Due, Sender
from bot.store.contract import CaseRecord, Committed, Effect, OwnerChange, Store, Timer
from bot.store.incoming import incoming
from bot.store.postgres import PostgresStore
from bot.store.postgres.lanes import TAKE, put_values
from bot.testing.store_kit import CHAT, NOW, answer, but, message, reply, result, take
from tests.bot.store.postgres.support import TEMPLATE, drain, send, send_all, stores
from tests.servers import PostgresServer


async def test_no_turn_is_given_twice(postgres: PostgresServer) -> None:
    async with stores(postgres, 3) as opened:
        puts = [opened[n % 3].put(message(f"e{n}", chat=str(n % 20)), NOW) for n in range(120)]
        await asyncio.gather(*puts)
        done: Counter[tuple[str, int]] = Counter()
        await asyncio.gather(*(drain(store, f"w{n}", done) for n, store in enumerate(opened) for _ in range(2)))
    assert set(done.values()) == {1}
    assert len(done) == 120


async def test_first_messages_of_one_lane_are_numbered_without_gaps(postgres: PostgresServer) -> None:
    async with stores(postgres) as opened:
        for chat in range(12):
            puts = [opened[n % 2].put(message(f"e{chat}.{n}", chat=str(chat)), NOW) for n in range(8)]
            assert sorted(each.seq for each in await asyncio.gather(*puts)) == list(range(1, 9))


async def test_the_same_event_at_once_is_stored_once(postgres: PostgresServer) -> None:
    async with stores(postgres) as opened:
        for number in range(25):
            # In two chats as well: then the lane's lock does not help.
            puts = [opened[n % 2].put(message(f"e{number}", chat=str(n % 2)), NOW) for n in range(6)]
            accepted = await asyncio.gather(*puts)
            assert sum(not each.duplicate for each in accepted) == 1
            assert len({(each.conversation, each.seq) for each in accepted}) == 1
        done: Counter[tuple[str, int]] = Counter()
        await drain(opened[0], "w", done)
        lanes = Counter(conversation for conversation, _ in done)
        assert sum(lanes.values()) == 25
        for conversation, count in lanes.items():
            assert {n for lane, n in done if lane == conversation} == set(range(1, count + 1))


async def test_a_message_is_taken_by_whoever_stores_it_unless_somebody_is_at_work(postgres: PostgresServer) -> None:
    async with stores(postgres) as (one, other):
        accepted, claim = await one.take(message("e1", sender=Sender(id="u", name="Ann")), "one", 30.0, NOW)
        assert claim is not None
        assert (accepted.seq, claim.n, claim.seq, claim.attempts, claim.conversation.person.name) == (1, 1, 1, 1, "Ann")
        assert await one.reread(claim) == claim
        assert (await other.take(message("e1"), "other", 30.0, NOW)) == (but(accepted, duplicate=True), None)
        assert (await other.take(message("e2"), "other", 30.0, NOW))[1] is None
        assert await other.claim("other", 9, 30.0, NOW + 29) == []
        second = (await one.commit(but(result(claim, reply("a")), state=b'{"a":1}'))).next
        assert second is not None
        assert (await other.take(message("e3"), "other", 30.0, NOW))[1] is None
        await one.commit(but(result(second), keep=False))
        third = await take(other)
        assert (third.n, third.message.event_id) == (3, "e3")
        await other.commit(result(third))
        _, fourth = await one.take(message("e4"), "one", 30.0, NOW)
        assert fourth is not None
        assert (fourth.n, fourth.rev, fourth.state) == (4, 3, b'{"a":1}')
        assert await other.reread(fourth) == fourth


async def test_whoever_wakes_up_late_writes_nothing(postgres: PostgresServer) -> None:
    async with stores(postgres) as (one, other):
        await one.put(message("e1"), NOW)
        late = await take(one)
        current = await take(other, NOW + 31)
        assert await one.renew([late], 30.0, NOW + 31) == [False]
        with pytest.raises(Fenced):
            await one.commit(result(late, reply("late")))
        await other.commit(result(current, reply("good")))
        assert [row.outgoing.key for row in await one.unsent()] == ["good"]


async def test_of_two_that_commit_at_once_one_does(postgres: PostgresServer) -> None:
    async with stores(postgres) as opened:
        for number in range(20):
            await opened[0].put(message(f"e{number}"), NOW)
            claim = await take(opened[0])
            jobs = [store.commit(result(claim, reply(f"{number}.{n}"))) for n, store in enumerate(opened * 2)]
            done = await asyncio.gather(*jobs, return_exceptions=True)
            assert sorted(isinstance(each, Fenced) for each in done) == [False, True, True, True]
        assert len(await opened[0].unsent()) == 20


async def test_a_message_that_comes_while_a_turn_commits_is_never_forgotten(postgres: PostgresServer) -> None:
    url = postgres.new_database(TEMPLATE)
    store = PostgresStore(url, own_clock=False)
    await store.start()
    await store.put(message("e1"), NOW)
    claim = await take(store)
    rival = await asyncpg.connect(url)
    async with rival.transaction():
        await rival.fetchrow(TAKE, *put_values(incoming(message("e2")), NOW))
        commit = asyncio.create_task(store.commit(result(claim)))
        await until_locked(rival)
    following = (await commit).next
    assert following is not None
    assert (following.n, following.message.event_id) == (2, "e2")
    await store.commit(result(following))
    assert await store.next_due() is None
    await rival.close()
    await store.stop()


async def test_the_same_event_that_waits_for_another_transaction_is_a_duplicate(postgres: PostgresServer) -> None:
    url = postgres.new_database(TEMPLATE)
    store = PostgresStore(url, own_clock=False)
    await store.start()
    rival = await asyncpg.connect(url)
    async with rival.transaction():
        await rival.fetchrow(TAKE, *put_values(incoming(message("e1")), NOW))
        puts = [asyncio.create_task(store.put(message("e1", chat=chat), NOW)) for chat in ("2", "3")]
        await until_locked(rival)
    assert [await put for put in puts] == [Accepted(conversation=CHAT, seq=1, duplicate=True)] * 2
    await rival.close()
    claim = await take(store)
    assert (claim.n, (await store.commit(result(claim))).next) == (1, None)
    assert await store.claim("w", 9, 30.0, NOW) == []
    await store.stop()


async def until_locked(connection: Any) -> None:
    """Until somebody else waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(400):
        # What this view says is kept for the whole transaction.
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        if await connection.fetchval(waiting):
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_tenants_share_what_is_claimed(postgres: PostgresServer) -> None:
    async with stores(postgres) as opened:
        for number in range(60):
            await opened[0].put(but(message(f"e{number}", chat=f"{number}"), tenant="big"), NOW)
        for tenant in ("small", "tiny"):
            await opened[0].put(but(message("e", chat=tenant), tenant=tenant), NOW + 5)
        found = await asyncio.gather(*(store.claim("w", 3, 30.0, NOW + 9) for store in opened))
        tenants = Counter(claim.conversation.tenant for claims in found for claim in claims)
        assert (tenants["small"], tenants["tiny"]) == (1, 1)


async def test_lines_are_sent_in_order_by_whoever_picks_them_up(postgres: PostgresServer) -> None:
    async with stores(postgres, 3) as opened:
        for chat in range(6):
            await opened[0].put(message(f"e{chat}", chat=str(chat)), NOW)
        for claim in await opened[0].claim("w", 6, 30.0, NOW):
            await opened[0].commit(result(claim, *(reply(f"r{number}") for number in range(5))))
        sent: list[tuple[str, str]] = []
        await asyncio.gather(*(send_all(store, sent) for store in opened for _ in range(2)))
    assert len(sent) == len(set(sent)) == 30
    for conversation in {line for line, _ in sent}:
        assert [key for line, key in sent if line == conversation] == [f"r{number}" for number in range(5)]


async def test_what_nobody_sends_is_picked_up_by_one(postgres: PostgresServer) -> None:
    async with stores(postgres, 3) as opened:
        for chat in range(12):
            await opened[0].put(message(f"e{chat}", chat=str(chat)), NOW)
        for claim in await opened[0].claim("w", 12, 30.0, NOW):
            await opened[0].commit(result(claim, reply("a"), reply("b")))
        for step in range(5):
            now = NOW + 60 * (step + 1)
            found = await asyncio.gather(*(store.pick_up(4, 30.0, now) for store in opened * 2))
            picked = [row.id for rows in found for row in rows]
            rest = [row.id for row in await opened[0].pick_up(99, 30.0, now)]
            assert len(picked + rest) == len({*picked, *rest}) == 12


async def test_of_many_that_would_send_a_row_one_does(postgres: PostgresServer) -> None:
    async with stores(postgres, 3) as opened:
        for number in range(15):
            (row,) = (await answer(opened[0], f"e{number}", reply(f"r{number}"))).rows
            sent: list[tuple[str, str]] = []
            await asyncio.gather(*(send(store, row, sent) for store in opened * 2))
            assert len(sent) == 1


async def test_two_voices_never_speak(postgres: PostgresServer) -> None:
    async with stores(postgres) as (one, other):
        version = 0
        for number in range(20):
            (row,) = (await _say(one, f"e{number}", version)).rows
            takes = OwnerChange(expected=version, owner="human", case="k1")
            begun, applied = await asyncio.gather(
                one.mark_sending(row, 15.0, NOW), other.apply(Effect(conversation=CHAT, now=NOW, owner=takes))
            )
            assert applied is not None
            assert begun in ("sending", "suppressed")
            if begun == "sending":
                await one.mark_sent(row, "p", NOW)
            back = OwnerChange(expected=version + 1, owner="bot")
            assert await other.apply(Effect(conversation=CHAT, now=NOW, owner=back)) is not None
            version += 2


async def _say(store: Store, event: str, version: int) -> Committed:
    await store.put(message(event), NOW)
    claim = await take(store)
    assert claim.conversation.owner_version == version
    return await store.commit(result(claim, reply(event)))


async def test_an_effect_happens_once_wherever_it_comes_in(postgres: PostgresServer) -> None:
    async with stores(postgres) as opened:
        await opened[0].put(message("e1"), NOW)
        case = CaseRecord(id="k", conversation=CHAT, desk="d", queue="", reason="", opened_at=NOW)
        for number in range(15):
            effect = Effect(
                conversation=CHAT,
                now=NOW,
                event_id=f"d{number}",
                case=case,
                outgoing=(reply(f"a{number}"), reply("same")),
                message=message(f"due{number}", Due(kind="ownership", key="k")),
            )
            done = await asyncio.gather(*(store.apply(effect) for store in opened * 3))
            assert sum(each is not None for each in done) == 1
        assert len(await opened[0].unsent()) == 16


async def test_timers_fire_once_in_however_many_processes(postgres: PostgresServer) -> None:
    async with stores(postgres, 3) as opened:
        for chat in range(10):
            await opened[0].put(message(f"e{chat}", chat=str(chat)), NOW)
        for claim in await opened[0].claim("w", 10, 30.0, NOW):
            timers = tuple(Timer(key=f"t{n}", at=NOW + n, due=Due(kind="say", key=f"t{n}")) for n in range(4))
            await opened[0].commit(but(result(claim), timers=timers))
        fired = await asyncio.gather(*(store.fire(NOW + 9) for store in opened * 2))
        rest = await opened[0].fire(NOW + 9)  # a lane that was locked is left for the next time
        assert sum(fired) + rest == 40
        done: Counter[tuple[str, int]] = Counter()
        await drain(opened[1], "w", done, now=NOW + 9)
        assert len(done) == 40


async def test_a_timer_that_is_replaced_while_it_fires_fires_once(postgres: PostgresServer) -> None:
    timer = Timer(key="t", at=NOW, due=Due(kind="say", key="t"))
    async with stores(postgres) as (one, other):
        await answer(one, "e0")
        for number in range(1, 20):
            await one.apply(Effect(conversation=CHAT, now=NOW, timers=(but(timer, at=NOW + number),)))
            later = Effect(conversation=CHAT, now=NOW, timers=(but(timer, at=NOW + 1000 + number),))
            fired, _ = await asyncio.gather(other.fire(NOW + number), one.apply(later))
            assert fired in (0, 1)
            assert await one.fire(NOW + 2000) == 1
            for _ in range(fired + 1):
                await one.commit(but(result(await take(one, NOW + 2000)), keep=False))


async def test_effects_that_cross_do_not_wait_for_each_other_for_ever(postgres: PostgresServer) -> None:
    async with stores(postgres) as opened:
        places = [(await opened[0].put(message(f"e{chat}", chat=chat), NOW)).conversation for chat in ("1", "2")]

        def cross(number: int) -> Effect:
            back = message(f"x{number}", chat="21"[number % 2])
            return Effect(conversation=places[number % 2], now=NOW, event_id=f"x{number}", message=back)

        done = await asyncio.gather(*(opened[n % 2].apply(cross(n)) for n in range(40)))
        assert all(each is not None and each.message is not None for each in done)


async def test_one_of_many_holds_a_name(postgres: PostgresServer) -> None:
    async with stores(postgres, 3) as opened:
        for turn in range(10):
            now = NOW + 100 * turn
            held = await asyncio.gather(*(store.hold("polling", f"w{n}", 30.0, now) for n, store in enumerate(opened)))
            assert sum(held) == 1


async def test_leases_go_by_the_database_whatever_the_workers_clocks_say(postgres: PostgresServer) -> None:
    async with stores(postgres, own_clock=True) as (one, other):
        behind, ahead = time.time() - 3600, time.time() + 3600
        await one.put(message("e1"), ahead)
        claim = await take(one, behind)
        assert await other.claim("other", 1, 30.0, ahead) == []
        assert await other.renew([claim], 0.2, behind) == [True]
        await asyncio.sleep(0.3)
        again = await take(other, behind)
        assert (again.n, again.attempts) == (1, 2)
        (row,) = (await other.commit(but(result(again, reply("a"), now=ahead), sends=15.0, lease=0.1))).rows
        assert abs(row.first_attempt_at - time.time()) < 60
        assert await one.pick_up(9, 30.0, ahead) == []
        assert await one.postpone(row, 0.0, "429", ahead)
        assert await one.hold("polling", "one", 0.2, ahead)
        assert not await other.hold("polling", "other", 30.0, ahead)
        await asyncio.sleep(0.3)
        assert await other.hold("polling", "other", 30.0, behind)
        assert await one.fire(ahead) == 0
