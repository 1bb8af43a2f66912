"""Which handler answers a message: commands and patterns first, then likeness to examples. Exactly one claims it.

Knows nothing of conversations; it is built anew whenever skills change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from bot.channel import KnownCommand
from bot.messages import Command, Content, Value
from bot.skill import PLAIN, Intent, Skill
from bot.text import MARGIN, THRESHOLD, Examples, fill, numbers_in
from bot.turns.trace import Candidate

SHOWN = 5
"""How many candidates a trace keeps."""

SURE = 0.7
"""A likeness from here on counts as another request while a question is open that the message does not answer."""

MAYBE = 0.40
"""A likeness from here up to THRESHOLD is worth asking "Did you mean ...?" (docs/figures.md)."""

FAVOUR = 0.1
"""What the skill that spoke last gets on top, when one of its own choices was picked."""


class Route(Value, frozen=True):
    """Where a message goes. Without an intent, `close` are those it may have meant, best first."""

    decided: str
    intent: Intent | None = None
    slots: dict[str, str] = msgspec.field(default_factory=dict)
    score: float = 0.0
    close: tuple[Intent, ...] = ()
    candidates: tuple[Candidate, ...] = ()


class Router:
    """Chooses among the intents of all skills."""

    def __init__(self, skills: Iterable[Skill]) -> None:
        self.skills = list(skills)
        self.intents = {intent.id: intent for skill in self.skills for intent in skill.intents}
        self._commands = {name: intent for intent in self.intents.values() for name in intent.commands}
        self._reactions = {emoji: intent for intent in self.intents.values() for emoji in intent.reactions}
        self._patterns = [
            (re.compile(pattern, re.IGNORECASE), intent)
            for intent in self.intents.values()
            for pattern in intent.patterns
        ]
        self.otherwise = next((intent for intent in self.intents.values() if intent.otherwise), None)
        self._examples = Examples(
            (intent.id, example) for intent in self.intents.values() for example in intent.examples
        )

    def route(self, content: Content, text: str, *, favour: str = "") -> Route:
        """Choose. `favour` names the skill whose choice was picked, if one was."""
        if isinstance(content, Command):
            intent = self._commands.get(content.name)
            if intent:
                return Route(
                    decided=f"the command /{content.name}", intent=intent, slots=_free(content.text), score=1.0
                )
        text = text.strip()
        if text.startswith("/"):
            name, _, rest = text[1:].partition(" ")
            intent = self._commands.get(name.lower())
            if intent:
                return Route(decided=f"the command /{name}", intent=intent, slots=_free(rest), score=1.0)
        if isinstance(content, Command):
            return Route(decided=f"nobody knows the command /{content.name}")
        return self._by_pattern(text) or self._by_likeness(text, favour)

    @property
    def commands(self) -> list[KnownCommand]:
        """All commands and what they do, by name."""
        return [KnownCommand(name=name, about=self._commands[name].about[name]) for name in sorted(self._commands)]

    def has(self, command: str) -> bool:
        """Whether some skill has this command."""
        return command in self._commands

    def reaction(self, emoji: str) -> Route:
        """Who wants to know of a reaction, if anybody does."""
        intent = self._reactions.get(emoji.replace(PLAIN, ""))
        if intent is None:
            return Route(decided="nothing to answer")
        return Route(decided="a reaction", intent=intent, score=1.0)

    def slots(self, intent: Intent, text: str) -> Route:
        """The way to a handler that the person picked, with whatever slots the text fills."""
        slots = _free(text)
        for example in intent.examples:
            slots |= fill(example, text)
        return Route(decided="picked", intent=intent, slots=slots, score=1.0)

    def _by_pattern(self, text: str) -> Route | None:
        for pattern, intent in self._patterns:
            found = pattern.search(text)
            if found:
                slots = {name: value for name, value in found.groupdict().items() if value}
                why = f"the pattern {pattern.pattern}"
                return Route(
                    decided=why,
                    intent=intent,
                    slots=_free(text) | slots,
                    score=1.0,
                    candidates=(Candidate(intent=intent.id, score=1.0, why=why),),
                )
        return None

    def _by_likeness(self, text: str, favour: str) -> Route:
        ranked = [
            (min(1.0, score.score + (FAVOUR if favour and self.intents[score.intent].skill == favour else 0.0)), score)
            for score in self._examples.rank(text)[:SHOWN]
        ]
        ranked.sort(key=lambda pair: -pair[0])
        candidates = tuple(
            Candidate(intent=score.intent, score=round(value, 3), why=f"like {score.example!r}")
            for value, score in ranked
        )
        fitting = [(value, score) for value, score in ranked if value >= MAYBE]
        if not fitting:
            return Route(decided="nothing fits", candidates=candidates)
        best, score = fitting[0]
        close = [other for value, other in fitting if best - value < MARGIN]
        if best < THRESHOLD:
            return Route(
                decided="perhaps", close=tuple(self.intents[o.intent] for o in close[:3]), candidates=candidates
            )
        if len(close) > 1:
            intents = tuple(self.intents[other.intent] for other in close[:3])
            return Route(decided="several fit alike", close=intents, score=best, candidates=candidates)
        return Route(
            decided=f"like {score.example!r}",
            intent=self.intents[score.intent],
            slots=_free(text) | fill(score.example, text),
            score=best,
            candidates=candidates,
        )


def _free(text: str) -> dict[str, str]:
    """Slots that any message may have, whatever example it was like."""
    numbers = numbers_in(text)
    return {"number": numbers[0]} if numbers else {}
