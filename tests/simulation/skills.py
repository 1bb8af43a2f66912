"""What the simulated bot can do: several replies, questions, work with side effects, failures. Knows no store.

Side effects are counted in a ledger that survives crashes, as those in the outside world do.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from bot import AskTimeout, Interrupted, Skill, Turn
from bot.dialog.run import step_key

PATIENCE = 15.0
"""Seconds in which the second question of an order is to be answered."""


class Ledger:
    """What was done in the outside world: by idempotency key, and how often without one."""

    def __init__(self, seed: int) -> None:
        self.keys: dict[str, set[str]] = {}
        self.once: Counter[str] = Counter()
        self.chance = random.Random(f"{seed}/skills")

    async def charge(self, tag: str) -> str:
        """Something that may be repeated with the same key, and takes its time."""
        await asyncio.sleep(self.chance.choice((0.0, 0.05, 0.4, 3.0, 14.0)))
        self.keys.setdefault(tag, set()).add(step_key.get())
        if self.chance.random() < 0.1:
            raise ConnectionError("the till is not there")
        return tag

    async def give(self, tag: str) -> str:
        """Something that must not be repeated."""
        await asyncio.sleep(self.chance.uniform(0, 0.2))
        self.once[tag] += 1
        await asyncio.sleep(self.chance.uniform(0, 0.2))
        return tag


def skills(ledger: Ledger) -> list[Skill]:
    """The skills of a run. The last word of what a person says is its tag."""
    return [_talk(), _charge(ledger), _flaky(ledger)]


def _talk() -> Skill:
    skill = Skill("talk", "Answers and asks.")

    @skill.command("echo")
    async def echo(turn: Turn) -> None:
        for text in echoes(turn.text):
            await turn.say(text)

    @skill.command("code")
    async def code(turn: Turn) -> None:
        await turn.say(f"code for {_tag(turn)}", once=True)

    @skill.command("order")
    async def order(turn: Turn) -> None:
        name = await turn.ask("What name?")
        try:
            size = await turn.ask("What size?", choices=["Small", "Large"], like=str, timeout=PATIENCE)
        except AskTimeout:
            await turn.say(f"no size for {_tag(turn)}")
            return
        await turn.say("{tag}: {size} for {name}", tag=_tag(turn), size=size, name=name)

    return skill


def _charge(ledger: Ledger) -> Skill:
    skill = Skill("charge", "Does things in the outside world.")

    @skill.command("charge")
    async def charge(turn: Turn) -> None:
        await turn.say("one moment")
        charged = await turn.step(ledger.charge, _tag(turn), retries=5)
        try:
            await turn.step(ledger.give, _tag(turn), at_most_once=True)
        except Interrupted:
            await turn.say("perhaps given")
        await turn.say(f"charged {charged}")

    return skill


def _flaky(ledger: Ledger) -> Skill:
    skill = Skill("flaky", "Fails more often than not.")

    @skill.command("flaky")
    async def flaky(turn: Turn) -> None:
        await turn.say("trying")
        if ledger.chance.random() < 0.6:
            raise ValueError("it did not work")
        await turn.say("worked")

    return skill


def echoes(text: str) -> list[str]:
    """What is answered to "/echo 2 tag"."""
    _, count, tag = text.split()
    return [f"{tag} {number}/{count}" for number in range(1, int(count) + 1)]


def _tag(turn: Turn) -> str:
    return turn.text.split()[-1]
