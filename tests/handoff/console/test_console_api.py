"""What agents do on the console, over HTTP: with the core listening, failing, and restarted in between."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.desk import AgentClosed, AgentReplied, AgentTook, AgentTyping, Ref
from handoff.console import ConsoleSettings, records
from tests.handoff.console.support import NOON, Core, HandClock, case, serving, until


async def test_the_queue_shows_who_waits_why_and_since_when(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        queue = await (await ana.get("/console/api/queue")).json()
    assert queue["agent"]["name"] == "Ana"
    (row,) = queue["tickets"]
    assert row["state"] == "waiting"
    assert row["reason"] == "It arrived broken"
    assert (row["preview"], row["preview_source"]) == ("My lamp is broken", "user")
    assert row["channel"] == "telegram"
    assert queue["now"] - row["waiting_since"] == 0
    assert row["facts"] == {"Order": "1042", "Item": "Blue lamp"}
    assert row["person"]["email"] == "rosa@example.org"


async def test_a_person_is_taken_answered_and_given_back(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        site.core.say("user", "My lamp is broken")
        ana = await site.agent("Ana")
        taken = await ana.on(ticket, "take", {})
        said = await ana.on(ticket, "reply", {"text": "I'm sorry!", "client_id": "reply-0001", "seen": 3})
        noted = await ana.on(ticket, "note", {"text": "Ask the courier", "client_id": "note-00001"})
        back = await ana.on(ticket, "give-back", {"note": "New lamp sent"})
        thread = await ana.thread(ticket)
        assert [response.status for response in (taken, said, noted, back)] == [200, 200, 200, 200]
        assert (await said.json())["delivered"] is True
    took, replied, closed = site.core.events
    assert isinstance(took, AgentTook)
    assert took.agent.name == "Ana"
    assert isinstance(replied, AgentReplied)
    assert replied.event_id == f"console:{ticket.id}:reply-0001"
    assert replied.text == "I'm sorry!"
    assert replied.ref == Ref(id=ticket.id)
    assert isinstance(closed, AgentClosed)
    assert closed.note == "New lamp sent"
    assert [line["text"] for line in thread["lines"]] == ["My lamp is broken", "Ana joined.", "I'm sorry!"]
    assert [note["text"] for note in thread["notes"]] == ["Ask the courier", "New lamp sent"]
    assert thread["pending"] == []
    assert thread["ticket"]["state"] == "closed"


async def test_a_note_never_leaves_the_desk(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        before = site.core.tries
        for _ in range(2):
            assert (await ana.on(ticket, "note", {"text": "secret", "client_id": "note-00001"})).status == 200
        await asyncio.sleep(0.05)
        assert site.core.tries == before
        assert [note["text"] for note in (await ana.thread(ticket))["notes"]] == ["secret"]
        assert "secret" not in str(site.core.events)
        assert "secret" not in str(await site.desk.fetch(ticket, ""))


async def test_of_two_agents_at_once_one_gets_it_and_the_other_hears_who(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ana, ben = await site.agent("Ana"), await site.agent("Ben")
        for number in range(10):
            ticket = await site.desk.open(case(f"c{number}"), f"k{number}")
            answers = await asyncio.gather(ana.on(ticket, "take", {}), ben.on(ticket, "take", {}))
            assert sorted(answer.status for answer in answers) == [200, 409]
            winner = "Ana" if answers[0].status == 200 else "Ben"
            refused = await next(answer for answer in answers if answer.status == 409).json()
            assert refused["error"] == "taken"
            assert refused["ticket"]["agent_name"] == winner
            assert winner in refused["message"]
        assert len(site.core.events) == 10


async def test_taking_twice_is_taking_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        assert [(await ana.on(ticket, "take", {})).status for _ in range(2)] == [200, 200]
        assert len(site.core.events) == 1


async def test_a_case_is_taken_over_only_from_whom_one_means(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana, ben, eva = [await site.agent(name) for name in ("Ana", "Ben", "Eva")]
        owner = (await (await ana.on(ticket, "take", {})).json())["ticket"]["agent"]
        answers = await asyncio.gather(*(who.on(ticket, "take", {"instead_of": owner}) for who in (ben, eva)))
        assert sorted(answer.status for answer in answers) == [200, 409]
        assert (await ana.on(ticket, "reply", {"text": "hi", "client_id": "reply-0001", "seen": 9})).status == 409
    assert site.core.heard() == [f"console:{ticket.id}:took:1", f"console:{ticket.id}:took:2"]


async def test_only_the_owner_may_answer_or_give_back(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana, ben = await site.agent("Ana"), await site.agent("Ben")
        answer = {"text": "hi", "client_id": "reply-0001", "seen": 0}
        early = await ana.on(ticket, "reply", answer)
        assert (early.status, (await early.json())["error"]) == (409, "not_taken")
        await ana.on(ticket, "take", {})
        for action, body in (("reply", answer), ("give-back", {}), ("typing", {"on": True})):
            refused = await ben.on(ticket, action, body)
            assert (refused.status, (await refused.json())["error"]) == (409, "taken")
        await ana.on(ticket, "give-back", {})
        late = await ana.on(ticket, "reply", answer)
        assert (late.status, (await late.json())["error"]) == (409, "closed")
    assert not any(isinstance(event, AgentReplied) for event in site.core.events)


async def test_the_same_answer_twice_is_said_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        answer = {"text": "On its way", "client_id": "reply-0001", "seen": 1}
        results = await asyncio.gather(*(ana.on(ticket, "reply", answer) for _ in range(5)))
        # Even when the customer has written since: a repeated answer is no new one.
        site.core.say("user", "Thanks!")
        results.append(await ana.on(ticket, "reply", answer))
        assert [result.status for result in results] == [200] * 6
        lines = (await ana.thread(ticket))["lines"]
    assert [line["text"] for line in lines].count("On its way") == 1
    assert site.core.heard().count(f"console:{ticket.id}:reply-0001") == 1


async def test_an_answer_to_old_news_is_held_back_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        site.core.say("user", "My lamp is broken")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        seen = (await ana.thread(ticket))["last_seq"]
        site.core.say("user", "Wait, it was my cat")
        answer = {"text": "New lamp?", "client_id": "reply-0001", "seen": seen}
        held = await ana.on(ticket, "reply", answer)
        stale = await held.json()
        assert (held.status, stale["error"]) == (409, "stale")
        assert [line["text"] for line in stale["lines"]] == ["Wait, it was my cat"]
        assert not any(isinstance(event, AgentReplied) for event in site.core.events)
        assert (await ana.on(ticket, "reply", answer | {"anyway": True})).status == 200
        # Her own words are no news to her, however old what she saw is.
        again = {"text": "Still there?", "client_id": "reply-0002", "seen": stale["last_seq"]}
        assert (await ana.on(ticket, "reply", again)).status == 200


async def test_a_crash_between_the_row_and_the_core_loses_nothing(tmp_path: Path) -> None:
    core = Core()
    core.deaf = True
    async with serving(tmp_path, core) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        took = asyncio.create_task(ana.on(ticket, "take", {}))
        await until(lambda: core.tries > 0)
        said = asyncio.create_task(ana.on(ticket, "reply", {"text": "Hello!", "client_id": "reply-0001", "seen": 1}))
        first, second = await took, await said
        assert (await first.json())["delivered"] is False
        assert (await second.json())["delivered"] is False
        assert [row["text"] for row in (await ana.thread(ticket))["pending"]] == ["Hello!"]
    assert core.events == []
    core.deaf = False
    async with serving(tmp_path, core) as site:
        await until(lambda: len(core.events) == 2)
        assert core.heard() == [f"console:{ticket.id}:took:1", f"console:{ticket.id}:reply-0001"]
        async with asyncio.timeout(30):
            while await site.database.read(records.undelivered):  # noqa: ASYNC110 - a row sets no event
                await asyncio.sleep(0.005)
        tries = core.tries
    async with serving(tmp_path, core) as site:
        await asyncio.sleep(0.1)
        assert core.tries == tries, "what was acknowledged is not carried again"
        again = await site.agent("ana ")
        thread = await again.thread(ticket)
        assert [line["text"] for line in thread["lines"]] == ["Ana joined.", "Hello!"]
        assert thread["pending"] == []


async def test_the_core_comes_back_and_hears_everything_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        other = await site.desk.open(case("c2"), "k2")
        ana = await site.agent("Ana")
        site.core.deaf = True
        answers = [
            asyncio.create_task(ana.on(ticket, "take", {})),
            asyncio.create_task(ana.on(other, "take", {})),
        ]
        await until(lambda: site.core.tries >= 2)
        site.core.deaf = False
        assert [(await (await answer).json())["delivered"] for answer in answers] == [True, True]
    assert sorted(site.core.heard()) == [f"console:{ticket.id}:took:1", f"console:{other.id}:took:1"]


async def test_an_answer_waits_for_its_place_in_the_transcript(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        site.core.relays = False
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        for number in (1, 2):
            answer = {"text": "Same words", "client_id": f"reply-000{number}", "seen": 1, "anyway": True}
            await ana.on(ticket, "reply", answer)
        assert [row["client_id"] for row in (await ana.thread(ticket))["pending"]] == ["reply-0001", "reply-0002"]
        site.core.say("agent", "Same words", author="Ana")
        assert [row["client_id"] for row in (await ana.thread(ticket))["pending"]] == ["reply-0002"]
        assert [row["client_id"] for row in (await ana.thread(ticket, after=99))["pending"]] == ["reply-0002"]
        site.core.say("agent", "Same words", author="Ana")
        assert (await ana.thread(ticket))["pending"] == []


async def test_a_long_conversation_arrives_whole(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        for number in range(4_300):
            site.core.say("user", f"line {number}")
        ana = await site.agent("Ana")
        lines: list[object] = []
        after, more = 0, True
        while more:
            thread = await ana.thread(ticket, after)
            lines += thread["lines"]
            after, more = thread["last_seq"], thread["more"]
    assert [line["text"] for line in lines] == [f"line {number}" for number in range(4_300)]


async def test_what_the_bridge_does_twice_happens_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        refs = [await site.desk.open(case(), "k1") for _ in range(3)]
        assert len({ref.id for ref in refs}) == 1
        ticket, entry = refs[0], site.core.say("user", "Hello?")
        for _ in range(2):
            await site.desk.append(ticket, entry, "a1")
            await site.desk.note(ticket, "They left.", "n1")
        ana = await site.agent("Ana")
        assert [note["text"] for note in (await ana.thread(ticket))["notes"]] == ["They left."]
        await site.desk.close(ticket, "timeout", "x")
        await site.desk.close(ticket, "again", "x")
        thread = await ana.thread(ticket)
        assert thread["ticket"]["outcome"] == "timeout"
        closed = await (await ana.get("/console/api/queue?view=closed")).json()
        assert [row["id"] for row in closed["tickets"]] == [int(ticket.id)]
        assert (await (await ana.get("/console/api/queue")).json())["tickets"] == []


async def test_a_customer_waits_again_after_an_answer(tmp_path: Path) -> None:
    clock = HandClock()
    async with serving(tmp_path, clock=clock) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        answer = {"text": "hi", "client_id": "reply-0001", "seen": 1}
        answered = (await (await ana.on(ticket, "reply", answer)).json())["ticket"]
        assert (answered["waiting_since"], answered["preview_source"]) == (0.0, "agent")
        await site.desk.append(ticket, site.core.say("user", "and?", at=NOON + 50), "a1")
        await site.desk.append(ticket, site.core.say("user", "hello?", at=NOON + 90), "a2")
        (row,) = (await (await ana.get("/console/api/queue")).json())["tickets"]
    assert (row["waiting_since"], row["preview"]) == (NOON + 50, "hello?")


async def test_fetch_gives_what_was_done_behind_a_cursor(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        first, cursor = await site.desk.fetch(ticket, "")
        assert await site.desk.fetch(ticket, cursor) == ([], cursor)
        await ana.on(ticket, "reply", {"text": "hi", "client_id": "reply-0001", "seen": 3})
        second, _ = await site.desk.fetch(ticket, cursor)
    assert [*first, *second] == site.core.events


async def test_typing_is_passed_on_and_never_stored(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        assert (await ana.on(ticket, "typing", {"on": True})).status == 200
        site.core.deaf = True
        assert (await ana.on(ticket, "typing", {"on": False})).status == 200
        events, _ = await site.desk.fetch(ticket, "")
    assert [type(event) for event in site.core.events] == [AgentTook, AgentTyping]
    assert len(events) == 1


BAD = [
    ("reply", {}),
    ("reply", {"text": "", "client_id": "reply-0001", "seen": 0}),
    ("reply", {"text": " \n\x00", "client_id": "reply-0001", "seen": 0}),
    ("reply", {"text": "x" * 101, "client_id": "reply-0001", "seen": 0}),
    ("reply", {"text": "hi", "client_id": "short", "seen": 0}),
    ("reply", {"text": "hi", "client_id": "took:1took:1", "seen": 0}),
    ("reply", {"text": "hi", "client_id": "reply-0001", "seen": -1}),
    ("reply", {"text": "hi", "client_id": "reply-0001", "seen": "0"}),
    ("reply", {"text": "hi", "client_id": "reply-0001", "seen": 10**400}),
    ("reply", {"text": "hi", "client_id": "reply-0001", "seen": 2**31}),
    ("reply", {"text": ["hi"], "client_id": "reply-0001", "seen": 0}),
    ("reply", {"text": "\ud800", "client_id": "reply-0001", "seen": 0}),
    ("reply", {"text": "hi", "client_id": "reply-0001", "seen": 0, "agent": "Ben"}),
    ("note", {"text": "hi"}),
    ("take", {"instead_of": 7}),
    ("give-back", {"reason": "bored"}),
    ("typing", {"on": "yes"}),
    ("take", []),
    ("take", 7),
]


async def test_bad_input_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path, settings=ConsoleSettings(max_text=100)) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        await ana.on(ticket, "take", {})
        for action, body in BAD:
            response = await ana.on(ticket, action, body)
            assert response.status == 422, (action, body)
            assert (await response.json())["message"]
    assert len(site.core.events) == 1


async def test_bodies_that_are_no_json_and_addresses_that_are_no_place(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        for raw, status in (
            (b"\xff\xfe", 422),
            (b"{", 422),
            (b"[" * 100_000, 422),
            (b"x" * 600_000, 413),
        ):
            # A server hangs up on a body that it will not read to the end.
            headers = {"Origin": ana.origin, "Content-Type": "application/json", "Connection": "close"}
            answer = await ana.client.post("/console/api/tickets/1/take", data=raw, headers=headers)
            assert (answer.status, answer.content_type) == (status, "application/json")
        packed = await ana.client.post(
            "/console/api/tickets/1/take",
            data=b"not gzip",
            headers=headers | {"Content-Encoding": "gzip"},
        )
        assert packed.status == 400
        for path, status in (
            ("/console/api/tickets/999", 404),
            ("/console/api/tickets/999999999999999", 404),
            ("/console/api/tickets/9999999999999999999999", 404),
            ("/console/api/tickets/x", 404),
            ("/console/api/tickets/1?after=x", 422),
            ("/console/api/tickets/1?after=" + "9" * 40, 422),
            ("/console/api/tickets/1?after=²", 422),
            ("/console/api/", 404),
            ("/console/api/none", 404),
            ("/console/static/../desk.py", 404),
            ("/console/static/%2e%2e%2fdesk.py", 404),
            ("/console/static/console.html", 404),
        ):
            answer = await ana.get(path)
            assert answer.status == status, path


async def test_a_database_that_is_gone_is_told_and_not_hidden(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        site.database.down = True
        answer = await ana.on(ticket, "take", {})
        assert (answer.status, (await answer.json())["error"]) == (503, "busy")
        site.database.down = False
        assert (await ana.on(ticket, "take", {})).status == 200
