"""Plugins as careless authors drop them, for test_bad_input.py. Each is a file; none of them may harm another."""

from __future__ import annotations

GOOD = {
    "echo": """
from bot import Skill, Turn
skill = Skill("echo", "Says what was said.")

@skill.pattern(r"^echo (?P<what>.*)$")
async def echo(turn: Turn) -> None:
    await turn.say("You said {what}.", what=turn.slot("what") or "")
""",
}

UNLOADABLE = {
    "unclosed": """
from bot import Skill, Turn
skill = Skill("unclosed", "Never loads.")

async def go(turn: Turn -> None:
    await turn.say("never")
""",
    "not_async": """
from bot import Skill, Turn
skill = Skill("not_async", "Forgets a word.")

@skill.command("/plain")
def go(turn: Turn) -> None:
    pass
""",
    "taken_command": """
from bot import Skill, Turn
skill = Skill("taken_command", "Wants a command of somebody else.")

@skill.command("/track")
async def go(turn: Turn) -> None:
    await turn.say("never")
""",
    "taken_name": """
from bot import Skill, Turn
skill = Skill("echo", "Has the name of another skill.")

@skill.command("/other")
async def go(turn: Turn) -> None:
    await turn.say("never")
""",
    "divides": """
ratio = 1 / 0
""",
}
"""What the operator must be told of each: part of the sentence."""

TOLD = {
    "unclosed": "unclosed.py:5",
    "not_async": "must be `async def`",
    "taken_command": "taken_command.go wants the command /track, which orders.track",
    "taken_name": "registers the skill echo already",
    "divides": "divides.py:2: ZeroDivisionError",
}

UNRULY = {
    "raises": """
from bot import Skill, Turn
skill = Skill("raises", "Raises.")

@skill.command("/raises")
async def go(turn: Turn) -> None:
    raise ValueError("oops")
""",
    "never": """
import asyncio
from bot import Skill, Turn
skill = Skill("never", "Never returns.", deadline=1.0)

@skill.command("/never")
async def go(turn: Turn) -> None:
    await asyncio.get_running_loop().create_future()
""",
    "floods": """
from bot import Skill, Turn
skill = Skill("floods", "Says too much.")

@skill.command("/floods")
async def go(turn: Turn) -> None:
    for number in range(10_000):
        await turn.say(f"number {number}")
""",
    "garbage": """
from bot import Skill, Turn
skill = Skill("garbage", "Returns what can't be kept.")

async def fetch() -> int:
    return object()

@skill.command("/garbage")
async def go(turn: Turn) -> None:
    await turn.step(fetch)
""",
    "stubborn": """
from bot import Cancelled, Skill, Turn
skill = Skill("stubborn", "Does not take cancel for an answer.")

@skill.command("/stubborn")
async def go(turn: Turn) -> None:
    while True:
        try:
            await turn.ask("Again?")
        except Cancelled:
            continue
""",
    "blocks": """
import time
from bot import Skill, Turn
skill = Skill("blocks", "Blocks the loop.")

@skill.command("/blocks")
async def go(turn: Turn) -> None:
    time.sleep(2.0)
    await turn.say("Slept well.")
""",
}
