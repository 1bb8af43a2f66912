"""What events at a desk make of a conversation, looked at between two changes of hands."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.desk import Agent, AgentClosed, AgentReplied, AgentTook, Ref
from bot.handoff.moves import Move, move, opened, taken_back
from bot.messages import Address
from bot.people import Conversation, Person
from bot.phrases import Phrases
from bot.store.contract import CaseRecord

ANA = Agent(id="ana", name="Ana")
REF = Ref(id="7")
MOVES = [
    AgentTook(event_id="e", ref=REF, agent=ANA, at=1.0),
    AgentReplied(event_id="e", ref=REF, agent=ANA, text="Hello.", at=1.0),
    AgentClosed(event_id="e", ref=REF, agent=ANA, at=1.0),
]
QUEUED = Conversation(
    id="c1",
    address=Address(channel="web", account="main", chat="x"),
    person=Person(id="p1"),
    owner="queued",
    owner_version=2,
    case="k1",
)
OPEN = CaseRecord(id="k1", conversation="c1", desk="d", queue="q", reason="r", opened_at=0.0, ref="7", state="open")


@pytest.mark.parametrize("event", MOVES)
@pytest.mark.parametrize(
    ("seen", "record"),
    [
        (replace(QUEUED, owner="bot", case=""), OPEN),
        (replace(QUEUED, owner="requested", case="k2"), OPEN),
        (QUEUED, OPEN.closed(1.0)),
        (QUEUED, OPEN.closed(1.0, failed=True)),
    ],
)
def test_whoever_has_left_is_not_taken_back(event: Move, seen: Conversation, record: CaseRecord) -> None:
    assert move(1.0, seen, record, event, Phrases()) is None


@pytest.mark.parametrize("event", MOVES)
def test_each_event_happens_once_and_only_to_what_was_seen(event: Move) -> None:
    effect = move(1.0, QUEUED, OPEN, event, Phrases())
    assert effect is not None
    assert effect.event_id == "e"
    assert effect.owner is not None
    assert effect.owner.expected == 2


def test_a_refusal_that_comes_late_disturbs_nobody() -> None:
    assert taken_back(1.0, replace(QUEUED, owner="bot", case=""), OPEN, Phrases()) is None
    assert taken_back(1.0, replace(QUEUED, owner="requested", case="k2"), OPEN, Phrases()) is None


@pytest.mark.parametrize(
    "seen", [replace(QUEUED, owner="bot", case=""), replace(QUEUED, owner="requested", case="k2"), QUEUED]
)
def test_a_ticket_that_comes_late_is_kept_and_nothing_is_promised(seen: Conversation) -> None:
    effect = opened(1.0, seen, replace(OPEN, ref="").closed(0.5), REF, Phrases(), 180.0)
    assert (effect.owner, effect.outgoing, effect.timers) == (None, (), ())
    assert effect.case is not None
    assert (effect.case.ref, effect.case.state) == ("7", "closed")
