"""What happened in a run that was disturbed, and the checker over it. Pure: no clock, no network, no bot.

The history is a file of JSON lines. The checker knows only what the people wrote, what they were meant to read, what
the platform showed them, the traces that the skill's steps left, and in what state the database was at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

LATE = 6.0
"""Seconds after a send after which the bot goes by what the platform says (the time-out of a storm's channel and
bot/delivery/sending.py's GRACE): what the network holds back for longer can be shown twice, and that is explained."""


class Record(msgspec.Struct, omit_defaults=True):
    """One line of the history.

    "script": what `chat` is meant to read, in order, and which steps are meant to run. "sent": the platform tried to
    deliver `event`; "acknowledged": it was told that it is stored. "said" is both in one: a try from `at` to `end` of
    a message that was due at `due` and is to be answered by `text`, and its `result`. "shown": a reply, whose delivery
    is `event`, was taken by the platform, having been sent on its way at `due`. "early": the platform was asked again
    before the time that it had named. "killed" and "ready" are about the servers, "broke" and "healed" about what they
    need (`text` says what was done); "finished": `chat` came to the end of its script.
    """

    op: Literal[
        "script", "sent", "acknowledged", "said", "shown", "early", "killed", "ready", "broke", "healed", "finished"
    ]
    at: float = 0.0
    end: float = 0.0
    due: float = 0.0
    result: Literal["", "ok", "fail", "unknown"] = ""
    chat: str = ""
    event: str = ""
    text: str = ""
    expected: list[str] = []
    steps: list[str] = []


class End(msgspec.Struct):
    """The database at the end: messages, turns that still wait, turns given up, rows of the outbox by status.

    `gaps` are conversations whose messages are not numbered one by one, or whose turns were not all done.
    """

    messages: int = 0
    waiting: int = 0
    parked: int = 0
    outbox: dict[str, int] = {}
    gaps: int = 0
    integrity: str = "ok"

    @property
    def unsent(self) -> int:
        """Rows that nobody has finished."""
        return self.outbox.get("pending", 0) + self.outbox.get("sending", 0)


@dataclass(slots=True)
class Verdict:
    """Counts, and a sentence for each violation."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def blame(self, kind: str, sentence: str) -> None:
        """Count a violation."""
        self.counts[kind] += 1
        self.violations.append(f"{kind}: {sentence}")


VIOLATIONS = (
    *("lost", "answered twice", "unexpected", "out of order", "too early"),
    *("steps run again", "steps not run", "unfinished", "left over"),
)


class Shown(NamedTuple):
    """A reply on the screen; `late` when the network had held it back."""

    text: str
    late: bool


class Script(NamedTuple):
    """What a chat is meant to read, in order. For those of `maybe` nobody knows whether they were stored."""

    expected: Sequence[str]
    maybe: frozenset[str] = frozenset()


def check(history: Iterable[Record], ledger: Iterable[str] = (), end: End | None = None) -> Verdict:
    """Judge a run; `ledger` has a line "run KEY STEP" per call of a step and "durable STEP" once it had returned."""
    verdict = Verdict()
    scripts: dict[str, Script] = {}
    steps: list[str] = []
    said: dict[str, dict[str, str]] = {}
    shown: dict[str, list[Shown]] = {}
    scripted, finished = set(), set()
    for record in history:
        verdict.counts[record.op] += 1
        if record.op == "script":
            scripts[record.chat] = Script(record.expected)
            steps += record.steps
            scripted.add(record.chat)
        elif record.op == "said":
            _note(said.setdefault(record.chat, {}), record)
        elif record.op == "shown":
            late = bool(record.due) and record.at - record.due > LATE
            shown.setdefault(record.chat, []).append(Shown(record.text, late))
        elif record.op == "early":
            verdict.blame("too early", f"{record.chat} {record.text}")
        elif record.op == "finished":
            finished.add(record.chat)
    scripts |= {chat: _script(verdict, results) for chat, results in said.items()}
    for chat, script in scripts.items():
        _replies(verdict, chat, script, shown.get(chat, []))
    for chat in sorted(scripted - finished):
        verdict.blame("unfinished", chat)
    _steps(verdict, steps, ledger)
    if end is not None:
        _left_over(verdict, end)
    return verdict


_CERTAINTY = ("fail", "unknown", "ok")


def _note(results: dict[str, str], record: Record) -> None:
    """Of several tries, the best says what is known of a message."""
    results[record.text] = max(results.get(record.text, "fail"), record.result, key=_CERTAINTY.index)


def _script(verdict: Verdict, results: dict[str, str]) -> Script:
    known = Counter(results.values())
    verdict.counts["messages acknowledged"] += known["ok"]
    verdict.counts["unknown"] += len(results) - known["ok"]
    return Script(list(results), frozenset(text for text, result in results.items() if result != "ok"))


def _replies(verdict: Verdict, chat: str, script: Script, shown: list[Shown]) -> None:
    expected = script.expected
    assert len(set(expected)) == len(expected), f"{chat}: the texts of a script must differ"
    times = Counter(reply.text for reply in shown)
    for text in expected:
        if text not in times:
            if text not in script.maybe:
                verdict.blame("lost", f"{chat} never read {text!r}")
        elif times[text] > 1:
            _twice(verdict, chat, [reply for reply in shown if reply.text == text])
    for text in times.keys() - set(expected):
        verdict.blame("unexpected", f"{chat} read {text!r}")
    first = [text for text in dict.fromkeys(reply.text for reply in shown) if text in expected]
    meant = [text for text in expected if text in times]
    if first != meant:
        place = next(at for at, (one, other) in enumerate(zip(first, meant, strict=True)) if one != other)
        verdict.blame("out of order", f"{chat} read {first[place]!r} where {meant[place]!r} was due")


def _twice(verdict: Verdict, chat: str, shown: list[Shown]) -> None:
    """A reply that the network held back until it had been given up may come beside the one sent in its place."""
    in_time = sum(not reply.late for reply in shown)
    if in_time <= 1:
        verdict.counts["answered twice, explained"] += 1
    else:
        verdict.blame("answered twice", f"{chat} read {shown[0].text!r} {len(shown)} times")


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


def _left_over(verdict: Verdict, end: End) -> None:
    """What the database still holds, or holds wrongly, once all should be done."""
    for count, what in (
        (end.waiting, "turns wait"),
        (end.parked, "turns were given up"),
        (end.gaps, "conversations have gaps"),
        *((end.outbox.get(status, 0), f"replies are {status}") for status in _UNFINISHED),
    ):
        if count:
            verdict.blame("left over", f"{count} {what}")
    if end.integrity != "ok":
        verdict.blame("left over", f"the database says {end.integrity!r}")


_UNFINISHED = ("pending", "sending", "failed", "ambiguous", "suppressed")
