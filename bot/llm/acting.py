"""Answering with tools: the model says which to call, the person is asked where that was declared, the results go back.

Every question to a model and every call of a tool is a step of the handler's journal: after a crash, what had ended is
not asked, paid, done or written into the usage log again. A call that the crash cut off in the middle is made again,
with the same `bot.step_key`: a tool that must act once hands that on. The loop ends by itself: after so many rounds, so
long (without what people take to confirm), or so much money, the model has to answer with what it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from bot.errors import Misfit
from bot.llm.offered import CallLog, Offered
from bot.llm.toolbox import ToolResult
from bot.messages import Value
from bot.phrases import Phrases
from bot.ports.llm import Answer, Ask
from bot.ports.models import Line, ToolCall
from bot.replies import Choice

if TYPE_CHECKING:
    from bot.llm.in_turn import TurnLlm
    from bot.turn import Turn

TWICE = 2
"""So often the same call is made that only reads; a model that repeats itself gets told, instead of the result. What
changes something is called once, for all calls with the same arguments in one answer."""

ENOUGH = "No more tools can be called. Answer with what you have, and say plainly what you could not find out or do."


class Limits(Value, frozen=True):
    """How far a model may go: rounds, calls in a round, seconds in all, and money (in millionths; 0 is no limit)."""

    rounds: int = 6
    calls: int = 8
    seconds: float = 90.0
    money: int = 0


class Acting:
    """One answer with tools, of which every call and every wish for one is written down."""

    def __init__(
        self, turn: Turn, llm: TurnLlm, tools: Sequence[Offered], limits: Limits, phrases: Phrases, log: CallLog
    ) -> None:
        self._turn, self._llm, self._limits = turn, llm, limits
        self._tools = {offered.spec.name: offered for offered in tools}
        self._phrases, self._log = phrases, log
        self._seen: list[tuple[str, object]] = []
        self._waited = 0.0  # seconds for the person's yes or no

    async def answer(self, ask: Ask) -> Answer:
        """The answer. Raises NoAnswer."""
        began, paid = self._turn.now(), 0
        specs = tuple(offered.spec for offered in self._tools.values())
        asked = replace(ask, tools=specs, needs=tuple(dict.fromkeys((*ask.needs, "tools"))), cache="never")
        for _ in range(self._limits.rounds):
            answer = await self._llm.asked(asked)
            if not answer.calls:
                return answer
            paid += answer.cost
            told = await self._results(answer.calls)
            asked = replace(asked, lines=(*asked.lines, _said(answer), *told), tool_choice="")
            worked = self._turn.now() - began - self._waited
            if worked > self._limits.seconds or (self._limits.money and paid >= self._limits.money):
                break
        last = (*asked.lines, Line(role="system", text=ENOUGH))
        needs = tuple(need for need in asked.needs if need != "tools")
        answer = await self._llm.asked(replace(asked, lines=last, tools=(), needs=needs))
        return replace(answer, calls=())

    async def _results(self, calls: Sequence[ToolCall]) -> list[Line]:
        """A result for each call, in order: every call has one, or providers refuse the conversation."""
        checked = [self._checked(at, call) for at, call in enumerate(calls)]
        results = {at: found for at, found in enumerate(checked) if isinstance(found, ToolResult)}
        await self._note([(calls[at], result) for at, result in results.items()])
        made = [(at, found, calls[at]) for at, found in enumerate(checked) if isinstance(found, Offered)]
        for at, offered, call in made:
            if offered.confirm:
                results[at] = await self._confirmed(offered, call)
        ready = [(at, offered, call.arguments) for at, offered, call in made if not offered.confirm]
        for (at, _, _), result in zip(ready, await self._together(ready), strict=True):
            results[at] = result
        return [Line(role="tool", call_id=call.id, text=results[at].text) for at, call in enumerate(calls)]

    def _checked(self, at: int, call: ToolCall) -> Offered | ToolResult:
        """The tool, or why this call is not made."""
        offered = self._tools.get(call.name)
        if offered is None:
            there = ", ".join(self._tools)
            return ToolResult(text=f"There is no tool {call.name}; there is {there}.", status="unknown_tool")
        if at >= self._limits.calls:
            return ToolResult(text="Too many calls at once; call it again if you still need it.", status="too_many")
        try:
            given = offered.read(call.arguments)
            if offered.confirm:
                offered.shown(call.arguments)
        except Misfit as misfit:
            told = f"These arguments do not fit: {misfit}. Mend them and call again."
            return ToolResult(text=told, status="bad_arguments")
        if self._seen.count((call.name, given)) >= (1 if offered.effect or offered.confirm else TWICE):
            return ToolResult(text="You called this before with the same arguments; use its result.", status="repeated")
        self._seen.append((call.name, given))
        return offered

    async def _note(self, refused: Sequence[tuple[ToolCall, ToolResult]]) -> None:
        """Write down the calls that are not made: one step, so that a replay does not write them again."""
        if not refused:
            return

        async def note() -> None:
            lines = [self._log.not_made(self._tools.get(c.name), c.arguments, result) for c, result in refused]
            await asyncio.gather(*lines)

        note.__qualname__ = "calls that were not made"
        await self._turn.step(note, retries=0, effect=False)

    async def _confirmed(self, offered: Offered, call: ToolCall) -> ToolResult:
        """Ask the person, with the very arguments that will be used, and call it only after a yes."""
        choices = (Choice(label=self._phrases.yes, value="yes"), Choice(label=self._phrases.no, value="no"))
        key, values = f"confirm {offered.spec.name}", offered.shown(call.arguments)
        asked = self._turn.now()
        said = await self._turn.ask(offered.confirm, choices=choices, key=key, **values)
        self._waited += self._turn.now() - asked
        if said != "yes":
            no = ToolResult(text="The person said no. It was not done; do not ask again.", status="declined")
            await self._note([(call, no)])
            return no
        return await self._call(offered, call.arguments, self._turn)

    async def _together(self, ready: Sequence[tuple[int, Offered, str]]) -> list[ToolResult]:
        """Call side by side what only reads; what changes something, one after the other."""
        if len(ready) > 1 and not any(offered.effect for _, offered, _ in ready):
            return await self._turn.gather(*(self._branch(offered, arguments) for _, offered, arguments in ready))
        return [await self._call(offered, arguments, self._turn) for _, offered, arguments in ready]

    def _branch(self, offered: Offered, arguments: str) -> Callable[[Turn], Coroutine[Any, Any, ToolResult]]:
        return lambda turn: self._call(offered, arguments, turn)

    async def _call(self, offered: Offered, arguments: str, turn: Turn) -> ToolResult:
        """One step: what it gave is in the journal before the model reads it."""

        async def call() -> ToolResult:
            return await offered.call(arguments)

        call.__qualname__ = f"tool {offered.spec.name}"
        result: ToolResult = await turn.step(call, retries=0, effect=offered.effect)
        return result


def _said(answer: Answer) -> Line:
    return Line(role="assistant", text=answer.text, calls=answer.calls)
