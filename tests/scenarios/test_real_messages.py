"""Messages that real people typed to two shop bots; benchmarks/real_messages.py is the long form."""

from __future__ import annotations

import csv
import random

import pytest

from benchmarks.matching import DATA
from benchmarks.real_messages import CLERK, LONG, WITH_PERSON, Heard, Line, Secrets, lines, talk, verdicts, wrong

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the real messages in ../shared/data/hint3")

SAMPLE = 150
SEED = 11


@needs_data
async def test_real_messages_are_all_answered_and_nothing_is_given_away() -> None:
    outcome = await talk(random.Random(SEED).sample(lines(), SAMPLE))
    assert outcome.problems == []
    assert len(outcome.heard) == SAMPLE
    # Not by saying the same to everybody.
    kinds = {one.kind.partition(":")[0] for one in outcome.heard}
    assert {"orders.track", "orders.cancel", "smalltalk.hello", "says what it can do"} <= kinds


@needs_data
async def test_real_messages_in_long_conversations_are_all_answered() -> None:
    outcome = await talk(random.Random(SEED).sample(lines(), SAMPLE), together=LONG)
    assert outcome.problems == []
    assert sum(one.kind == WITH_PERSON for one in outcome.heard) < SAMPLE // 2


@needs_data
def test_the_verdicts_are_about_messages_that_exist() -> None:
    there = {(line.file, line.row) for line in lines()}
    assert verdicts().keys() <= there


def test_the_verdicts_hold_no_sentence_of_the_data() -> None:
    # The data is under the ODbL: its messages are named by file and row, never quoted.
    with CLERK.open(encoding="utf-8", newline="") as file:
        assert csv.DictReader(file).fieldnames == ["file", "row", "kind", "clerk", "verdict"]
    if DATA.is_dir():
        quoted = {line.text.strip().casefold() for line in lines() if len(line.text) > 15}
        assert not [verdict for verdict in verdicts().values() if verdict.clerk.strip().casefold() in quoted]


def test_the_checker_finds_what_is_given_away() -> None:
    secrets = Secrets()
    said = "It goes to 12 Nowhere Road; write to mia@example.com."
    assert secrets.given_away(said, "") == []
    known = secrets.examples()
    assert len(known) == 4
    for secret in known:
        assert secrets.given_away(f"That is {secret}.", "where is it?"), secret
        assert secrets.given_away(f"That is {secret}.", f"where is {secret}?") == [], secret


def test_the_checker_finds_silence() -> None:
    line = Line("file", 1, "hi")
    secrets = Secrets()
    assert wrong(Heard(line, "orders.track", ("Here.",), 1.0), "hi", secrets) == []
    assert wrong(Heard(line, "orders.track", (), 1.0), "hi", secrets) == ["silence (orders.track)"]
    assert wrong(Heard(line, "nothing", (), 1.0), "hi", secrets) == ["no turn"]
