"""Calls stay with their results, whatever is cut away."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bot.context.measure import cut, of_lines, rough
from bot.context.pairs import exchanges, fit, shorten, slim, whole
from bot.ports.models import Audio, Line, ToolCall


def call(*ids: str, text: str = "") -> Line:
    return Line(role="assistant", text=text, calls=tuple(ToolCall(id=id, name="find", arguments="{}") for id in ids))


def result(id: str, text: str = "found") -> Line:
    return Line(role="tool", call_id=id, text=text)


def user(text: str) -> Line:
    return Line(role="user", text=text)


def broken_pairs(lines: Sequence[Line]) -> list[str]:
    """What a server would refuse: results must follow their call at once, each call has exactly one."""
    wrong, open_calls = [], list[str]()
    for line in lines:
        if line.role == "tool":
            if line.call_id not in open_calls:
                wrong.append(f"result {line.call_id} without a call")
            else:
                open_calls.remove(line.call_id)
            continue
        wrong += [f"call {id} without a result" for id in open_calls]
        open_calls = [call.id for call in line.calls]
    return wrong + [f"call {id} without a result" for id in open_calls]


LINES = st.lists(
    st.one_of(
        st.builds(Line, role=st.sampled_from(["user", "assistant", "system"]), text=st.text(max_size=60)),
        st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True).map(lambda ids: call(*ids)),
        st.sampled_from("abcdef").map(result),
    ),
    max_size=25,
)
"""Anything, also what no server would take: orphans, repeated ids, results before their calls."""


@given(LINES)
def test_whole_groups_have_no_broken_pair_and_keep_their_order(lines: list[Line]) -> None:
    kept = [line for group in whole(lines) for line in group]
    assert broken_pairs(kept) == []
    words = [line.text for line in kept if line.role != "tool" and line.text]
    assert words == [line.text for line in lines if line.role != "tool" and line.text]


@given(LINES)
def test_exchanges_are_the_same_lines_in_larger_groups(lines: list[Line]) -> None:
    assert [line for group in exchanges(lines) for line in group] == [line for group in whole(lines) for line in group]
    for group in exchanges(lines):
        assert broken_pairs(slim(group)) == []


@given(LINES, st.integers(0, 300))
def test_fit_is_never_over_and_keeps_pairs_order_and_the_newest_question(lines: list[Line], room: int) -> None:
    lines = [*lines, user("Where is my order 4711?")]
    fitted = fit(lines, room, rough)
    assert of_lines(fitted.lines, rough) <= room
    assert broken_pairs(fitted.lines) == []
    asked = [line for line in fitted.lines if line.role == "user"]
    if room >= 6:
        assert asked
        assert asked[-1].text.startswith("W")
    order = [line.text for line in fitted.lines if line.role in ("user", "assistant") and line.text and line in lines]
    pool = iter(line.text for line in lines if line.role in ("user", "assistant") and line.text)
    assert all(text in pool for text in order)
    assert fit(lines, room, rough) == fitted


def test_what_is_only_heard_or_seen_is_a_line_too() -> None:
    heard = Line(role="user", audio=(Audio(data="AAAA", format="wav"),))
    seen, empty = Line(role="user", pictures=("https://shop.example/a.png",)), Line(role="user")
    assert whole([heard, seen, empty]) == [(heard,), (seen,)]
    assert slim((heard, seen, empty)) == (heard, seen)
    long = Line(role="user", text="Hi", audio=(Audio(data="A" * 400_000, format="wav"),))
    assert shorten(long, 10, rough) == Line(role="user", text="Hi")


def test_results_of_tools_give_way_oldest_first() -> None:
    lines = [Line(role="system", text="Be brief."), user("Compare them.")]
    for id in "abc":
        lines += [call(id), result(id, "words " * 40)]
    whole_cost = of_lines(lines, rough)
    fitted = fit(lines, whole_cost - 1, rough)
    assert [line.call_id for line in fitted.lines if line.role == "tool"] == ["b", "c"]
    assert fitted.left_out == 2


@given(st.text(max_size=200), st.integers(-3, 60))
def test_cut_keeps_what_fits(text: str, room: int) -> None:
    piece = cut(text, room, rough)
    assert rough(piece) <= max(room, 0)
    if rough(text) <= room:
        assert piece == text
