"""Skills that never answer what load.py says: each has an intent with three examples, a pattern and a command.

One more, the teller, answers by likeness to an example, so that a message can be made to go through all examples.
"""

from __future__ import annotations

from collections.abc import Callable

from bot import PluginContext, Section, Skill, Turn, hookimpl

GOODS = ("kettle", "lamp", "carpet", "bicycle", "violin", "teapot", "mirror", "ladder", "camera", "saddle")
DEEDS = ("polish", "measure", "rent", "insure", "repaint", "appraise", "donate", "restring", "engrave", "calibrate")


class BystanderSettings(Section):
    """How many of them there are."""

    count: int = 0


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


@hookimpl
def register_skills(register: Callable[[Skill], None], context: PluginContext) -> None:
    """As many as the settings say, and the teller."""
    for number in range(context.settings(BystanderSettings, "bystanders").count):
        register(bystander(number))
    register(teller())
