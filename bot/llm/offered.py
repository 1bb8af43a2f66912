"""A tool in the hands of a model that answers in one turn, and what the usage log gets to know of its calls."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import msgspec

from bot.clock import Clock
from bot.errors import BadArguments, Misfit, ToolError
from bot.llm.toolbox import FAILED, BoundTool, ToolResult, shortened
from bot.messages import Value
from bot.ports.models import ToolSpec
from bot.ports.tools import Caller, Tools
from bot.tools.redaction import Redacted, redacted, shape_of
from bot.tools.usage import Status, UsageLine, UsageLog

BY_A_MODEL = ("a model called it in a turn",)


class CallLog:
    """Writes down what became of a model's calls, in the name of the skill that asked it."""

    def __init__(self, usage: UsageLog, clock: Clock, skill: str) -> None:
        self._usage, self._clock, self.skill = usage, clock, skill

    def now(self) -> float:
        """Seconds that only go forward."""
        return self._clock.steady()

    async def not_made(self, offered: Offered | None, arguments: str, result: ToolResult) -> None:
        """A wish that was not granted; a tool that nobody has goes without its name, which the model made up."""
        name, parameters = (offered.name, offered.redacted(arguments)) if offered else ("", {})
        await self.made(Call(name=name, parameters=parameters), result.status, result.error)

    async def made(self, call: Call, status: Status, error: str = "") -> None:
        """A call that was made; its time is from `began` until now."""
        line = UsageLine(
            timestamp=self._clock.now(),
            tool_name=call.name,
            parameters=call.parameters,
            status=status,
            latency_ms=round((self.now() - call.began) * 1000, 2) if call.began is not None else 0.0,
            error_message=error,
            reasoning_trace=BY_A_MODEL,
            engine="" if call.began is None else "offline",
            caller=self.skill,
        )
        await self._usage.note(line)


class Call(Value, frozen=True):
    """A call as the log names it; one that was never made has not begun."""

    name: str
    parameters: Redacted
    began: float | None = None


class Offered(ABC):
    """A tool as the model may call it. `name` is the one that the usage log has; the model knows the spec's."""

    name: str
    spec: ToolSpec
    confirm: str = ""
    effect: bool = False

    @abstractmethod
    def read(self, arguments: str) -> object:
        """The arguments, checked; equal where calls ask for the same. Raises Misfit with the places that are wrong."""

    @abstractmethod
    def redacted(self, arguments: str) -> Redacted:
        """What of them may be written down, whether they fit or not."""

    @abstractmethod
    def shown(self, arguments: str) -> Mapping[str, Any]:
        """What the question before the call says of its arguments. Raises Misfit where a person could not read it."""

    @abstractmethod
    async def call(self, arguments: str) -> ToolResult:
        """Call it with arguments that were checked, and write that down; failures are results too."""


class OwnTool(Offered):
    """A tool of the skill itself."""

    def __init__(self, bound: BoundTool, log: CallLog) -> None:
        self._bound, self._log = bound, log
        self.name = f"{log.skill}.{bound.tool.name}"
        self.spec, self.confirm, self.effect = bound.spec, bound.tool.confirm, bound.tool.effect

    def read(self, arguments: str) -> object:
        """By the types of the function's parameters."""
        return self._bound.read(arguments)

    def redacted(self, arguments: str) -> Redacted:
        """How much stands in each argument that the tool knows."""
        return shape_of(given(arguments) or {}, self._bound.shape.model_fields)

    def shown(self, arguments: str) -> Mapping[str, Any]:
        """The arguments that the question names."""
        return self._bound.shown(arguments)

    async def call(self, arguments: str) -> ToolResult:
        """One line for each call, also for one that is cut off."""
        parameters = redacted(self._bound.read(arguments))
        call = Call(name=self.name, parameters=parameters, began=self._log.now())
        try:
            result = await self._bound(arguments)
        except asyncio.CancelledError:
            await self._log.made(call, "cancelled")
            raise
        await self._log.made(call, result.status, result.error)
        return result


class HouseTool(Offered):
    """A tool of the house, by the port that skills have too; what is called through it is written down there."""

    def __init__(self, spec: ToolSpec, tools: Tools, caller: Caller) -> None:
        self.spec, self.name = spec, spec.name
        self._tools, self._caller = tools, caller

    def read(self, arguments: str) -> object:
        """Only whether they are an object: the rest is checked where the tool is, which has its model."""
        found = given(arguments)
        if found is None:
            raise Misfit("they are no JSON object")
        return found

    def redacted(self, arguments: str) -> Redacted:
        """How much stands in each argument that the tool knows."""
        return shape_of(given(arguments) or {}, self.spec.parameters.get("properties", {}))

    def shown(self, arguments: str) -> Mapping[str, Any]:
        """Nothing: nobody is asked before a tool that changes nothing."""
        return {}

    async def call(self, arguments: str) -> ToolResult:
        """The answer as JSON, with who spoke and how sure they are."""
        try:
            answer = await self._tools.execute(self.name, given(arguments) or {}, caller=self._caller)
        except BadArguments as wrong:
            told = f"These arguments do not fit: {'; '.join(wrong.problems)}. Mend them and call again."
            return ToolResult(text=told, status="bad_arguments")
        except ToolError as problem:
            return ToolResult(text=f"The tool gave no answer: {problem} Say so.", status="failed")
        except Exception as problem:
            return ToolResult(text=FAILED, status="failed", error=type(problem).__name__)
        told = answer.model_dump_json(include={"engine", "by", "confidence", "result"})
        return ToolResult(text=shortened(told))


def given(arguments: str) -> dict[str, Any] | None:
    """The arguments that a model wrote, or None where they are no JSON object."""
    try:
        found = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return found if isinstance(found, dict) else None
