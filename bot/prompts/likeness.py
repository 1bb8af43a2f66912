"""How much texts are like a question: by their words, or by vectors of a model where one is there."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.errors import FrontdeskError
from bot.ports.llm import NOBODY, Payer
from bot.prompts.prompt import Example, Prompt
from bot.text.matching import SOFT, Examples
from bot.text.plain import words

log = structlog.get_logger()

Embed = Callable[[Sequence[str], Payer], Awaitable[list[list[float]]]]
"""A vector of unit length for each text, and who pays for them."""

PATIENCE = 1.0
"""Seconds that vectors may take: an answer never waits longer for better examples."""


def likeness(question: str, texts: Sequence[str]) -> list[float]:
    """For each text how much of the question's words it has, from 0 to 1; words that all of them have count less."""
    asked = {word for word in words(question) if word not in SOFT}
    heard = [asked & set(words(text)) for text in texts]
    often = Counter(word for found in heard for word in found)
    weights = {word: math.log1p(len(texts) / (1 + often[word])) + 0.1 for word in asked}
    whole = sum(weights[word] for word in sorted(asked))
    return [sum(weights[word] for word in sorted(found)) / whole if whole else 0.0 for found in heard]


class Chooser:
    """Chooses a prompt's examples for a question. Keeps what it made of them until the prompts are loaded anew."""

    def __init__(self, embed: Embed | None = None) -> None:
        self._embed = embed
        self._indexes: dict[str, Examples] = {}
        self._vectors: dict[str, list[list[float]]] = {}

    def forget(self) -> None:
        """The files have changed."""
        self._indexes.clear()
        self._vectors.clear()

    async def choose(self, prompt: Prompt, question: str, payer: Payer = NOBODY) -> tuple[tuple[Example, float], ...]:
        """At most as many as the prompt wants, each with its likeness, the most similar last: nearest to the question.

        Where too few are similar the first ones of the file are taken: they still show the form of an answer.
        """
        examples = prompt.examples
        if not examples or not prompt.most_examples:
            return ()
        scores = await self._by_meaning(prompt, question, payer) or self._by_words(prompt, question)
        order = sorted(range(len(examples)), key=lambda place: (-round(scores[place], 6), place))
        return tuple((examples[place], scores[place]) for place in reversed(order[: prompt.most_examples]))

    def _by_words(self, prompt: Prompt, question: str) -> list[float]:
        index = self._indexes.get(prompt.id)
        if index is None:
            pairs = [(str(place), example.said) for place, example in enumerate(prompt.examples)]
            index = self._indexes[prompt.id] = Examples(pairs)
        found = {score.intent: score.score for score in index.rank(question)}
        return [found.get(str(place), 0.0) for place in range(len(prompt.examples))]

    async def _by_meaning(self, prompt: Prompt, question: str, payer: Payer) -> list[float] | None:
        if self._embed is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                known = self._vectors.get(prompt.id)
                if known is None:
                    # Together with the question, once: vectors of two calls may be of two models.
                    *known, asked = await self._embed([*(example.said for example in prompt.examples), question], payer)
                    self._vectors[prompt.id] = known
                else:
                    (asked,) = await self._embed([question], payer)
        except (TimeoutError, FrontdeskError, ValueError) as problem:
            log.info("examples_by_words", prompt=prompt.id, why=type(problem).__name__)
            return None
        if any(len(vector) != len(asked) for vector in known):
            del self._vectors[prompt.id]  # another model answered than last time
            return None
        return [sum(a * b for a, b in zip(vector, asked, strict=True)) for vector in known]
