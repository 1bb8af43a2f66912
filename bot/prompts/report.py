"""Who gets which version of which prompt and what became of them, as text for the operator. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bot.prompts.library import Versions
from bot.prompts.records import OUTCOMES, Outcome, Tally
from bot.prompts.versions import shares

Z = 1.96
"""For intervals that miss the truth one time in twenty."""

ENOUGH = 20
"""People below which a version's rates are not compared: any difference would be chance."""


def report(
    library: Mapping[str, Versions],
    withdrawn: Mapping[str, frozenset[int]],
    tally: Mapping[tuple[str, int], Tally],
) -> str:
    """All prompts."""
    if not library:
        return "There are no prompts: config/prompts/<task>/<name>.md, see docs/prompts.md."
    lines: list[str] = []
    for name, versions in sorted(library.items()):
        lines += [name, *_versions(versions, withdrawn.get(name, frozenset()), tally), ""]
    return "\n".join(lines).rstrip()


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The interval of a rate (Wilson's score), from 0 to 1; everything is possible while nobody was counted."""
    if not total:
        return 0.0, 1.0
    rate, square = hits / total, Z * Z / total
    middle = (rate + square / 2) / (1 + square)
    half = Z * math.sqrt(rate * (1 - rate) / total + square / (4 * total)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(hits: int, total: int, others: int, of: int) -> tuple[float, float]:
    """The interval of the first rate minus the second (Newcombe's, from their Wilson intervals)."""
    first, second = hits / total, others / of
    (low, high), (floor, roof) = wilson(hits, total), wilson(others, of)
    below = math.sqrt((first - low) ** 2 + (roof - second) ** 2)
    above = math.sqrt((high - first) ** 2 + (second - floor) ** 2)
    return first - second - below, first - second + above


def _versions(versions: Versions, gone: frozenset[int], tally: Mapping[tuple[str, int], Tally]) -> list[str]:
    served = shares(versions, gone)
    counted = {version for name, version in tally if name == versions.name}
    lines: list[str] = []
    for version in sorted(versions.known.keys() | counted, reverse=True):
        prompt = versions.known.get(version)
        state = f"{served[version]:g}%" if version in served else "withdrawn" if version in gone else "nobody"
        lines.append(f"  @{version}  {state:<9}  {prompt.changed if prompt else '(its file is gone)'}")
        one = tally.get((versions.name, version))
        if one is not None:
            lines.append(f"      {one.people} people, {one.times} times; {_rates(one)}")
    lines += _compared(versions, served, tally)
    return lines


def _rates(one: Tally) -> str:
    parts = []
    for outcome in OUTCOMES:
        hits = one.outcomes.get(outcome, 0)
        low, high = wilson(hits, one.people)
        parts.append(f"{_words(outcome)} {hits / one.people:.1%} ({low:.1%} to {high:.1%})")
    return ", ".join(parts)


def _compared(versions: Versions, served: Mapping[int, float], tally: Mapping[tuple[str, int], Tally]) -> list[str]:
    """What can be said about two versions that are served side by side."""
    if len(served) < 2:
        return []
    base = max(served, key=lambda version: (served[version], -version))
    lines: list[str] = []
    for version in sorted(served):
        one, other = tally.get((versions.name, version)), tally.get((versions.name, base))
        if version == base:
            continue
        if one is None or other is None or min(one.people, other.people) < ENOUGH:
            lines.append(f"  @{version} against @{base}: too few people to compare ({ENOUGH} each at least)")
            continue
        for outcome in OUTCOMES:
            hits, others = one.outcomes.get(outcome, 0), other.outcomes.get(outcome, 0)
            low, high = difference(hits, one.people, others, other.people)
            if hits or others:
                told = "more" if low > 0 else "fewer" if high < 0 else "no difference can be told yet"
                lines.append(f"  @{version} against @{base}: {_words(outcome)} {low:+.1%} to {high:+.1%}: {told}")
    return lines


def _words(outcome: Outcome) -> str:
    return outcome.replace("_", " ")
