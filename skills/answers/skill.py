"""Answers what nobody else can: out of the shop's pages, in a model's words where there is one. Knows neither.

Without a model the passage itself is said, if it surely answers the question; else the bot says what it can do.
"""

from __future__ import annotations

from bot import Excerpt, Skill, Turn, Value
from bot.ports import KnowledgeEngine, Question

skill = Skill("answers", "Answers questions about delivery, returns, payment and the shop.")

LONGEST = 2000
"""Characters of a question."""


class Found(Value, frozen=True):
    """What the pages have on a question, and whether a model could put it into words."""

    known: bool
    answer: str
    passages: tuple[tuple[str, str, float], ...]
    in_words: bool


@skill.otherwise()
async def answer(turn: Turn, knowledge: KnowledgeEngine | None) -> object:
    """Look it up, and say it or let a model say it."""

    async def look() -> Found:
        asked = Question(question=turn.text[:LONGEST])
        found = (await knowledge.find(asked)).result if knowledge is not None else None
        return Found(
            known=found is not None and found.known,
            answer=found.answer if found is not None else "",
            passages=tuple((one.text, one.source, one.score) for one in found.passages) if found is not None else (),
            in_words=turn.llm.there,
        )

    if not turn.text.strip():
        return turn.decline()
    found = await turn.step(look, effect=False)
    if found.in_words:
        sources = tuple(Excerpt(text=text, name=name, relevance=score) for text, name, score in found.passages)
        await turn.stream(turn.llm.stream_prompted("answer/general", {"knowledge": sources, "question": turn.text}))
        return None
    if not found.known:
        return turn.decline()
    await turn.say("{answer}", answer=found.answer, choices=["Talk to a person"])
    return None
