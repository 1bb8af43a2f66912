"""Whether anything was lost, said twice or mixed up: by what the outside has seen and the database holds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from bot.messages import Value
from tests.crashes.outside import FORBIDDEN
from tests.crashes.script import MUTE, Chat
from tests.crashes.world import Appended, Done, Ending, Ticket


class Seen(Value, frozen=True):
    """Everything there is to judge by."""

    shown: dict[str, list[str]]
    acknowledged: tuple[str, ...]
    tickets: tuple[Ticket, ...]
    appended: tuple[Appended, ...]
    done: tuple[Done, ...]
    ending: Ending | None


class Verdict(NamedTuple):
    """How many replies were lost, said twice, out of order; and everything that is wrong, in words."""

    lost: int
    twice: int
    reordered: int
    wrong: tuple[str, ...]


def judge(script: list[Chat], seen: Seen, *, repeats: int = 0) -> Verdict:
    """The verdict; so many replies may have come twice."""
    wrong: list[str] = []
    lost = twice = reordered = 0
    for chat in script:
        shown = [words for words in seen.shown.get(chat.name, []) if words != MUTE]
        counts = Counter(shown)
        missing = [words for words in chat.replies if not counts[words]]
        again = sum(count - 1 for count in counts.values())
        first = [words for words in dict.fromkeys(shown) if words in chat.replies]
        mixed = first != [words for words in chat.replies if words not in missing]
        lost, twice, reordered = lost + len(missing), twice + again, reordered + mixed
        strange = [words for words in counts if words not in chat.replies]
        wrong += [f"{chat.name}: lost {words!r}" for words in missing]
        wrong += [f"{chat.name}: unexpected {words!r}" for words in strange]
        wrong += [f"{chat.name}: out of order: {shown}"] if mixed else []
        wrong += [f"{chat.name}: said twice: {shown}"] if again and not repeats else []
    if twice > repeats > 0:
        wrong.append(f"{twice} replies came twice, where {repeats} may")
    wrong += [*_inside(script, seen), *_at_the_desk(script, seen), *_steps(script, seen)]
    return Verdict(lost, twice, reordered, tuple(wrong))


def _inside(script: list[Chat], seen: Seen) -> Iterator[str]:
    """The database."""
    ending = seen.ending
    if ending is None:
        yield "it never came to its end"
        return
    if ending.unfinished:
        yield f"{ending.unfinished} lanes wait"
    yield from (f"parked: {error}" for error in ending.parked)
    for row in ending.rows:
        if row.status != ("failed" if row.text.startswith(FORBIDDEN) else "sent"):
            yield f"the row {row.text!r} for the {row.target} is {row.status}"
    told = {*seen.acknowledged, *ending.polled}
    for chat in script:
        for number in range(len(chat.lines)):
            event = f"{chat.name}.{number}"
            if event not in told:
                yield f"{event} was never acknowledged"
            if ending.stored.count(event) != 1:
                yield f"{event} is stored {ending.stored.count(event)} times"


def _at_the_desk(script: list[Chat], seen: Seen) -> Iterator[str]:
    """Tickets and their lines."""
    for chat in script:
        tickets = [ticket for ticket in seen.tickets if ticket.chat == chat.name]
        lines = [line.text for line in seen.appended if line.ref in {ticket.ref for ticket in tickets}]
        if len(tickets) != bool(chat.desk) or lines != list(chat.desk):
            yield f"{chat.name}: {len(tickets)} tickets with the lines {lines}"


def _steps(script: list[Chat], seen: Seen) -> Iterator[str]:
    """A step whose result was kept is not run again."""
    for subject in (step for chat in script for step in chat.steps):
        done = [each.what for each in seen.done if each.subject == subject]
        if "run" not in done or "kept" not in done:
            yield f"the step of {subject} was not done: {done}"
        elif "run" in done[done.index("kept") :]:
            yield f"the step of {subject} was run again: {done}"
