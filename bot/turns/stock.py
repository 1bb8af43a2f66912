"""What the house itself can always say: what it is able to do, that there are people, that it is sorry."""

from __future__ import annotations

from collections.abc import Sequence

from bot.dialog.asking import buttons
from bot.phrases import Phrases
from bot.replies import Choice, Reply, as_choices
from bot.skill import Skill
from bot.turns.work import Work


class Stock:
    """Sentences of the house, said into a turn's work."""

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def say_what_it_can(self, work: Work, skills: Sequence[Skill], first: str) -> None:
        """The skills in a line each, with examples to pick; small talk is nothing to boast of."""
        key = f"can.{work.claim.n}"
        shown = [skill for skill in skills if skill.description]
        lines = [f"- {skill.description}" for skill in shown]
        examples = [skill.intents[0].title for skill in shown if skill.intents and not skill.intents[0].otherwise][:3]
        choices = as_choices([*examples, Choice(label=self._phrases.person, value="person")])
        work.say(key, Reply(text="\n".join([first, "", *lines]), choices=choices, buttons=buttons(key, choices)))

    def with_person(self, work: Work, key: str, text: str) -> None:
        """A sentence, and the offer of a person."""
        choices = (Choice(label=self._phrases.person, value="person"),)
        work.say(key, Reply(text=text, choices=choices, buttons=buttons(key, choices)))

    def apologise(self, work: Work, *, changed: bool) -> None:
        """A turn was given up: say so, once, and offer a person."""
        sentence = self._phrases.updated if changed else self._phrases.sorry
        self.with_person(work, f"sorry.{work.claim.n}", sentence)

    def nobody(self, work: Work) -> None:
        """There is no desk to hand over to."""
        work.say(f"no_desk.{work.claim.n}", Reply(text=self._phrases.no_desk))
