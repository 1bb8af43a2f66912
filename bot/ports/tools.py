"""The port through which skills and language models call tools by name; the HTTP endpoint calls the same ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bot.messages import Value
from bot.ports.engine import Sure
from bot.ports.llm import NOBODY, Payer
from bot.ports.models import ToolSpec

Wish = Literal["auto", "offline", "model"]
"""Who should answer: `auto` is offline unless the operator prefers a model; `model` falls back to offline."""

Arguments = Mapping[str, Any]
"""A JSON object; or the tool's own model, dumped. It is checked against the tool's model."""


class ToolAnswer(BaseModel):
    """What a tool found out, who said so (an offline engine or a model), and how sure it is; null where it can't tell.

    A skill that answers is an offline engine, by "skill <name>".
    """

    model_config = ConfigDict(frozen=True)

    tool_name: str
    engine: Literal["offline", "model"]
    by: str
    confidence: Sure | None
    result: dict[str, Any]
    reasoning: tuple[str, ...] = ()
    latency_ms: float


class Caller(Value, frozen=True):
    """Who calls, for the usage log and the budgets: `name` is a token's, or a skill's."""

    name: str = ""
    payer: Payer = NOBODY


class Tools(ABC):
    """All tools. Whoever calls one by name gets an answer or a ToolError, and leaves a line in the usage log."""

    @abstractmethod
    def specs(self) -> Sequence[ToolSpec]:
        """Every tool of the house that has an engine, as a language model sees it."""

    @abstractmethod
    async def execute(
        self, name: str, arguments: Arguments, *, engine: Wish = "auto", caller: Caller | None = None
    ) -> ToolAnswer:
        """Call a tool. Raises BadArguments with every mistake, ToolMissing, ToolBusy, ToolRefused, or UnknownTool."""
