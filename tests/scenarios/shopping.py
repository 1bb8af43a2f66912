"""A small skill with every kind of question, for the scenarios."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal

from bot import AskTimeout, Cancelled, Choice, Skill, StepFailed, Turn


class Kitchen:
    """What the skill's steps do, counted, over restarts of the bot."""

    def __init__(self) -> None:
        self.baked: list[str] = []
        self.failures = 0

    async def bake(self, size: str, number: int) -> str:
        self.baked.append(f"{number} {size}")
        return f"{number} {size}"

    async def flaky(self) -> str:
        if self.failures:
            self.failures -= 1
            raise OSError("the oven is cold")
        return "warm"

    async def slow(self) -> str:
        await asyncio.sleep(0.3)
        return "done"


def pizza(kitchen: Kitchen) -> Skill:
    """Asks by choice, by type, by pattern and by function; compensates when cancelled."""
    skill = Skill("pizza", "Orders a pizza.", deadline=5.0)

    @skill.intent("i want a pizza", "order a pizza please", "pizza")
    async def order(turn: Turn) -> None:
        await turn.say("Good choice.")
        try:
            size = await turn.ask("Which size?", choices=["Small", "Large"], help="Small feeds one.")
            number = await turn.ask("How many?", like=int)
        except Cancelled:
            await turn.say("No pizza then.")
            return
        made = await turn.step(kitchen.bake, size, number)
        if not await turn.ask("Shall I bring {made}?", like=bool, made=made):
            await turn.say("I'll keep them warm.")
            return
        await turn.say(
            "Here: {made} pizza.", made=made, choices=["Opening hours", Choice(label="More", value="/pizza")]
        )

    @skill.command("/pizza")
    async def more(turn: Turn) -> None:
        await turn.say("More it is. You said {text}.", text=turn.choice)

    @skill.intent("what time do you open", "opening hours")
    async def hours(turn: Turn) -> None:
        await turn.say("At ten.")

    @skill.intent("book a table for dinner", "reserve a table")
    async def table(turn: Turn) -> None:
        day = await turn.ask("Which day?", like=date)
        name = await turn.ask("Under which name?")
        budget = await turn.ask("What may it cost?", like=Decimal)
        await turn.say("{name}, {day}, {budget}.", name=name, day=day.isoformat(), budget=budget)

    @skill.intent("heat the oven")
    async def oven(turn: Turn) -> None:
        await turn.say("One moment.")
        try:
            state = await turn.step(kitchen.flaky, retries=1)
        except StepFailed as problem:
            state = problem.message
        await turn.say("Oven: {state}", state=state)

    @skill.intent("wash the dishes")
    async def dishes(turn: Turn) -> None:
        await turn.say("On it.")
        done = await turn.step(kitchen.slow)
        await turn.say("{done}", done=done)

    @skill.intent("quick question for you")
    async def quick(turn: Turn) -> None:
        try:
            await turn.ask("Quick: yes or no?", like=bool, timeout=60)
        except AskTimeout:
            await turn.say("Too slow.")
            return
        await turn.say("Quick indeed.")

    @skill.intent("remind me of the cake")
    async def remind(turn: Turn) -> None:
        await turn.schedule(turn.now() + 3600, "The cake!")
        await turn.remember("cake", {"when": "soon"})
        await turn.say("I will.")

    @skill.intent("what about the cake")
    async def cake(turn: Turn) -> None:
        known = await turn.recall("cake")
        await turn.say("Cake: {when}", when=known["when"] if known else "never")

    return skill


def broken(run: Callable[[Turn], Awaitable[None]], *, deadline: float = 5.0) -> Skill:
    """A skill that does whatever the test wants it to do wrong."""
    skill = Skill("broken", "Breaks.", deadline=deadline)

    @skill.intent("break now")
    async def go(turn: Turn) -> None:
        await run(turn)

    return skill
