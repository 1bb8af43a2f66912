"""Skills that never answer what load.py says: each has an intent with three examples, a pattern and a command.

Two more do answer: the teller by likeness to an example, so that a message can be made to go through all examples; and
the thinker after it has burnt some processor time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bot import PluginContext, Section, Skill, Turn, hookimpl

GOODS = ("kettle", "lamp", "carpet", "bicycle", "violin", "teapot", "mirror", "ladder", "camera", "saddle")
DEEDS = ("polish", "measure", "rent", "insure", "repaint", "appraise", "donate", "restring", "engrave", "calibrate")


class BystanderSettings(Section):
    """How many of them there are, and how many seconds of processor time the thinker burns."""

    count: int = 0
    think: float = 0.0


def bystander(number: int) -> Skill:
    """One of them, for a deed and a thing of its own."""
    deed, thing = DEEDS[number // 10 % 10], GOODS[number % 10]
    skill = Skill(f"bystander{number}", f"Would {deed} a {thing}.")

    @skill.intent(f"{deed} my {thing} {number}", f"can you {deed} a {thing}", f"I want somebody to {deed} the {thing}")
    @skill.pattern(rf"^{deed} {thing} {number}$")
    @skill.command(f"/{deed}{number}")
    async def answer(turn: Turn) -> None:
        await turn.say("Nobody asked for this.")

    return skill


def teller() -> Skill:
    """Tells the story that peers/catalogue.py asks for."""
    skill = Skill("teller", "Tells stories.")

    @skill.intent("please tell me a story about {subject}")
    async def tell(turn: Turn) -> None:
        await turn.say("echo: {text}", text=turn.text)

    return skill


def thinker(seconds: float) -> Skill:
    """Thinks before it answers what peers/together.py asks."""
    skill = Skill("thinker", "Thinks.")

    @skill.pattern(r"^think hard about")
    async def think(turn: Turn) -> None:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass
        await turn.say("echo: {text}", text=turn.text)

    return skill


@hookimpl
def register_skills(register: Callable[[Skill], None], context: PluginContext) -> None:
    """As many as the settings say, and the two that answer."""
    settings = context.settings(BystanderSettings, "bystanders")
    for number in range(settings.count):
        register(bystander(number))
    register(teller())
    register(thinker(settings.think))
