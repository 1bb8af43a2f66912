"""The small parts of the router: breakers, times, the weaving of texts, shortening."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.llm.routing.breaker import IN_A_ROW, LONGEST, PROBE_LASTS, REST, Breaker
from bot.llm.routing.latency import Credit, Latency
from bot.llm.routing.shortening import shorter
from bot.llm.routing.weaving import Weave
from bot.llm.tokens import count_lines
from bot.ports.llm import Chunk
from bot.ports.models import Line, ToolCall


class Now:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def opened() -> tuple[Breaker, Now]:
    now = Now()
    breaker = Breaker(now)
    assert [breaker.failed("busy") for _ in range(IN_A_ROW)] == [False] * (IN_A_ROW - 1) + [True]
    return breaker, now


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    breaker, now = opened()
    assert (breaker.state, breaker.ready_in) == ("open", REST)
    now.at += REST
    assert (breaker.state, breaker.ready_in) == ("half open", 0)
    assert breaker.enter()
    assert breaker.ready_in > 0, "one probe at a time"
    breaker.worked()
    assert (breaker.state, breaker.ready_in, breaker.why) == ("closed", 0, "")


def test_a_probe_that_fails_doubles_the_rest_up_to_a_minute() -> None:
    breaker, now = opened()
    rests = []
    for _ in range(6):
        now.at += breaker.ready_in
        breaker.enter()
        breaker.failed("busy")
        rests.append(breaker.ready_in)
    assert rests == [10, 20, 40, LONGEST, LONGEST, LONGEST]


def test_a_probe_that_is_called_off_makes_room_for_another() -> None:
    breaker, now = opened()
    now.at += REST
    breaker.leave(breaker.enter())
    assert breaker.ready_in == 0


def test_a_probe_that_was_never_heard_of_again_is_forgotten() -> None:
    breaker, now = opened()
    now.at += REST
    breaker.enter()
    now.at += PROBE_LASTS
    assert breaker.ready_in == 0


def test_what_fails_every_other_time_is_opened_too() -> None:
    breaker = Breaker(Now())
    for _ in range(30):
        if breaker.failed("busy"):
            return
        breaker.worked()
    raise AssertionError("it never opened")


def test_stragglers_change_nothing() -> None:
    breaker, now = opened()
    assert not breaker.failed("busy")
    assert breaker.ready_in == REST
    now.at += REST
    assert breaker.state == "half open"


def test_a_hold_is_no_failure() -> None:
    now = Now()
    breaker = Breaker(now)
    breaker.hold(7)
    assert (breaker.state, breaker.ready_in) == ("closed", 7)
    now.at += 7
    assert breaker.ready_in == 0


def test_what_is_slow_is_known_after_enough_times() -> None:
    latency = Latency()
    for seconds in range(10):
        latency.add(seconds)
    assert latency.p95(99) == 99
    for seconds in range(90):
        latency.add(seconds / 10)
    assert latency.p95(99) == sorted([*range(10), *(n / 10 for n in range(90))])[95]


def test_second_requests_are_earned() -> None:
    credit = Credit(0.1)
    made = 0
    for _ in range(1000):
        credit.earn()
        made += credit.spend()
    assert made == 100
    assert not Credit(0.0).spend()


# --- weaving


def shown_by(chunks: list[Chunk | None], before: str = "") -> str:
    for chunk in chunks:
        if chunk is not None:
            before = chunk.text if chunk.anew else before + chunk.text
    return before


WORDS = st.lists(st.text(alphabet="abcde", min_size=1, max_size=7), min_size=1, max_size=60).map(" ".join)


@given(WORDS, st.integers(0, 400), st.integers(1, 9), st.sampled_from(["continues", "restarts", "overlaps"]))
def test_a_text_that_was_cut_anywhere_becomes_whole(text: str, cut: int, size: int, how: str) -> None:
    cut = min(cut, len(text))
    weave = Weave()
    weave.begin()
    seen = [weave.add(text[:cut])]
    prefix = weave.prefix
    weave.begin(prefix)
    if how == "restarts" or not prefix:
        rest = text
    elif how == "overlaps":
        rest = prefix[-12:].lstrip() + text[len(prefix) :] if len(prefix) > 20 else text[len(prefix) :]
    else:
        rest = text[len(prefix) :]
    seen += [weave.add(rest[at : at + size]) for at in range(0, len(rest), size)]
    seen.append(weave.end())
    assert shown_by(seen) == weave.shown
    if how != "overlaps":  # of repetitive texts nobody can say where they overlap
        assert weave.shown.startswith(text[: len(prefix)])
    if how == "restarts":
        assert weave.shown == text


@given(st.lists(st.text(max_size=30), max_size=8))
def test_what_one_attempt_says_is_shown_as_it_is(parts: list[str]) -> None:
    weave = Weave()
    weave.begin()
    chunks = [weave.add(part) for part in parts]
    chunks.append(weave.end())
    assert shown_by(chunks) == "".join(parts) == weave.shown


@given(WORDS, WORDS)
def test_another_text_replaces_what_was_shown(first: str, second: str) -> None:
    weave = Weave()
    weave.begin()
    chunks = [weave.add(first[:50])]
    weave.begin()
    chunks += [weave.add(second), weave.end()]
    assert shown_by(chunks) == second


# --- shortening


def test_instructions_and_the_newest_lines_stay_and_calls_keep_their_results() -> None:
    lines = [
        Line(role="system", text="Be kind."),
        *(Line(role="user", text=f"old {number} " * 50) for number in range(5)),
        Line(role="assistant", calls=(ToolCall(id="1", name="t", arguments="{}"),)),
        Line(role="tool", text="result " * 50, call_id="1"),
        Line(role="user", text="and now?"),
    ]
    kept = shorter(lines, 140)
    assert kept[0].role == "system"
    assert kept[-1].text == "and now?"
    assert count_lines(kept) <= 140
    assert [line.role for line in kept] == ["system", "assistant", "tool", "user"]
    assert [line.role for line in shorter(lines, 40)] == ["system", "user"], "half a call means nothing"
