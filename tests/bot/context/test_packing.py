"""What is packed never costs too much, keeps its order, and says what is missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.context.fences import Excerpt
from bot.context.measure import AROUND, of_lines, rough
from bot.context.packing import Part, of_history, of_sources, pack
from bot.ports.models import Line
from tests.bot.context.test_pairs import LINES, broken_pairs, call, result, user

SCORES = st.floats(0, 1)
SOURCES = st.lists(
    st.builds(
        Excerpt,
        text=st.text(max_size=80),
        name=st.text(max_size=5),
        relevance=SCORES,
        importance=SCORES,
        at=st.floats(0, 9),
    ),
    max_size=8,
)


@given(LINES, SOURCES, SOURCES, st.integers(0, 400), st.integers(0, 200), st.integers(0, 200))
def test_never_over_budget_pairs_whole_order_kept_nothing_twice(
    lines: list[Line], documents: list[Excerpt], memories: list[Excerpt], room: int, most: int, fewer: int
) -> None:
    parts = [
        *of_sources(documents, kind="knowledge"),
        *of_sources(memories, kind="memories"),
        *of_history(lines),
    ]
    packed = pack(parts, room, {"knowledge": most, "history": fewer}, rough)
    history = packed.lines("history")
    texts = [part.text for part in packed.parts if part.text]
    assert of_lines(history, rough) + sum(rough(text) + AROUND for text in texts) == packed.tokens <= room
    assert of_lines(history, rough) <= fewer
    assert sum(rough(part.text) + AROUND for part in packed.parts if part.kind == "knowledge") <= most
    assert broken_pairs(history) == []
    for kind in ("knowledge", "memories"):
        of_kind = [part.text for part in packed.parts if part.kind == kind]
        assert len(of_kind) == len(set(of_kind))
        pool = iter(part.text for part in parts if part.kind == kind)
        assert all(text in pool for text in of_kind)
    pool = iter(part.text for part in parts)
    assert all(text in pool for text in texts)
    assert pack(parts, room, {"knowledge": most, "history": fewer}, rough) == packed
    lost = any(part not in packed.parts for part in parts)
    assert bool(packed.left_out) == lost


def test_the_relevant_comes_before_the_new_and_the_last_exchanges_before_all() -> None:
    lines = []
    for number in range(8):
        lines += [user(f"Question number {number}?"), Line(role="assistant", text=f"Answer number {number}.")]
    relevance = [0.0, 1.0, *[0.0] * 6]
    three = of_lines(lines[:6], rough)
    packed = pack(of_history(lines, relevance), three, {}, rough)
    assert [line.text for line in packed.lines("history") if line.role == "user"] == [
        "Question number 1?",
        "Question number 6?",
        "Question number 7?",
    ]
    assert packed.left_out == ("history: 5 of 8 left out",)


def test_an_exchange_that_is_too_long_gives_up_its_tools_before_its_words() -> None:
    lines = [user("Where is it?"), call("a"), result("a", "track " * 300), Line(role="assistant", text="On its way.")]
    packed = pack(of_history(lines), 100, {}, rough)
    assert [line.text for line in packed.lines("history")] == ["Where is it?", "On its way."]
    assert packed.left_out == ("history: 1 without its tools' results",)


def test_a_document_that_does_not_fit_makes_room_for_a_smaller_one() -> None:
    sources = [Excerpt(text="long " * 200, relevance=1.0), Excerpt(text="short", relevance=0.1)]
    packed = pack(of_sources(sources, kind="knowledge"), 60, {}, rough)
    assert packed.text("knowledge") == '<data from="document">\nshort\n</data>'


def test_scores_of_strangers_do_no_harm() -> None:
    sources = [Excerpt(text="a", relevance=float("nan")), Excerpt(text="b", relevance=9e9), Excerpt(text="a")]
    parts = of_sources(sources, kind="memories")
    assert [(part.relevance, part.kind) for part in parts] == [(0.0, "memories"), (1.0, "memories")]
    assert pack([Part(kind="x", text="y")], -5, {}, rough).parts == ()
