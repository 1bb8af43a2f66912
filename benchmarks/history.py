"""What happened in a run with kills, and the checker over it. Pure: no clock, no network, no bot.

The history is a file of JSON lines. The checker knows only what the people wrote, what they were meant to read, what
the platform showed them, and the traces that the skill's steps left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec


class Record(msgspec.Struct, omit_defaults=True):
    """One line of the history.

    "script": what `chat` is meant to read, in order, and which steps are meant to run. "sent": the platform tried to
    deliver `event`; "acknowledged": it was told that it is stored. "shown": a reply, whose delivery is `event`, was
    taken by the platform. "killed" and "ready" are about the server; "finished": `chat` came to the end of its script.
    """

    op: Literal["script", "sent", "acknowledged", "shown", "killed", "ready", "finished"]
    at: float = 0.0
    chat: str = ""
    event: str = ""
    text: str = ""
    expected: list[str] = []
    steps: list[str] = []


@dataclass(slots=True)
class Verdict:
    """Counts, and a sentence for each violation."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def blame(self, kind: str, sentence: str) -> None:
        """Count a violation."""
        self.counts[kind] += 1
        self.violations.append(f"{kind}: {sentence}")


VIOLATIONS = ("lost", "answered twice", "unexpected", "out of order", "steps run again", "steps not run", "unfinished")


def check(history: Iterable[Record], ledger: Iterable[str]) -> Verdict:
    """Judge a run; `ledger` has a line "run KEY STEP" per call of a step and "durable STEP" once it had returned."""
    verdict = Verdict()
    scripts: dict[str, Record] = {}
    shown: dict[str, list[str]] = {}
    finished: set[str] = set()
    for record in history:
        verdict.counts[record.op] += 1
        if record.op == "script":
            scripts[record.chat] = record
        elif record.op == "shown":
            shown.setdefault(record.chat, []).append(record.text)
        elif record.op == "finished":
            finished.add(record.chat)
    for chat, script in scripts.items():
        _replies(verdict, chat, script.expected, shown.get(chat, []))
        if chat not in finished:
            verdict.blame("unfinished", chat)
    _steps(verdict, [step for script in scripts.values() for step in script.steps], ledger)
    return verdict


def _replies(verdict: Verdict, chat: str, expected: list[str], shown: list[str]) -> None:
    assert len(set(expected)) == len(expected), f"{chat}: the texts of a script must differ"
    times = Counter(shown)
    for text in expected:
        if text not in times:
            verdict.blame("lost", f"{chat} never read {text!r}")
        elif times[text] > 1:
            verdict.blame("answered twice", f"{chat} read {text!r} {times[text]} times")
    for text in times.keys() - set(expected):
        verdict.blame("unexpected", f"{chat} read {text!r}")
    first = [text for text in dict.fromkeys(shown) if text in expected]
    meant = [text for text in expected if text in times]
    if first != meant:
        place = next(at for at, (one, other) in enumerate(zip(first, meant, strict=True)) if one != other)
        verdict.blame("out of order", f"{chat} read {first[place]!r} where {meant[place]!r} was due")


def _steps(verdict: Verdict, expected: list[str], ledger: Iterable[str]) -> None:
    keys: dict[str, set[str]] = {}
    durable: set[str] = set()
    for line in ledger:
        what, *words = line.split()
        step = words[-1]
        if what == "durable":
            durable.add(step)
            continue
        verdict.counts["step calls"] += 1
        if step in durable:
            verdict.blame("steps run again", f"{step} had finished, and ran again")
        elif step in keys:
            verdict.counts["steps cut off, run again"] += 1
        keys.setdefault(step, set()).add(words[0])
    for step, own in keys.items():
        if len(own) > 1:
            verdict.blame("steps run again", f"{step} ran under several keys: {', '.join(sorted(own))}")
    for step in expected:
        if step not in durable:
            verdict.blame("steps not run", step)
