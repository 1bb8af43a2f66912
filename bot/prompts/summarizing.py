"""Carries a conversation's summary forward by a model, through the prompt `summarize/conversation`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.context.extracting import Said
from bot.context.summary import Summarize
from bot.ports.llm import Llm, Payer
from bot.prompts.private import visible
from bot.prompts.prompts import Prompts

NAME = "summarize/conversation"


def by_model(prompts: Prompts, llm: Llm) -> Summarize:
    """For `Summaries`: an empty text where there is no model, so that the conversation's own sentences are taken."""

    async def summarize(before: str, said: Sequence[Said], room: int, payer: Payer) -> str:
        if not llm.there or NAME not in prompts.library:
            return ""
        told = "\n".join(f"{line.who}: {' '.join(line.text.split())}" for line in said)
        values: dict[str, object] = {"before": before, "conversation": told, "words": room // 2}
        answer = await llm.complete((await prompts.render(NAME, values, payer=payer)).ask(payer))
        # An engine of the house that answers here knows less than our own extract does.
        return visible(answer.text) if answer.rung not in ("offline", "canned") else ""

    return summarize
