"""What the house itself can always say: what it is able to do, and that there are people. Values only."""

from __future__ import annotations

from collections.abc import Sequence

from bot.dialog.asking import buttons
from bot.phrases import Phrases
from bot.replies import Choice, Reply, as_choices
from bot.skill import Skill


def what_it_can(skills: Sequence[Skill], phrases: Phrases, key: str, first: str) -> Reply:
    """The skills in a line each, with examples to pick; small talk is nothing to boast of."""
    shown = [skill for skill in skills if skill.description]
    lines = [f"- {skill.description}" for skill in shown]
    examples = [skill.intents[0].title for skill in shown if skill.intents and not skill.intents[0].otherwise][:3]
    choices = as_choices([*examples, Choice(label=phrases.person, value="person")])
    return Reply(text="\n".join([first, "", *lines]), choices=choices, buttons=buttons(key, choices))


def with_person(phrases: Phrases, key: str, text: str) -> Reply:
    """A sentence, and the offer of a person."""
    choices = (Choice(label=phrases.person, value="person"),)
    return Reply(text=text, choices=choices, buttons=buttons(key, choices))
