"""What the whole bot says to the messages that real people typed to two shop bots.

Run: `python -m benchmarks.real_messages [--seed 2026] [--sample 60] [--files curekart_test sofmattress_test]`.
Needs shared/data/hint3. That data is under the ODbL, so its sentences are only printed, never kept here: the verdicts
of real_messages_clerk.csv name a message by its file and row.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from adapters.orders.seed import DEMO_EMAIL, seeded_stock
from benchmarks.matching import DATA, read
from benchmarks.processes import table
from bot.operations import log
from bot.settings import LogSettings
from bot.testing import Bot, User
from bot.turns.trace import Trace

FILES = ("curekart_test", "sofmattress_test")
PLUGINS = ("adapters.orders", "skills.orders", "skills.smalltalk")
CLERK = Path(__file__).with_name("real_messages_clerk.csv")
SEED = 2026
"""Draws the messages that were judged by hand: after the last change that was made because of what people typed."""

LONG = 20
"""Messages of one long conversation."""

READING = 12.0
"""Virtual seconds between two messages of a person."""

WITH_PERSON = "a person owns the conversation"
"""What the trace says of messages that go to an agent: the bot is silent on purpose."""

_SHOWN = 100
_ORDER_DIGITS = 8
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DIGITS = re.compile(r"\d[\d ()/.-]{5,}\d")


class Line(NamedTuple):
    """One message of the data."""

    file: str
    row: int
    text: str


class Heard(NamedTuple):
    """What became of one message."""

    line: Line
    kind: str
    replies: tuple[str, ...]
    milliseconds: float


class Outcome(NamedTuple):
    """What became of many messages. `problems` must be empty: an error, a silence, something given away."""

    heard: list[Heard]
    problems: list[str]


class Verdict(NamedTuple):
    """What a good clerk would have said, and how the bot's answer compares; of an answer of this `kind` only.

    `verdict` is "as good", "fair" (it is not this bot's job: it says so and offers a person) or "worse".
    """

    kind: str
    clerk: str
    verdict: str


class Secrets:
    """What the seeded shop knows about its customers, and whether a reply gives any of it away."""

    def __init__(self) -> None:
        stock = seeded_stock(datetime.now(UTC).date())
        # The demo tells everybody one customer's address on purpose, so that a newcomer can sign in.
        self._emails = {customer.email.casefold() for customer in stock.customers} - {DEMO_EMAIL}
        self._digits = {_plain(customer.phone) for customer in stock.customers} - {""}
        self._digits |= {_plain(order.number) for order in stock.orders}
        self._streets = {customer.address.line1.casefold() for customer in stock.customers} - {""}

    def examples(self) -> list[str]:
        """One secret of each kind, to try the check itself."""
        phones = sorted(digits for digits in self._digits if len(digits) > _ORDER_DIGITS)
        orders = sorted(digits for digits in self._digits if len(digits) <= _ORDER_DIGITS)
        return [min(self._emails), min(self._streets), phones[0], f"#W{orders[0]}"]

    def given_away(self, reply: str, typed: str) -> list[str]:
        """Every e-mail address, phone number, order number and street in the reply that the person did not type."""
        said, own = reply.casefold(), typed.casefold()
        found = [email for email in _EMAIL.findall(said) if email in self._emails]
        found += [street for street in self._streets if street in said]
        numbers = [_plain(match) for match in _DIGITS.findall(said)]
        found += [number for number in numbers if any(secret in number for secret in self._digits)]
        return [secret for secret in found if secret not in own and secret not in _plain(own)]


def lines(files: Iterable[str] = FILES) -> list[Line]:
    """All messages of the files; rows count from 1."""
    return [Line(file, row, text) for file in files for row, (_, text) in enumerate(read(file), 1)]


async def talk(messages: Sequence[Line], *, together: int = 1) -> Outcome:
    """Say every message to the whole bot, `together` in one conversation."""
    secrets, heard, problems = Secrets(), list[Heard](), list[str]()
    traces: list[Trace] = []
    async with Bot(*PLUGINS) as bot:
        bot.app.answering.finished = traces.append
        for start in range(0, len(messages), together):
            part = messages[start : start + together]
            async with bot.user(f"person-{start}") as user, aclosing(_conversation(bot, user, part, traces)) as said:
                async for one in said:
                    heard.append(one)
                    typed = "\n".join(line.text for line in part)
                    problems += [f"{_name(one.line)} {what}" for what in wrong(one, typed, secrets)]
        problems += [f"a dead letter: {letter.error}" for letter in await bot.app.dead_letters()]
    problems += [f"turn {trace.turn}: {trace.error}" for trace in traces if trace.error]
    return Outcome(heard, problems)


async def _conversation(bot: Bot, user: User, part: Sequence[Line], traces: list[Trace]):  # type: ignore[no-untyped-def]
    for line in part:
        before, began = len(traces), time.perf_counter()
        await user.says(line.text)
        took = (time.perf_counter() - began) * 1e3
        own = [trace for trace in traces[before:] if trace.turn.startswith(f"{user.conversation}.")]
        trace = own[0] if own else None
        yield Heard(line, kind_of(trace, user.seen), tuple(user.seen), took)
        bot.clock.move(bot.clock.now() + READING)


def kind_of(trace: Trace | None, seen: Sequence[str]) -> str:
    """What happened, in a few words."""
    if trace is None or trace.error:
        return "nothing"
    text = "\n".join(seen)
    if "passed this on to our team" in text:
        return "passed to a person"
    if trace.handler:
        asked = ": asks who it is" if "need to know that it's you" in text else ""
        return f"{trace.handler}{asked}"
    if trace.decided in ("perhaps", "several fit alike"):
        return "did you mean"
    if trace.decided == "nothing fits":
        return "says what it can do" if "- " in text else "offers a person"
    return trace.decided


def wrong(one: Heard, typed: str, secrets: Secrets) -> list[str]:
    """What must not happen, and did."""
    if one.kind == "nothing":
        return ["no turn"]
    if not any(reply.strip() for reply in one.replies) and one.kind != WITH_PERSON:
        return [f"silence ({one.kind})"]
    given = secrets.given_away("\n".join(one.replies), typed)
    return [f"given away: {given}"] if given else []


def _name(line: Line) -> str:
    return f"{line.file}:{line.row}"


def _plain(text: str) -> str:
    return re.sub(r"\D", "", text)


def verdicts() -> dict[tuple[str, int], Verdict]:
    """What was written by hand, by file and row."""
    if not CLERK.exists():
        return {}
    with CLERK.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["file"], int(row["row"])): Verdict(row["kind"], row["clerk"], row["verdict"]) for row in rows}


def summary(name: str, outcome: Outcome) -> str:
    """Counts by what happened, and the time per message."""
    counts = Counter(one.kind for one in outcome.heard)
    every = len(outcome.heard)
    rows = [[kind, str(count), f"{count / every:.1%}"] for kind, count in counts.most_common()]
    times = sorted(one.milliseconds for one in outcome.heard)
    middle, late = times[every // 2], times[every * 99 // 100]
    head = f"{name}: {every} messages, {len(outcome.problems)} problems, {middle:.1f} ms per message (p99 {late:.1f})"
    return f"\n{head}\n\n{table(('what happened', 'messages', 'share'), rows)}"


def judged(outcome: Outcome, sample: int, seed: int) -> str:
    """A table of some messages, drawn at random, beside what a good clerk would have said."""
    known, rows, counts = verdicts(), [], Counter[str]()
    for one in random.Random(seed).sample(outcome.heard, min(sample, len(outcome.heard))):
        found = known.get((one.line.file, one.line.row), Verdict("", "", "to be judged"))
        verdict = found.verdict if found.kind in ("", one.kind) else f"to be judged anew (was: {found.verdict})"
        counts[verdict] += 1
        rows.append([_name(one.line), _cell(one.line.text), _cell(one.kind), _said(one), found.clerk, verdict])
    head = ("where", "message", "what happened", "Frontdesk", "a good clerk", "verdict")
    tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"\n{len(rows)} at random (seed {seed}): {tally}\n\n{table(head, rows)}"


def _said(one: Heard) -> str:
    return _cell(" / ".join(one.replies))


def _cell(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


async def run(files: Sequence[str], sample: int, seed: int) -> int:
    """Print everything; returns the number of problems."""
    messages = lines(files)
    alone = await talk(messages)
    print(summary("each in a conversation of its own", alone))
    together = await talk(messages, together=LONG)
    print(summary(f"{LONG} in one conversation", together))
    print(judged(alone, sample, seed))
    problems = alone.problems + together.problems
    print("\n" + "\n".join(problems or ["No error, no silence, nothing given away."]))
    return len(problems)


def main() -> None:
    """The command line."""
    log.configure(LogSettings(level="error"), ())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="+", default=list(FILES))
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    if not DATA.is_dir():
        print("skipped: shared/data/hint3 is not here, so there are no real messages")
        return
    raise SystemExit(1 if asyncio.run(run(options.files, options.sample, options.seed)) else 0)


if __name__ == "__main__":
    main()
