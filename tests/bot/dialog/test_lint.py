"""The linter names each thing that would not replay, and is silent about a clean handler."""

from __future__ import annotations

import pytest

from bot.dialog.lint import lint_source

HANDLER = "async def track(turn: Turn, orders: Orders) -> None:\n"

CLEAN = (
    HANDLER
    + """
    number = turn.slot("number") or await turn.ask("Which?", like=int)
    try:
        both = await asyncio.gather(turn.step(orders.find, number), turn.step(orders.list))
    except Cancelled:
        await turn.say("fine")
        return
    for item in sorted(set(both)):
        await helper(turn, item)
    await turn.say("{n}", n=turn.now())
"""
)


def test_a_clean_handler_has_no_findings() -> None:
    assert lint_source(CLEAN) == []


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("x = time.time()", "turn.now()"),
        ("x = random.choice([1])", "turn.random"),
        ("x = uuid.uuid4()", "turn.uuid()"),
        ("time.sleep(3)", "put it into a step"),
        ("requests.get(url)", "put it into a step"),
        ("asyncio.create_task(x())", "own task"),
        ("await asyncio.wait_for(turn.ask('a'), 3)", "own task"),
        ("turn.say('hello')", "not awaited"),
        ("await orders.find(3)", "turn.step"),
        ("async with lock:\n        await turn.ask('a')", "inside `with`"),
        ("try:\n        await turn.ask('a')\n    finally:\n        pass", "finally"),
        ("try:\n        await turn.ask('a')\n    except BaseException:\n        pass", "swallows"),
        ("for x in {1, 2}:\n        pass", "sorted"),
        ("global x", "global state"),
        ("await turn.gather(lambda t: turn.ask('a'))", "only steps"),
    ],
)
def test_it_names_what_would_not_replay(line: str, word: str) -> None:
    findings = lint_source(f"{HANDLER}    {line}\n", "skills/x.py")
    assert any(word in finding.sentence for finding in findings), findings
    assert all(str(finding).startswith("skills/x.py:") for finding in findings)


def test_functions_without_a_turn_are_left_alone() -> None:
    assert lint_source("async def find(number: str) -> None:\n    x = time.time()\n") == []
