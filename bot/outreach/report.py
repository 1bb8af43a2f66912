"""What the command line prints about broadcasts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.channel import Cost
from bot.messages import Value
from bot.outreach.records import Count, Record


class Sample(Value, frozen=True):
    """What one person on a channel would see, without markup. `length` is in the channel's own unit."""

    text: str
    parts: int = 0
    length: int = 0
    buttons: tuple[str, ...] = ()
    price: str = ""
    problem: str = ""


class Preview(Value, frozen=True):
    """How many people would be reached, by channel, how many would be left out, by reason, and a sample of each."""

    name: str
    reached: dict[str, int]
    left_out: dict[str, int]
    waits: int
    samples: dict[str, Sample]

    def __str__(self) -> str:
        total = sum(self.reached.values())
        lines = [f"{self.name}: {_people(total)}"]
        lines += [f"  {channel}: {count}" for channel, count in sorted(self.reached.items())]
        if self.waits:
            lines.append(f"  of them with a human agent now, so written to later: {self.waits}")
        if self.left_out:
            lines.append(f"left out: {sum(self.left_out.values())}")
            lines += [f"  {why}: {count}" for why, count in sorted(self.left_out.items())]
        for channel, sample in sorted(self.samples.items()):
            about = sample.problem or f"{_parts(sample.parts)}, length {sample.length}"
            price = f", {sample.price} for this one" if sample.price else ""
            lines += ["", f"on {channel} ({about}{price}), for example:"]
            lines += [f"  | {line}" for line in sample.text.splitlines()]
            lines += [f"  | [ {label} ]" for label in sample.buttons]
        return "\n".join(lines)


class Shown(Value, frozen=True):
    """A broadcast and how far it has come."""

    record: Record
    counts: tuple[Count, ...]

    @property
    def totals(self) -> dict[str, int]:
        """People by what became of them: waiting, on the way, sent, failed, or why they were left out."""
        found: Counter[str] = Counter()
        for count in self.counts:
            found[_became(count)] += count.people
        return dict(found)

    def __str__(self) -> str:
        record = self.record
        looking = " (looking for its recipients)" if record.status == "running" and not record.complete else ""
        lines = [f"{record.id}  {record.name}: {record.status}{looking}", f"  begun {_time(record.created_at)}"]
        lines.append(f"  over at {_time(record.expires_at)}, whoever is left")
        lines += [f"  {became}: {count}" for became, count in sorted(self.totals.items())]
        return "\n".join(lines)


def listed(records: list[Record]) -> str:
    """One line for each."""
    lines = [f"{_time(one.created_at)}  {one.id}  {one.status:9}  {one.name}" for one in records]
    return "\n".join(lines) or "No broadcast was sent yet."


def priced(costs: Sequence[Cost]) -> str:
    """What the parts of a text take together. A price that nobody gave us is not guessed."""
    if not costs:
        return ""
    units = f"{sum(cost.units for cost in costs)} {costs[0].unit}"
    if costs[0].currency:
        return f"{units}, {sum(cost.amount for cost in costs):.4f} {costs[0].currency}"
    return f"{units} at a price that is not known ({costs[0].unpriced})" if costs[0].unpriced else units


def _became(count: Count) -> str:
    if count.sent:
        return {"pending": "on the way", "sending": "on the way"}.get(count.sent, count.sent)
    if count.state == "dropped":
        return f"left out: {count.why}"
    if count.state == "waiting":
        return f"waiting: {count.why}" if count.why else "waiting"
    return "on the way"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _parts(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
