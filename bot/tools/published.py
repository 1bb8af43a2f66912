"""A skill's tool for everybody who has a token, and not only for the models that its skill asks. Knows no HTTP."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

from bot.errors import Refused, ToolRefused
from bot.llm.toolbox import BoundTool, as_json
from bot.ports.engine import Found, Outcome
from bot.tools.tool import Tool


class Returned(Found):
    """What a skill's tool returned, as JSON."""

    value: JsonValue


def published(skill: str, bound: BoundTool) -> Tool:
    """The tool as `<skill>.<tool>`. It does not say how sure it is, so nobody else does."""

    async def work(asked: BaseModel) -> Outcome[Returned]:
        try:
            value = await bound.run(asked)
        except Refused as refused:
            raise ToolRefused(str(refused)) from None
        return Outcome(result=Returned(value=as_json(value)), confidence=None, by=f"skill {skill}")

    return Tool(f"{skill}.{bound.tool.name}", bound.tool.description, lambda _: work, bound.shape, Returned)
