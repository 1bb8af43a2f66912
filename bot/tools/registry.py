"""Calls tools by name: checks what goes in, fetches files, asks an engine or a model in time, and logs every call.

Knows no tool by name, and nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import structlog
from pydantic import BaseModel

from bot.clock import Clock
from bot.errors import (
    BadArguments,
    FrontdeskError,
    NotForModels,
    NotSent,
    PortMissing,
    Rejected,
    ToolBusy,
    ToolError,
    ToolMissing,
    ToolRefused,
    UnknownTool,
)
from bot.ports.engine import Outcome
from bot.ports.llm import Llm
from bot.ports.models import ToolSpec
from bot.ports.tools import Arguments, Caller, ToolAnswer, Tools, Wish
from bot.services import Services
from bot.tools.asking import ask_model
from bot.tools.redaction import redacted, shape_of
from bot.tools.settings import ToolSettings
from bot.tools.tool import ModelTask, Tool
from bot.tools.usage import Status, UsageLine, UsageLog
from bot.web.fetching import Fetcher

NO_CALLER = Caller()
Who = Literal["offline", "model"]

log = structlog.get_logger()


class Registry(Tools):
    """The tools of one bot. `services` has the engines, and `Llm` where a model is configured."""

    def __init__(
        self, tools: Iterable[Tool], services: Services, usage: UsageLog, settings: ToolSettings, clock: Clock
    ) -> None:
        self._house = {tool.name: tool for tool in tools}
        self._tools = self._house
        self._services, self._usage, self._settings, self._clock = services, usage, settings, clock
        self._fetcher = Fetcher(trusted=settings.trusted, largest=settings.max_upload)
        self._slots = asyncio.Semaphore(settings.together)
        self._waiting = 0

    def publish(self, tools: Iterable[Tool]) -> None:
        """Offer these beside the house's, in the place of those that were before; calls that have begun go on."""
        self._tools = {**self._house, **{tool.name: tool for tool in tools}}

    @property
    def tools(self) -> Sequence[Tool]:
        """All tools: the house's, then those that skills publish."""
        return tuple(self._tools.values())

    def there(self, tool: Tool) -> bool:
        """Whether anybody does its work."""
        return tool.work(self._services) is not None

    def specs(self) -> Sequence[ToolSpec]:
        """The tools of the house that have an engine, as a language model sees them."""
        return tuple(tool.spec() for tool in self._house.values() if self.there(tool))

    def tool(self, name: str) -> Tool:
        """A tool by its name. Raises UnknownTool."""
        if name in self._tools:
            return self._tools[name]
        known = {each.upper(): each for each in self._tools}
        near = difflib.get_close_matches(name[:80].upper(), known, n=1)
        meant = f"; did you mean {known[near[0]]}?" if near else "."
        raise UnknownTool(f"There is no such tool{meant}")

    async def execute(
        self, name: str, arguments: Arguments, *, engine: Wish = "auto", caller: Caller | None = None
    ) -> ToolAnswer:
        """Call a tool."""
        began, caller = self._clock.steady(), caller or NO_CALLER
        tool = self._tools.get(name)
        parameters = shape_of(arguments, tool.arguments.model_fields) if tool else {}
        status: Status = "failed"
        error, finding, who = "", None, None
        try:
            asked = self.tool(name).check(arguments)
            parameters = redacted(asked)
            finding, who = await self._answer(self.tool(name), asked, engine, caller)
            status = "ok"
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        except ToolError as problem:
            status, error = _told(problem)
            raise
        except Exception as problem:
            error = type(problem).__name__
            log.error("tool_failed", tool=name if tool else "", error=error, exc_info=problem)
            raise ToolError("The tool failed on our side.") from problem
        finally:
            took = round((self._clock.steady() - began) * 1000, 2)
            line = UsageLine(
                timestamp=self._clock.now(),
                tool_name=tool.name if tool else "",
                parameters={**parameters, "engine": engine},
                status=status,
                latency_ms=took,
                confidence_score=finding.confidence if finding else None,
                error_message=error,
                reasoning_trace=finding.reasoning if finding else (),
                engine=who or "",
                caller=caller.name,
            )
            await self._usage.note(line)
        return ToolAnswer(
            tool_name=name,
            engine=who,
            by=finding.by,
            confidence=finding.confidence,
            result=finding.result.model_dump(mode="json"),
            reasoning=finding.reasoning,
            latency_ms=took,
        )

    async def close(self) -> None:
        """Hang up."""
        await self._fetcher.close()

    # --- inside

    async def _answer(self, tool: Tool, asked: BaseModel, wish: Wish, caller: Caller) -> tuple[Outcome[Any], Who]:
        asked = await self._fetched(tool, asked)
        why: tuple[str, ...] = ()
        llm = self._llm()
        wanted = wish == "model" or (wish == "auto" and tool.name in self._settings.models)
        offline: Outcome[Any] | None = None
        if wanted and tool.model is None:
            why = ("no model does this tool's work",)
        elif wanted and (llm is None or not llm.there):
            why = ("no model is configured",)
        elif wanted and tool.model is not None and llm is not None:
            offline = await self._ground(tool, tool.model, asked)
            try:
                return await ask_model(llm, tool, tool.model, asked, offline, caller.payer), "model"
            except FrontdeskError as problem:
                why = _excuses(problem, tool.model)
        found = offline or await self._offline(tool, asked)
        return found.model_copy(update={"reasoning": (*found.reasoning, *why)}), "offline"

    async def _ground(self, tool: Tool, task: ModelTask, asked: BaseModel) -> Outcome[Any] | None:
        """The offline finding that a model's answer is held to, where the task has one."""
        if not task.grounded or (task.alone and not self.there(tool)):
            return None
        try:
            return await self._offline(tool, asked)
        except (ToolMissing, ToolBusy):
            if task.alone:
                return None
            raise

    async def _offline(self, tool: Tool, asked: BaseModel) -> Outcome[Any]:
        """What is found without a model, in time. Work that takes longer goes on, and keeps its place until it ends."""
        work = tool.work(self._services)
        if work is None:
            raise ToolMissing(f"{tool.name} is turned off: no plugin provides its engine.")
        async with self._place() as release:
            task = asyncio.ensure_future(work(asked))
            task.add_done_callback(lambda _: release())
            try:
                done, _ = await asyncio.wait({task}, timeout=self._settings.seconds)
            except asyncio.CancelledError:
                task.cancel()
                raise
            if not done:
                task.add_done_callback(_heard)
                raise ToolBusy(f"{tool.name} took longer than {self._settings.seconds:g} seconds.")
            return task.result()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[Callable[[], None]]:
        """A place among those who work at once, which the one who gets it gives back."""
        if self._slots.locked() and self._waiting >= self._settings.waiting:
            raise ToolBusy("Too many calls are waiting already.")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._settings.seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise ToolBusy("Other calls took all the time there was.") from None
        finally:
            self._waiting -= 1
        yield self._slots.release

    async def _fetched(self, tool: Tool, asked: BaseModel) -> BaseModel:
        """The arguments with files in the place of their addresses."""
        found: dict[str, bytes | str | None] = {}
        for file, address in tool.files:
            url = getattr(asked, address)
            if url is not None:
                found |= {file: await self._download(url, address), address: None}
            elif len(getattr(asked, file)) > self._settings.max_upload:
                raise BadArguments([f"`{file}` has more than {self._settings.max_upload} bytes."])
        return asked.model_copy(update=found) if found else asked

    async def _download(self, url: str, field: str) -> bytes:
        try:
            async with self._fetcher.open(url) as download:
                return b"".join([chunk async for chunk in download.chunks])
        except Rejected as problem:
            raise BadArguments([f"`{field}` can't be had: {problem}."], unreadable=True) from None
        except NotSent as problem:
            raise ToolBusy(f"`{field}` can't be had right now: {problem}.") from None

    def _llm(self) -> Llm | None:
        try:
            return self._services.get(Llm)
        except PortMissing:
            return None


def _told(problem: ToolError) -> tuple[Status, str]:
    """The status of a call that failed, and what of the reason may be written down."""
    match problem:
        case UnknownTool():
            return "unknown_tool", "There is no such tool."
        case BadArguments(unreadable=True):
            return "unreadable", str(problem)
        case BadArguments():
            # A misspelt argument's name is what somebody wrote.
            return "bad_arguments", f"{len(problem.problems)} mistakes in the arguments"
        case ToolRefused():
            return "refused", ""
        case ToolMissing():
            return "missing", str(problem)
        case ToolBusy():
            return "busy", str(problem)
        case _:
            return "failed", type(problem).__name__


def _excuses(problem: FrontdeskError, task: ModelTask) -> tuple[str, ...]:
    """Why the offline engine answers, although a model was wanted."""
    if isinstance(problem, NotForModels):
        return (str(problem),)
    needed = (f"it takes a model with {' and '.join(task.senses)}",) if task.senses else ()
    return (f"no model could answer ({type(problem).__name__})", *needed)


def _heard(task: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more; whatever it raises was to be expected."""
    if not task.cancelled():
        task.exception()
