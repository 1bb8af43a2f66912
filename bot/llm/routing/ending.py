"""How an Ask ends: the answer with all that it took, or one honest sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.errors import NoAnswer
from bot.llm.routing.attempt import Attempt
from bot.llm.spending.books import Spent
from bot.phrases import Phrases
from bot.ports.llm import Answer
from bot.ports.models import Usage

Why = Literal["away", "slow", "refused", "too long", "nobody"]


def answered(
    attempt: Attempt, ended: Sequence[Attempt], text: str, reason: Literal["stop", "length", "tools"]
) -> Answer:
    """The answer of `attempt`; what all that `ended` used is its price."""
    return Answer(
        text=text,
        calls=attempt.calls,
        rung=attempt.rung,
        provider=attempt.place.supplier.name,
        model=attempt.place.name,
        usage=Usage(
            prompt=sum(one.usage.prompt for one in ended),
            completion=sum(one.usage.completion for one in ended),
            cached=sum(one.usage.cached for one in ended),
            estimated=any(one.usage.estimated for one in ended),
        ),
        cost=sum(one.cost for one in ended),
        finish="tools" if attempt.calls else reason,
        attempts=tuple(one.told() for one in ended),
    )


def no_answer(why: Why, ended: Sequence[Attempt], phrases: Phrases, spent: Spent | None) -> NoAnswer:
    """What the person is told instead, and the operator."""
    sentences: dict[Why, str] = {
        "away": phrases.model_away,
        "slow": phrases.model_slow,
        "refused": phrases.model_refused,
        "too long": phrases.model_too_long,
        "nobody": phrases.model_none,
    }
    tried = "; ".join(f"{one.place.id}: {one.problem}" for one in ended) or "nobody could be asked"
    money = spent is not None and why == "away"
    return NoAnswer(
        f"{spent or why}: {tried}",
        sentence=phrases.model_spent if money else sentences[why],
        spent=money,
        refused=why == "refused",
        person=spent is not None and money and spent.at_end == "person",
    )
