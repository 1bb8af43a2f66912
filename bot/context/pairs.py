"""Lines in groups that belong together: calls of tools with their results, a question with what was answered to it.

A model's server refuses a call without a result and a result without a call, so a group is kept or left out as one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot.context.measure import Count, cut, of_lines
from bot.messages import Value
from bot.ports.models import Line

Group = tuple[Line, ...]


class Fitted(Value, frozen=True):
    """Lines that fit, and how many of those that were there do not."""

    lines: tuple[Line, ...]
    left_out: int = 0


def whole(lines: Sequence[Line]) -> list[Group]:
    """The lines in their smallest groups, in order: calls with their results, every other line by itself.

    A call that has no result behind it, and a result that has no call before it, are dropped.
    """
    results: dict[str, int] = {}
    for place in range(len(lines) - 1, -1, -1):
        if lines[place].role == "tool":
            results[lines[place].call_id] = place
    groups: list[Group] = []
    for place, line in enumerate(lines):
        if line.role == "tool":
            continue
        answered = [call for call in line.calls if results.get(call.id, -1) > place]
        kept = line if len(answered) == len(line.calls) else replace(line, calls=tuple(answered))
        if not kept.calls and not _says(kept):
            continue
        # The results follow the call at once, whatever stood between: that is where servers look for them.
        groups.append((kept, *(lines[results.pop(call.id)] for call in answered)))
    return groups


def exchanges(lines: Sequence[Line]) -> list[Group]:
    """The lines in larger groups: what a person said, with everything up to what they said next."""
    found: list[list[Line]] = []
    for group in whole(lines):
        if not found or (group[0].role == "user" and any(line.role != "user" for line in found[-1])):
            found.append([])
        found[-1].extend(group)
    return [tuple(group) for group in found]


def slim(group: Group) -> Group:
    """An exchange without its calls and their results: the words alone."""
    return tuple(replace(line, calls=()) for line in group if line.role != "tool" and _says(line))


def _says(line: Line) -> bool:
    return bool(line.text or line.pictures or line.audio)


def fit(lines: Sequence[Line], room: int, count: Count) -> Fitted:
    """A model's working lines, cut to `room` tokens: for a loop in which results of tools pile up.

    System lines and the last line of the person always stay; of the rest the newest groups do. Where even that is too
    much, the person's line loses its middle, then the system lines go.
    """
    groups = whole(lines)
    asked = max((place for place, group in enumerate(groups) if group[0].role == "user"), default=-1)
    must = {place for place, group in enumerate(groups) if group[0].role == "system" or place == asked}
    left = room - sum(of_lines(groups[place], count) for place in must)
    if left < 0:
        return _least(groups, asked, room, count, len(lines))
    kept = set(must)
    for place in range(len(groups) - 1, -1, -1):
        cost = of_lines(groups[place], count)
        if place not in must and cost <= left:
            kept.add(place)
            left -= cost
    chosen = tuple(line for place in sorted(kept) for line in groups[place])
    return Fitted(lines=chosen, left_out=len(lines) - len(chosen))


def _least(groups: list[Group], asked: int, room: int, count: Count, total: int) -> Fitted:
    system = tuple(line for group in groups if group[0].role == "system" for line in group)
    question = groups[asked][0] if asked >= 0 else None
    for before in (system, ()):
        rest = room - of_lines(before, count)
        if question is None:
            if rest >= 0:
                return Fitted(lines=before, left_out=total - len(before))
            continue
        words = shorten(question, rest, count)
        if words is not None:
            return Fitted(lines=(*before, words), left_out=total - len(before) - 1)
    return Fitted(lines=(), left_out=total)


def shorten(line: Line, room: int, count: Count) -> Line | None:
    """The line, cut to so many tokens; None where not even a word of it fits."""
    if of_lines((line,), count) <= room:
        return line
    bare = replace(line, pictures=(), audio=())
    text = cut(line.text, room - of_lines((replace(bare, text=""),), count), count)
    return replace(bare, text=text) if text else None
