"""Language models as a handler uses them: `turn.llm`. Each answer is a step, so it is asked for and paid for once.

Where no answer can be had, NoAnswer is raised; a handler that does not catch it ends with the error's honest sentence.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from msgspec.structs import replace
from pydantic import BaseModel, create_model

from bot.context import Excerpt
from bot.dialog.run import Run
from bot.errors import Misfit, Misuse, NoAnswer
from bot.llm.acting import Acting, Limits
from bot.llm.offered import CallLog, HouseTool, Offered, OwnTool
from bot.llm.structured import into
from bot.messages import Value
from bot.ports.llm import Answer, Ask, Chunk, Payer
from bot.ports.models import Line
from bot.ports.tools import Caller
from bot.prompts import TOLD, Private, memories, visible
from bot.settings import did_you_mean

if TYPE_CHECKING:
    from bot.turn import Turn

M = TypeVar("M", bound=BaseModel)

ROOM = 6000
"""Tokens that a prompt may have with all that is filled into it."""

HISTORY = 40
"""Lines of the transcript that may be read; the packing of the window takes those that fit."""

Said = str | Line | Iterable[Line]
"""What a model gets to read: a person's words, or the lines of a conversation."""


class _Outcome(Value, frozen=True):
    """An answer or why there is none, as the journal keeps it."""

    answer: Answer | None = None
    problem: str = ""
    sentence: str = ""
    spent: bool = False
    refused: bool = False
    person: bool = False


class TurnLlm:
    """Models, for one turn of one person: who pays is filled in, and answers are journalled."""

    def __init__(self, turn: Turn, run: Run) -> None:
        self._turn, self._run = turn, run

    @property
    def there(self) -> bool:
        """Whether any model is configured. It may change between a question and its answer: decide by answers."""
        return self._run.host.models.llm.there

    async def answer(self, said: Said, *, system: str = "", ask: Ask | None = None) -> Answer:
        """A whole answer. `ask` sets whatever else (the task, needs, the deadline); its lines come before `said`."""
        return await self.asked(self._ask("answer", said, system, ask))

    async def act(
        self,
        said: Said,
        *,
        system: str = "",
        ask: Ask | None = None,
        tools: Sequence[str] | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """An answer for which the model may call this skill's tools: all, or those named.

        Names in capitals are tools of the house ("KNOWLEDGE"; see docs/tools.md); one that has no engine here is left
        out. The person is asked before a tool that wants it. Raises NoAnswer, and Cancelled from such a question.
        """
        host = self._run.host
        log = CallLog(host.models.usage, host.clock, self._run.frame.skill)
        acting = Acting(self._turn, self, self._offered(tools, log), limits or Limits(), host.models.phrases, log)
        return await acting.answer(self._ask("answer", said, system, ask))

    def _offered(self, names: Sequence[str] | None, log: CallLog) -> list[Offered]:
        """What the model may call."""
        models = self._run.host.models
        own = models.tools(log.skill)
        house = {spec.name: spec for spec in models.house().specs()} if names else {}
        chosen: list[Offered] = []
        for name in own if names is None else names:
            if name in own:
                chosen.append(OwnTool(own[name], log))
            elif name in house:
                chosen.append(HouseTool(house[name], models.house(), Caller(name=log.skill, payer=self._payer)))
            elif name.isupper():
                self._run.host.noted(f"there is no tool {name} here: it has no engine")
            else:
                self._run.fault(Misuse(f"the skill {log.skill} has no tool {name}{did_you_mean(name, list(own))}"))
        return chosen

    async def stream(self, said: Said, *, system: str = "", ask: Ask | None = None) -> AsyncGenerator[Chunk, None]:
        """An answer as it comes, for `turn.stream`. Where there is none, the honest sentence takes its place."""
        async for chunk in self._stream(self._ask("answer", said, system, ask)):
            yield chunk

    async def _stream(self, asked: Ask) -> AsyncGenerator[Chunk, None]:
        try:
            async for chunk in self._run.host.models.llm.stream(asked):
                if chunk.answer is not None:
                    self._run.host.inquired(asked.task, chunk.answer)
                yield chunk
        except NoAnswer as none:
            self._run.host.inquired(asked.task, none)
            yield Chunk(text=none.sentence, anew=True)

    async def extract(self, text: str, shape: type[M], *, system: str = "", ask: Ask | None = None) -> M:
        """What a text says, as an instance of a pydantic model. Raises Misfit and NoAnswer."""
        return await into(self.asked, self._ask("extract", text, system, ask), shape)

    async def classify(
        self, text: str, labels: Mapping[str, str] | Sequence[str], *, ask: Ask | None = None
    ) -> str | None:
        """Which of the labels a text has, or None when none fits. A mapping says what each label means."""
        told = labels if isinstance(labels, Mapping) else dict.fromkeys(labels, "")
        lines = "\n".join(f"- {label}: {meaning}" if meaning else f"- {label}" for label, meaning in told.items())
        one_of: Any = Literal.__getitem__((*told, "none"))
        shape = create_model("Label", label=(one_of, ...))
        system = f'Say which label fits the text of the user best, or "none".\n{lines}'
        try:
            found = await into(self.asked, self._ask("classify", text, system, ask), shape)
        except Misfit:
            return None
        label = str(found.label)  # type: ignore[attr-defined]  # made above
        return None if label == "none" else label

    async def summarize(self, text: str, *, words: int = 80, ask: Ask | None = None) -> str:
        """The gist of a text, in about so many words."""
        system = f"Summarize the text of the user in at most {words} words, in its language. Add nothing of your own."
        return (await self.asked(self._ask("summarize", text, system, ask))).text

    async def prompted(self, name: str, values: Mapping[str, object], *, room: int = ROOM) -> Answer:
        """The answer to a prompt of `config/prompts` ("answer/general"), filled with values and what was said before.

        What the model thought aloud is taken out. Raises NoAnswer, and PromptMisused where name or values do not fit.
        """
        return _opened(await self._turn.step(self._inquire_prompt, name, values, room, retries=0, effect=False))

    async def stream_prompted(
        self, name: str, values: Mapping[str, object], *, room: int = ROOM
    ) -> AsyncGenerator[Chunk, None]:
        """The answer to a prompt as it comes, for `turn.stream`; where there is none, an honest sentence."""
        ask, private = await self._filled(name, values, room), Private()
        async for chunk in self._stream(ask):
            if chunk.anew:
                private = Private()
            shown = private.feed(chunk.text)
            yield replace(shown, anew=shown.anew or chunk.anew)
        yield private.end()

    async def asked(self, ask: Ask) -> Answer:
        """The answer to a complete `Ask`, from the journal or from a model. Raises NoAnswer."""
        return _opened(await self._turn.step(self._inquire, ask, retries=0, effect=False))

    async def _inquire(self, ask: Ask) -> _Outcome:
        try:
            answer = await self._run.host.models.llm.complete(ask)
        except NoAnswer as none:
            self._run.host.inquired(ask.task, none)
            return _Outcome(
                problem=str(none), sentence=none.sentence, spent=none.spent, refused=none.refused, person=none.person
            )
        self._run.host.inquired(ask.task, answer)
        return _Outcome(answer=answer)

    async def _inquire_prompt(self, name: str, values: Mapping[str, object], room: int) -> _Outcome:
        outcome = await self._inquire(await self._filled(name, values, room))
        if outcome.answer is None:
            return outcome
        return replace(outcome, answer=replace(outcome.answer, text=visible(outcome.answer.text)))

    async def _filled(self, name: str, values: Mapping[str, object], room: int) -> Ask:
        """The prompt with what was said before.

        Variables that are not given get what the bot knows itself: `summary` the running summary, `memories` what
        skills told of this person, unless others read along.
        """
        host, models = self._run.host, self._run.host.models
        conversation = host.conversation
        given = dict(values)
        if "summary" not in given and models.prompts.takes(name, "summary"):
            summary = await models.summaries.of(conversation.id)
            given["summary"] = (Excerpt(text=summary.text, name="summary"),) if summary.text else ()
        if "memories" not in given and not host.shared and models.prompts.takes(name, "memories"):
            given["memories"] = memories(await host.recall_all(TOLD), host.message.text)
        rendered = await models.prompts.render(
            name,
            given,
            history=await host.history(HISTORY),
            person=conversation.person.id,
            room=room,
            language=conversation.person.language,
            payer=self._payer,
        )
        host.noted(rendered.note)
        ask = rendered.ask(self._payer)
        # An answer to somebody of whom we know something is theirs, whatever the prompt's author had in mind.
        theirs = ask.cache == "tenant" and (given.get("memories") or given.get("summary"))
        return replace(ask, cache="person") if theirs else ask

    @property
    def _payer(self) -> Payer:
        conversation = self._run.host.conversation
        return Payer(tenant=conversation.tenant, person=conversation.person.id, skill=self._run.frame.skill)

    def _ask(self, task: str, said: Said, system: str, ask: Ask | None) -> Ask:
        before = ask or Ask(task=task, lines=())
        top = (Line(role="system", text=system),) if system else ()
        return replace(before, task=before.task or task, payer=self._payer, lines=(*top, *before.lines, *_lines(said)))


def _opened(outcome: _Outcome) -> Answer:
    if outcome.answer is None:
        raise NoAnswer(
            outcome.problem,
            sentence=outcome.sentence,
            spent=outcome.spent,
            refused=outcome.refused,
            person=outcome.person,
        )
    return outcome.answer


def _lines(said: Said) -> tuple[Line, ...]:
    if isinstance(said, str):
        return (Line(role="user", text=said),)
    return (said,) if isinstance(said, Line) else tuple(said)
