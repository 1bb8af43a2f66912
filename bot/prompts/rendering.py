"""Fills a prompt in: pure, the same values give the same lines. Knows no model, no person and no disk.

What must be there (the system line, the question, what else somebody said) is laid out first; examples, history and
sources are packed into the room that is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from bot.context.fences import RULE, Excerpt, fence, harmless_text
from bot.context.measure import Count, cut, of_lines
from bot.context.packing import Packed, Part, of_history, of_sources, pack
from bot.errors import PromptMisused
from bot.messages import Value
from bot.ports.llm import NOBODY, Ask, Payer
from bot.ports.models import Line, Schema, ToolSpec
from bot.prompts.likeness import likeness
from bot.prompts.private import ASK_FOR_IT
from bot.prompts.prompt import QUESTION, BodyPart, Example, Hints, Prompt, Variable
from bot.prompts.template import Marked, Templates, Wrong
from bot.settings import did_you_mean

NOTHING = Packed(parts=(), tokens=0)

Chosen = Sequence[tuple[Example, float]]

_ROUNDS = 6
"""Times that the packing is tried with less room: what stands around a section in its template costs something too."""

_SHORTEST = 16  # characters of what somebody said that are always tried to be kept


class Rendered(Value, frozen=True):
    """A prompt, filled in. `prompt` is for `Ask.prompt`; `left_out` says what did not fit, in words without content.

    With `reasoning` the answer goes through `bot.prompts.Private` before anybody sees it.
    """

    prompt: str
    lines: tuple[Line, ...]
    tokens: int
    room: int
    left_out: tuple[str, ...] = ()
    hints: Hints = Hints()
    schema: Schema | None = None
    reasoning: bool = False
    language: str = ""

    @property
    def note(self) -> str:
        """For the turn's trace: what was read, and what did not fit."""
        lost = "; ".join(self.left_out) or "nothing left out"
        return f"read {self.prompt}: {self.tokens} of {self.room} tokens; {lost}"

    def ask(self, payer: Payer = NOBODY, *, tools: tuple[ToolSpec, ...] = ()) -> Ask:
        """The question to a model, as the prompt wants it asked."""
        hints = self.hints
        return Ask(
            task=self.prompt.partition("/")[0],
            lines=self.lines,
            payer=payer,
            prompt=self.prompt,
            needs=hints.needs,
            quality=hints.quality,
            language=self.language,
            tools=tools,
            schema=self.schema,
            params=hints.params,
            deadline=hints.deadline,
            cache=hints.cache,
        )


class Filling:
    """One rendering of one prompt."""

    def __init__(self, prompt: Prompt, templates: Templates, count: Count, language: str = "") -> None:
        self._prompt, self._templates, self._count = prompt, templates, count
        self._parts = {part.name: part for part in prompt.spoken(language)}
        self._language = language
        self._cut: list[str] = []

    def render(
        self,
        values: Mapping[str, object],
        *,
        history: Sequence[Line] = (),
        examples: Chosen = (),
        pictures: tuple[str, ...] = (),
        room: int,
    ) -> Rendered:
        """The lines, within `room` tokens. Raises PromptMisused for values that do not fit, or too little room."""
        plain, said, sources = self._sorted(values)
        said = self._within_sections(said)
        question = said[QUESTION].text if QUESTION in said else ""
        if history and history[-1].role == "user" and "history" in self._parts:
            history = history[:-1] if _ends_with(history[-1].text, question) else history
        parts = self._optional(sources, history, examples, plain, question)
        lines = self._lines(plain, said, NOTHING, pictures)
        left = room - of_lines(lines, self._count)
        if left < 0:
            lines = self._squeezed(plain, said, pictures, room)
        lost = pack(parts, -1, {}, self._count).left_out
        for _ in range(_ROUNDS):
            packed = pack(parts, left, self._prompt.sections, self._count)
            filled = self._lines(plain, said, packed, pictures)
            over = of_lines(filled, self._count) - room
            if left >= 0 >= over:
                lines, lost = filled, packed.left_out
                break
            left = min(left, packed.tokens) - over
        return Rendered(
            prompt=self._prompt.id,
            lines=lines,
            tokens=of_lines(lines, self._count),
            room=room,
            left_out=(*lost, *dict.fromkeys(self._cut)),
            hints=self._prompt.hints,
            schema=self._prompt.schema,
            reasoning=self._prompt.reasoning,
            language=self._language or self._prompt.language,
        )

    # --- what is there

    def _sorted(
        self, values: Mapping[str, object]
    ) -> tuple[dict[str, object], dict[str, Excerpt], dict[str, tuple[Excerpt, ...]]]:
        """The values by what they are: our own, what somebody said, sources."""
        declared = {variable.name: variable for variable in self._prompt.variables}
        for name in values:
            if name not in declared:
                raise PromptMisused(f"{self._prompt.id} has no variable {name}{did_you_mean(name, declared)}")
        plain: dict[str, object] = {}
        said: dict[str, Excerpt] = {}
        sources: dict[str, tuple[Excerpt, ...]] = {}
        for name, variable in declared.items():
            if name not in values and variable.needed:
                raise PromptMisused(f"{self._prompt.id} needs a value for {name}")
            value = values.get(name, variable.default)
            if variable.kind == "said":
                said[name] = _said(self._prompt, variable, value)
            elif variable.kind == "sources":
                sources[name] = _sources(self._prompt, variable, value)
            else:
                plain[name] = _plain(self._prompt, variable, value)
        return plain, said, sources

    def _within_sections(self, said: Mapping[str, Excerpt]) -> dict[str, Excerpt]:
        return {
            name: self._shorter(name, source, self._prompt.sections[name]) if name in self._prompt.sections else source
            for name, source in said.items()
        }

    def _shorter(self, name: str, source: Excerpt, room: int) -> Excerpt:
        around = self._count(fence(replace(source, text="")))
        text = cut(source.text, room - around, self._count)
        if text != source.text:
            self._cut.append(f"{name}: shortened")
        return replace(source, text=text)

    def _optional(
        self,
        sources: Mapping[str, Sequence[Excerpt]],
        history: Sequence[Line],
        examples: Chosen,
        plain: Mapping[str, object],
        question: str,
    ) -> list[Part]:
        """Everything that is there if there is room for it."""
        parts: list[Part] = []
        for name, found in sources.items():
            parts += of_sources(found, kind=name)
        if "examples" in self._parts:
            for example, score in examples:
                lines = (self._shown(example, plain), Line(role="assistant", text=example.answer))
                parts.append(Part(kind="examples", lines=lines, relevance=min(1.0, max(0.0, score)), importance=0.6))
        if "history" in self._parts:
            told = of_history(history)
            alike = likeness(question, [" ".join(line.text for line in part.lines) for part in told])
            parts += of_history(history, alike)
        return parts

    def _shown(self, example: Example, plain: Mapping[str, object]) -> Line:
        """An example as a question is asked: in the same words and marks, without any context."""
        if "question" not in self._parts:
            return Line(role="user", text=example.said)
        values: dict[str, object] = dict(plain)
        for variable in self._prompt.variables:
            if variable.kind in ("said", "sources"):
                values[variable.name] = Marked("")
        values[self._prompt.like] = Marked(fence(Excerpt(text=example.said, origin="person")))
        return Line(role="user", text=self._text(self._parts["question"], values))

    # --- what is made of it

    def _lines(
        self, plain: Mapping[str, object], said: Mapping[str, Excerpt], packed: Packed, pictures: tuple[str, ...]
    ) -> tuple[Line, ...]:
        values: dict[str, object] = dict(plain)
        values |= {name: Marked(fence(source) if source.text.strip() else "") for name, source in said.items()}
        for variable in self._prompt.variables:
            if variable.kind == "sources":
                values[variable.name] = Marked(packed.text(variable.name))
        lines: list[Line] = []
        system = self._system(values)
        if system:
            lines.append(Line(role="system", text=system))
        lines += packed.lines("examples")
        lines += packed.lines("history")
        if "question" in self._parts:
            text = self._text(self._parts["question"], values)
            last = Line(role="user", text=text, pictures=pictures)
            if lines and lines[-1].role == "user":
                # Some chat templates refuse two lines of the person in a row.
                before = lines.pop()
                seen, heard = (*before.pictures, *pictures), before.audio
                last = replace(last, text=f"{before.text}\n\n{text}", pictures=seen, audio=heard)
            lines.append(last)
        return tuple(lines)

    def _system(self, values: Mapping[str, object]) -> str:
        texts = [self._text(self._parts[name], values) for name in ("role", "instructions") if name in self._parts]
        others = "history" in self._parts or any(one.kind in ("said", "sources") for one in self._prompt.variables)
        if others:
            texts.append(RULE)
        if self._prompt.reasoning:
            texts.append(ASK_FOR_IT)
        return "\n\n".join(text for text in texts if text)

    def _text(self, part: BodyPart, values: Mapping[str, object]) -> str:
        text = self._templates.fill(part.text, values)
        if isinstance(text, Wrong):
            raise PromptMisused(f"{self._prompt.file} line {part.line + text.line - 1}: {text.what}")
        return text

    def _squeezed(
        self, plain: Mapping[str, object], said: dict[str, Excerpt], pictures: tuple[str, ...], room: int
    ) -> tuple[Line, ...]:
        """Nothing but what must be there, and still too long: shorten what was said, the longest first."""
        lines = self._lines(plain, said, NOTHING, pictures)
        while (over := of_lines(lines, self._count) - room) > 0:
            name = max(said, key=lambda one: (len(said[one].text), one != QUESTION), default="")
            if not name or len(said[name].text) <= _SHORTEST:
                least = of_lines(lines, self._count)
                raise PromptMisused(f"{self._prompt.id} needs {least} tokens at least, and there is room for {room}")
            source = said[name]
            have = self._count(source.text)
            text = cut(source.text, max(0, min(have - 1, have - over)), self._count)
            text = text if len(text) >= _SHORTEST else source.text[:_SHORTEST]
            self._cut.append(f"{name}: shortened")
            said = {**said, name: replace(source, text=text)}
            lines = self._lines(plain, said, NOTHING, pictures)
        return lines


def _said(prompt: Prompt, variable: Variable, value: object) -> Excerpt:
    if value is None:
        return Excerpt(text="", origin="person")
    if isinstance(value, Excerpt):
        return value
    if isinstance(value, str):
        return Excerpt(text=value, origin="person")
    raise PromptMisused(f"{prompt.id}: {variable.name} should be a text or a Excerpt, not {type(value).__name__}")


def _sources(prompt: Prompt, variable: Variable, value: object) -> tuple[Excerpt, ...]:
    if value is None:
        return ()
    if isinstance(value, str | Excerpt):
        value = (value,)
    if isinstance(value, Sequence) and all(isinstance(one, str | Excerpt) for one in value):
        return tuple(one if isinstance(one, Excerpt) else Excerpt(text=one) for one in value)
    raise PromptMisused(f"{prompt.id}: {variable.name} should be a list of Sources, not {type(value).__name__}")


def _plain(prompt: Prompt, variable: Variable, value: object) -> object:
    """Our own values; a text is trusted, so it must not come from somebody else."""
    wanted: tuple[type, ...] = {"number": (int, float), "flag": (bool,)}.get(variable.kind, (str,))
    if value is None and not variable.needed:
        return {"number": 0, "flag": False}.get(variable.kind, "")
    if not isinstance(value, wanted) or (variable.kind == "number" and isinstance(value, bool)):
        raise PromptMisused(f"{prompt.id}: {variable.name} should be a {variable.kind}, not {type(value).__name__}")
    return value


def _ends_with(line: str, question: str) -> bool:
    """Whether the transcript ends with the very question that is asked: it is shown once."""
    return bool(question.strip()) and line.split() == harmless_text(question).split()
