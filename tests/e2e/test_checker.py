"""The checker of the storms (benchmarks/history.py) sees what was planted; the storms themselves are no tests."""

from __future__ import annotations

import random
from typing import Literal

import pytest

from benchmarks.history import LATE, End, Record, check
from benchmarks.storm.cut import caught_up
from benchmarks.storm.outcome import Limit, latencies, quantile
from benchmarks.storm.traffic import Crowd, longest_gap


def said(number: int, result: Literal["ok", "fail", "unknown"] = "ok") -> Record:
    """A try to deliver the message with this number."""
    return Record(op="said", at=float(number), due=float(number), result=result, chat="C1", text=f"echo: {number}")


def shown(number: int, *, held_up: float = 0.0) -> Record:
    """The answer to it, as the platform took it."""
    return Record(op="shown", at=100.0 + number, due=100.0 + number - held_up, chat="C1", text=f"echo: {number}")


SAID = [said(1), said(2), said(3)]


def test_it_is_content_when_every_message_was_answered_once_and_in_order() -> None:
    verdict = check([*SAID, shown(1), shown(2), shown(3)], end=End(messages=3, outbox={"sent": 3}))
    assert verdict.violations == []
    assert verdict.counts["messages acknowledged"] == 3


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ((1, 3), "lost"),
        ((1, 2, 2, 3), "answered twice"),
        ((2, 1, 3), "out of order"),
        ((1, 2, 3, 4), "unexpected"),
    ],
)
def test_it_finds(replies: tuple[int, ...], kind: str) -> None:
    verdict = check([*SAID, *map(shown, replies)])
    assert [violation.partition(":")[0] for violation in verdict.violations] == [kind]


def test_a_message_that_was_never_acknowledged_may_be_answered_or_not() -> None:
    tries = [said(1, "unknown"), said(2, "fail"), said(2, "unknown"), said(3, "fail")]
    for replies in ([], [shown(1)], [shown(1), shown(2), shown(3)]):
        verdict = check([*tries, *replies])
        assert verdict.violations == []
        assert verdict.counts["unknown"] == 3


def test_one_try_that_was_acknowledged_is_enough() -> None:
    assert check([said(1, "unknown"), said(1), said(1, "fail")]).counts["lost"] == 1


def test_what_the_network_held_back_too_long_is_explained() -> None:
    history = [said(1), shown(1), shown(1, held_up=LATE + 1)]
    verdict = check(history)
    assert verdict.violations == []
    assert verdict.counts["answered twice, explained"] == 1
    assert check([*history, shown(1)]).counts["answered twice"] == 1


def test_a_send_before_its_time_is_a_violation() -> None:
    early = Record(op="early", chat="C1", text="0.5 s before its time")
    assert check([early]).violations == ["too early: C1 0.5 s before its time"]


@pytest.mark.parametrize(
    "end",
    [
        End(waiting=1),
        End(parked=1),
        End(gaps=1),
        End(integrity="broken"),
        End(outbox={"sending": 1}),
        End(outbox={"sent": 9, "ambiguous": 1}),
    ],
)
def test_it_finds_what_the_database_still_holds(end: End) -> None:
    assert check([], end=end).counts["left over"] == 1


def test_latency_is_counted_from_when_a_message_was_due_to_its_first_answer() -> None:
    history = [said(1, "fail"), said(1), shown(1), shown(1), said(2)]
    assert latencies(history) == {"C": [100.0]}
    assert latencies(history, since=1.5) == {}


def test_catching_up_counts_only_what_was_due_by_then() -> None:
    assert caught_up([*SAID, shown(1), shown(2), shown(3)], healed=2.0) == 100.0
    assert caught_up(SAID, healed=2.0) == 0.0


def test_figures() -> None:
    assert longest_gap([1.0, 2.0, 7.0], 0.0, 8.0) == 5.0
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert not Limit("kills", 89, 90, least=True).kept
    assert not Limit("gap", 5.1, 5.0).kept


def test_a_crowd_numbers_the_messages_of_each_conversation_one_by_one() -> None:
    crowd, chance = Crowd("X", rate=1.0, conversations=3), random.Random(1)
    said = [crowd.next(chance, 0.0) for _ in range(30)]
    for chat in {message.chat for message in said}:
        numbers = [message.number for message in said if message.chat == chat]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len({message.event for message in said}) == 30
