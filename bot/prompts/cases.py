"""Tests of a prompt, as a file beside it: what goes in, and what is expected of the answer. Runs none.

cases:
  - name: knows the rule for returns
    values:
      question: Can I send the shoes back after three weeks?
      knowledge:
        - {name: Returns, text: You can return anything within 30 days.}
    history:
      - customer: Hi
      - bot: Hello! How can I help?
    expect:
      - contains: 30 days
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.context.fences import Excerpt, Origin
from bot.errors import PromptError
from bot.messages import Value
from bot.ports.models import Line
from bot.prompts import frontmatter
from bot.prompts.expecting import Expectation
from bot.prompts.library import Library, Versions
from bot.services import short
from bot.settings import did_you_mean


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceMatter(_Strict):
    """A source, as it stands in the file."""

    text: str
    name: str = ""
    origin: Origin = "document"
    relevance: float = 0.5
    importance: float = 0.5

    def value(self) -> Excerpt:
        """As a value."""
        return Excerpt(**self.model_dump())


def _said(line: dict[str, str]) -> dict[str, str]:
    if len(line) != 1 or next(iter(line)) not in ("customer", "bot"):
        raise ValueError("should be one line, as `- customer: Hello` or `- bot: Hi`")
    return line


class CaseMatter(_Strict):
    """A case, as it stands in the file. `weak` says why it may fail with a small model."""

    name: Annotated[str, Field(min_length=1)]
    values: dict[str, str | int | float | bool | SourceMatter | tuple[SourceMatter, ...]] = {}
    history: tuple[Annotated[dict[str, str], AfterValidator(_said)], ...] = ()
    language: str = ""
    room: Annotated[int, Field(ge=1)] = 4000
    may_leak: bool = False
    weak: str = ""
    expect: tuple[Annotated[Expectation, BeforeValidator(Expectation.of)], ...] = ()


class CasesFile(_Strict):
    """The whole file."""

    cases: Annotated[tuple[CaseMatter, ...], Field(min_length=1)]


class Case(Value, frozen=True):
    """One test."""

    name: str
    values: dict[str, object]
    history: tuple[Line, ...]
    language: str
    room: int
    may_leak: bool
    weak: str
    expect: tuple[Any, ...]


def cases_of(library: Library) -> dict[str, tuple[Case, ...]]:
    """The cases beside each prompt, by its name. Raises PromptError with every mistake in them."""
    problems: list[str] = []
    found = {name: _read(versions, problems) for name, versions in sorted(library.items())}
    if problems:
        raise PromptError(problems)
    return found


def _read(versions: Versions, problems: list[str]) -> tuple[Case, ...]:
    """The cases beside a prompt; what is wrong with them goes into `problems`."""
    path = Path(versions.folder) / f"{versions.name.partition('/')[2]}.cases.yaml"
    if not path.is_file():
        return ()
    file = short(str(path))
    known, lines = frontmatter.read(path.read_text(encoding="utf-8"), CasesFile, file, problems, first=1)
    if known is None:
        return ()
    names = [case.name for case in known.cases]
    variables = [variable.name for prompt in versions.known.values() for variable in prompt.variables]
    for number, case in enumerate(known.cases):
        line = lines.get(f"cases.{number}.name", 1)
        if names.index(case.name) != number:
            problems.append(f"{file} line {line}: name: there is a case of this name already; rename one")
        for name in case.values:
            if name not in variables:
                at = lines.get(f"cases.{number}.values.{name}", line)
                problems.append(
                    f"{file} line {at}: {name} is no variable of {versions.name}{did_you_mean(name, variables)}"
                )
        if not case.expect:
            problems.append(f"{file} line {line}: {case.name}: expects nothing, so it can't fail; add `expect:`")
    return tuple(_case(case) for case in known.cases)


def _case(case: CaseMatter) -> Case:
    return Case(
        name=case.name,
        values={name: _value(value) for name, value in case.values.items()},
        history=tuple(_lines(case.history)),
        language=case.language,
        room=case.room,
        may_leak=case.may_leak,
        weak=case.weak,
        expect=case.expect,
    )


def _value(value: object) -> object:
    if isinstance(value, SourceMatter):
        return value.value()
    if isinstance(value, tuple):
        return tuple(one.value() for one in value if isinstance(one, SourceMatter))
    return value


def _lines(history: Sequence[dict[str, str]]) -> list[Line]:
    return [
        Line(role="user" if who == "customer" else "assistant", text=text)
        for line in history
        for who, text in line.items()
    ]
