"""What a storm came to: figures, a verdict, and the row of the table. Judges nothing but compares with limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.history import VIOLATIONS, Record, Verdict

HEAD = (
    *("storm", "what was done", "how often", "acknowledged", "lost", "duplicated (explained)", "reordered"),
    *("other violations", "unknown", "drained (turns / replies)", "p50 / p99", "verdict"),
)


class Limit(NamedTuple):
    """A figure and how far it may go; `least` turns that around."""

    what: str
    value: float
    most: float
    unit: str = ""
    least: bool = False

    @property
    def kept(self) -> bool:
        """Whether it is within."""
        return self.value >= self.most if self.least else self.value <= self.most

    def __str__(self) -> str:
        sign = ">=" if self.least else "<="
        return f"{self.what} {self.value:.4g}{self.unit} ({'ok' if self.kept else 'NOT'} {sign} {self.most:g})"


@dataclass(slots=True)
class Outcome:
    """One storm."""

    name: str
    seed: int
    verdict: Verdict
    done: str = ""
    times: str = ""
    seconds: float = 0.0
    turns_drained: float = 0.0
    replies_drained: float = 0.0
    latencies: Sequence[float] = ()
    limits: list[Limit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    load: str = ""
    history: list[Record] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """No violation, and every limit kept."""
        return not self.verdict.violations and all(limit.kept for limit in self.limits)

    def row(self) -> list[str]:
        """For the table."""
        counts = self.verdict.counts
        named = ("lost", "answered twice", "out of order")
        others = sum(counts[kind] for kind in VIOLATIONS if kind not in named)
        p50, p99 = (milliseconds(quantile(self.latencies, share)) for share in (0.5, 0.99))
        return [
            *(self.name, self.done, self.times, str(counts["messages acknowledged"]), str(counts["lost"])),
            f"{counts['answered twice']} ({counts['answered twice, explained']})",
            *(str(counts["out of order"]), str(others), str(counts["unknown"])),
            f"{self.turns_drained:.1f} s / {self.replies_drained:.1f} s",
            f"{p50} / {p99}",
            "pass" if self.passed else "FAIL",
        ]

    def details(self) -> str:
        """What does not fit into a row."""
        lines = [f"{self.name}: seed {self.seed}, {self.seconds:.0f} s, load average {self.load}"]
        lines += [f"  {limit}" for limit in self.limits]
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {line}" for line in self.verdict.violations[:12]]
        if len(self.verdict.violations) > 12:
            lines.append(f"  and {len(self.verdict.violations) - 12} more")
        return "\n".join(lines)


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which a share of them lies; not a number without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else math.nan


def milliseconds(seconds: float) -> str:
    """A duration for the table."""
    if math.isnan(seconds):
        return "-"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def latencies(history: Iterable[Record], *, since: float = 0.0, until: float = math.inf) -> Mapping[str, list[float]]:
    """From when a message was due until its answer was first shown, by the crowd's name; due between these moments."""
    due: dict[str, float] = {}
    shown: dict[str, float] = {}
    chats: dict[str, str] = {}
    for record in history:
        if record.op == "said" and since <= record.due < until:
            due.setdefault(record.text, record.due)
            chats[record.text] = record.chat.rstrip("0123456789")
        elif record.op == "shown":
            shown[record.text] = min(shown.get(record.text, math.inf), record.at)
    found: dict[str, list[float]] = {}
    for text, began in due.items():
        if text in shown:
            found.setdefault(chats[text], []).append(shown[text] - began)
    return found
