"""Five requests that need a model, as a dropped plugin: an answer, a tool, an extraction, a label, a gist."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from bot import Limits, Misfit, Skill, Turn
from bot.ports import Ask, Params

skill = Skill("five", "Shows what a model is good for.", deadline=240.0)

SHORT = Params(max_tokens=120, temperature=0.0)


class Complaint(BaseModel):
    """What somebody complains about."""

    order_number: str
    product: str
    wants: Literal["refund", "exchange", "repair"]


@skill.tool()
async def stock(size: int) -> str:
    """Says how many pairs of running shoes of a size are in stock."""
    return f"size {size}: {0 if size > 45 else 3} pairs"


def within(task: str) -> Ask:
    """A patient question: the model has two cores."""
    return Ask(task=task, lines=(), params=SHORT, deadline=180.0)


@skill.command("/stream")
async def stream(turn: Turn) -> None:
    """An answer as it comes."""
    text = turn.text.partition(" ")[2]
    await turn.stream(turn.llm.stream(text, system="You help in a shoe shop. Be brief.", ask=within("answer")))


@skill.command("/tool")
async def tool(turn: Turn) -> None:
    """A call of a tool."""
    answer = await turn.llm.act(
        turn.text.partition(" ")[2],
        system="You help in a shoe shop. Look up the stock with the tool before you answer.",
        ask=within("answer"),
        limits=Limits(rounds=3, seconds=170),
    )
    await turn.say("{answer}", answer=answer.text)


@skill.command("/extract")
async def extract(turn: Turn) -> None:
    """Fields out of a text."""
    try:
        found = await turn.llm.extract(
            turn.text.partition(" ")[2], Complaint, system="Read the complaint into JSON.", ask=within("extract")
        )
    except Misfit as misfit:
        await turn.say("It did not fit: {why}", why=misfit)
        return
    await turn.say("{found}", found=found.model_dump_json())


@skill.command("/label")
async def label(turn: Turn) -> None:
    """One of several labels."""
    labels = {"refund": "wants money back", "delivery": "asks where a parcel is", "praise": "is happy"}
    found = await turn.llm.classify(turn.text.partition(" ")[2], labels, ask=within("classify"))
    await turn.say("{label}", label=found or "none of them")


@skill.command("/gist")
async def gist(turn: Turn) -> None:
    """A summary."""
    text = turn.text.partition(" ")[2]
    await turn.say("{gist}", gist=await turn.llm.summarize(text, words=30, ask=within("summarize")))
