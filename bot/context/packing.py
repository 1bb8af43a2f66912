"""Chooses what fits: by relevance, recency and importance, each kind within its budget, all within the room there is.

The same parts give the same choice. What was chosen keeps the order that it had; what was not is named, by kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.context.fences import Excerpt, fence
from bot.context.measure import AROUND, Count, of_lines
from bot.context.pairs import exchanges, slim
from bot.messages import Value
from bot.ports.models import Line

RELEVANCE, RECENCY, IMPORTANCE = 0.5, 0.3, 0.2
"""What each counts for. Relevance most: what is not about the question helps nobody, however new it is."""

LAST = 2
"""Exchanges at the end of a conversation that come before everything else: "that one" means something in them."""


class Part(Value, frozen=True):
    """Something that may be read: lines that stay together, or `text`, already fenced. All scores are from 0 to 1.

    `kind` names its budget. `less` is what may take its place where it is too long.
    """

    kind: str
    lines: tuple[Line, ...] = ()
    text: str = ""
    less: tuple[Line, ...] = ()
    relevance: float = 0.5
    recency: float = 0.5
    importance: float = 0.5

    @property
    def score(self) -> float:
        """How much it is wanted."""
        return RELEVANCE * self.relevance + RECENCY * self.recency + IMPORTANCE * self.importance


class Packed(Value, frozen=True):
    """What was chosen, by kind and in order. `left_out` has a sentence for each kind that lost something."""

    parts: tuple[Part, ...]
    tokens: int
    left_out: tuple[str, ...] = ()

    def lines(self, kind: str) -> tuple[Line, ...]:
        """The lines of a kind."""
        return tuple(line for part in self.parts if part.kind == kind for line in part.lines)

    def text(self, kind: str) -> str:
        """The texts of a kind, one below the other."""
        return "\n".join(part.text for part in self.parts if part.kind == kind and part.text)


def pack(parts: Sequence[Part], room: int, budgets: Mapping[str, int], count: Count) -> Packed:
    """Choose from parts, at most `room` tokens, and of each kind at most its budget (if it has one).

    The best come first; between equals, the one that stands later. One that does not fit gives way to smaller ones.
    """
    costs = [_cost(part, count) for part in parts]
    left = dict(budgets)
    chosen: dict[int, Part] = {}
    spent = 0
    for place in sorted(range(len(parts)), key=lambda at: (-round(parts[at].score, 6), -at)):
        part, cost = parts[place], costs[place]
        most = min(room - spent, left.get(part.kind, room))
        if cost > most and part.less:
            part, cost = Part(kind=part.kind, lines=part.less), of_lines(part.less, count)
        if cost > most:
            continue
        chosen[place] = part
        spent += cost
        if part.kind in left:
            left[part.kind] -= cost
    return Packed(
        parts=tuple(chosen[place] for place in sorted(chosen)),
        tokens=spent,
        left_out=_told(parts, chosen),
    )


def of_history(lines: Sequence[Line], relevance: Sequence[float] = (), *, kind: str = "history") -> list[Part]:
    """A conversation as parts, an exchange each; `relevance` is that of each exchange, where somebody knows it."""
    groups = exchanges(lines)
    parts = []
    for place, group in enumerate(groups):
        last = place >= len(groups) - LAST
        shorter = slim(group)
        parts.append(
            Part(
                kind=kind,
                lines=group,
                less=shorter if shorter != group else (),
                relevance=1.0 if last else (relevance[place] if place < len(relevance) else 0.5),
                recency=(place + 1) / len(groups),
                importance=1.0 if last else 0.5,
            )
        )
    return parts


def of_sources(sources: Sequence[Excerpt], *, kind: str) -> list[Part]:
    """Documents, memories or results of tools as parts, fenced; the same text stands in them once."""
    ages = sorted({source.at for source in sources})
    seen: set[str] = set()
    parts = []
    for source in sources:
        text = fence(source)
        if not source.text.strip() or text in seen:
            continue
        seen.add(text)
        parts.append(
            Part(
                kind=kind,
                text=text,
                relevance=_within(source.relevance),
                recency=(ages.index(source.at) + 1) / len(ages) if len(ages) > 1 else 0.5,
                importance=_within(source.importance),
            )
        )
    return parts


def _cost(part: Part, count: Count) -> int:
    return of_lines(part.lines, count) + (count(part.text) + AROUND if part.text else 0)


def _within(score: float) -> float:
    return min(1.0, max(0.0, score)) if score == score else 0.0  # noqa: PLR0124 - not a number is not itself


def _told(parts: Sequence[Part], chosen: Mapping[int, Part]) -> tuple[str, ...]:
    told = []
    for kind in dict.fromkeys(part.kind for part in parts):
        places = [place for place, part in enumerate(parts) if part.kind == kind]
        gone = sum(place not in chosen for place in places)
        thinner = sum(place in chosen and chosen[place] is not parts[place] for place in places)
        if gone:
            told.append(f"{kind}: {gone} of {len(places)} left out")
        if thinner:
            told.append(f"{kind}: {thinner} without its tools' results")
    return tuple(told)
