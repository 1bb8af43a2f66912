"""A form out of a type: its fields as questions, and what was filled in as an instance. Pure.

The type is a `msgspec.Struct`, a dataclass or a pydantic model whose fields are text, numbers, yes or no, dates, or one
of several. Knows nothing of how it is shown.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec.structs import replace
from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.dialog.fields import EMAIL, URL, address_in, figure, limited, sentence, text_kind, url_in
from bot.dialog.likes import Like, NotLike, like_of
from bot.errors import Misuse
from bot.phrases import ENGLISH
from bot.rendering import escape, parse
from bot.replies import Choice, Form, FormField

SKIP = "form:skip"
"""The choice of leaving out a question that need not be answered has this value."""

_YES_NO = {ENGLISH.yes: True, ENGLISH.no: False}
_KINDS: dict[object, Literal["number", "date"]] = {int: "number", float: "number", Decimal: "number", date: "date"}
_PLACE = re.compile(r" - at `\$\.?(\w*)[^`]*`")
_LENGTH, _BOUND = re.compile(r"String should (have .*)"), re.compile(r"Input should (be (?:less|greater) than .*)")
_LIMIT = re.compile(r"^Expected `\w+`(?P<length> of length)? (?P<sign><=|>=) (?P<number>[\d.]+)")


class Invalid(NotLike):
    """The answers together do not make an instance; `fields` are those to blame, if that is known.

    It says so as CommonMark, and `plain` without.
    """

    def __init__(self, problem: str, fields: Iterable[str] = ()) -> None:
        self.fields, self.plain = frozenset(fields), problem
        super().__init__(escape(problem))


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a form. `options` are what its choices mean; `like` is None where only they will do."""

    field: FormField
    like: Like | None
    options: Mapping[str, object]
    default: Callable[[], object] | None
    check: Callable[[object], object] | None

    def choices(self, skip: str) -> tuple[Choice, ...]:
        """What can be chosen where the question is asked alone; `skip` is on the way past it."""
        choices = self.field.choices
        return (*choices, Choice(label=skip, value=SKIP)) if self.field.optional else choices

    @property
    def prompt(self) -> str:
        """The question where it is asked alone."""
        label = escape(self.field.label)
        return label if label[-1:] in "?!.:…" else f"{label}:"

    def alone(self) -> Like | None:
        """What an answer is like where the question is asked alone: with the field's own conditions."""
        if self.like is None:
            return None
        like = self.like

        def parse(text: str, now: float) -> object:
            value = like.parse(text, now)
            try:
                return self._checked(value)
            except NotLike as problem:
                raise NotLike(escape(str(problem))) from problem

        return Like(like.name, like.kind, like.hint, parse)

    def chosen(self, value: object) -> object:
        """The field's value, of an answer to the question alone."""
        if self.field.optional and value == SKIP:
            return self.default() if self.default else None
        return self.options[str(value)] if self.like is None else value

    def filled(self, text: str, now: float) -> object:
        """The field's value, of what stands in a form. Raises NotLike."""
        text = text.strip()
        if not text:
            if not self.field.optional:
                raise NotLike("an answer")
            return self.default() if self.default else None
        if self.like is not None:
            return self._checked(self._parsed(text, now))
        for label, option in self.options.items():
            if label.casefold() == text.casefold():
                return option
        raise NotLike(f"one of: {', '.join(self.options)}")

    def _parsed(self, text: str, now: float) -> object:
        assert self.like is not None  # noqa: S101 - who calls it has looked
        exact = figure(text) if self.field.kind == "number" else None
        if exact is None:
            return self.like.parse(text, now)
        if self.field.whole and exact != int(exact):
            raise NotLike
        return self.like.kind(exact)

    def _checked(self, value: object) -> object:
        if self.check is not None:
            try:
                self.check(value)
            except (msgspec.ValidationError, ValidationError) as problem:
                raise NotLike(_first(problem)) from problem
        return value


class FormLike(Like):
    """An answer that is a filled-in form. Words alone are none."""

    def __init__(self, kind: Any, parts: tuple[Part, ...]) -> None:
        super().__init__(kind.__name__, kind, "", _no_words)
        self.parts, self.token = parts, ""

    def with_token(self, token: str) -> FormLike:
        """The same, as it is sent out."""
        like = FormLike(self.kind, self.parts)
        like.token = token
        return like

    def shown(self, title: str, opener: str = ENGLISH.fill_in) -> Form:
        """What the person gets to see; `opener` is on the button that opens it."""
        return Form(title=title, fields=tuple(part.field for part in self.parts), token=self.token, open=opener)

    def submitted(self, values: Mapping[str, str], now: float) -> Any:
        """The instance. Raises NotLike with a line for each field that is wrong, as CommonMark."""
        answers, problems = self._answers(values, now)
        if problems:
            labels = {part.field.name: part.field.label for part in self.parts}
            lines = [f"**{escape(labels[name])}**: {escape(problem)}" for name, problem in problems.items()]
            raise NotLike("\n\n".join(lines))
        return self.build(answers)

    def problems(self, values: Mapping[str, str], now: float) -> dict[str, str]:
        """What is wrong by the names of fields, as plain sentences; under "" where no field is to blame."""
        answers, problems = self._answers(values, now)
        if problems:
            return problems
        try:
            self.build(answers)
        except Invalid as problem:
            return dict.fromkeys(problem.fields or ("",), problem.plain)
        return {}

    def _answers(self, values: Mapping[str, str], now: float) -> tuple[dict[str, object], dict[str, str]]:
        answers: dict[str, object] = {}
        problems: dict[str, str] = {}
        for part in self.parts:
            try:
                answers[part.field.name] = part.filled(values.get(part.field.name, ""), now)
            except NotLike as problem:
                wanted = str(problem) or (part.like.hint if part.like else "") or "something else"
                problems[part.field.name] = sentence(wanted)
        return answers, problems

    def build(self, answers: Mapping[str, object]) -> Any:
        """An instance of typed answers. Raises Invalid."""
        try:
            if isinstance(self.kind, type) and issubclass(self.kind, BaseModel):
                return self.kind.model_validate(dict(answers))
            return self.kind(**answers)
        except ValidationError as problem:
            fields = {str(error["loc"][0]) for error in problem.errors() if error["loc"]}
            raise Invalid(_first(problem), fields) from problem
        except ValueError as problem:
            raise Invalid(str(problem)) from problem


@lru_cache(maxsize=256)
def form_of(kind: Any) -> FormLike:
    """The form of a type. Raises Misuse for a type that can't be one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        found = _struct(kind)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        found = _model(kind)
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        found = _dataclass(kind)
    else:
        raise Misuse(f"form={kind!r}: use a msgspec.Struct, a dataclass or a pydantic model")
    parts = tuple(found)
    if not parts:
        raise Misuse(f"form={kind.__name__}: it has no fields")
    return FormLike(kind, parts)


def title_of(prompt: str) -> str:
    """The title of a form: the first line of what is said with it, as plain words."""
    blocks = parse(prompt).blocks
    return blocks[0].text.partition("\n")[0] if blocks else ""


def _struct(kind: type[msgspec.Struct]) -> Iterable[Part]:
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        default = _default(field.default, field.default_factory, msgspec.NODEFAULT)
        yield _showing(_part(kind, field.name, hints[field.name], {}, default), field.default)


def _dataclass(kind: Any) -> Iterable[Part]:
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        if field.init:
            default = _default(field.default, field.default_factory, dataclasses.MISSING)
            yield _showing(_part(kind, field.name, hints[field.name], field.metadata, default), field.default)


def _model(kind: type[BaseModel]) -> Iterable[Part]:
    for name, info in kind.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        about = {"title": info.title, "description": info.description, "long": extra.get("long")}
        default = None if info.is_required() else lambda info=info: info.get_default(call_default_factory=True)
        checked: Any = Annotated[info.annotation, info]
        check = TypeAdapter[Any](checked).validate_python if info.metadata else None
        part = _part(kind, name, info.annotation, about, default)
        field = limited(part.field, info.metadata)
        yield _showing(dataclasses.replace(part, field=field, check=check), info.default)


def _part(form: type, name: str, kind: Any, about: Mapping[str, Any], default: Callable[[], object] | None) -> Part:
    """One field. Titles and hints come from dataclass metadata, `msgspec.Meta` or pydantic's Field."""
    check: Callable[[object], object] | None = None
    optional, metas = False, list[object]()
    whole = kind
    while True:
        if get_origin(kind) is Annotated:
            kind, *extras = get_args(kind)
            metas += extras
            for meta in extras:
                if isinstance(meta, msgspec.Meta):
                    about = {"title": meta.title, "description": meta.description, **(meta.extra or {}), **about}
                    check = lambda value: msgspec.convert(value, whole)  # noqa: E731
        elif get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
            rest = [option for option in get_args(kind) if option is not type(None)]
            kind, optional = (rest[0], True) if len(rest) == 1 else (None, True)
        else:
            break
    field = replace(
        text_kind(name, long=bool(about.get("long"))),
        label=str(about.get("title") or name.replace("_", " ").strip().capitalize()),
        hint=str(about.get("description") or ""),
        optional=optional or default is not None,
    )
    options = _options(kind)
    if options:
        choices = tuple(Choice(label=label) for label in options)
        return Part(replace(field, kind="choice", choices=choices), None, options, default, None)
    if kind in _KINDS:
        field = limited(replace(field, kind=_KINDS[kind], whole=kind is int), metas)
        return Part(field, like_of(kind), {}, default, check)
    if kind is not str:
        raise Misuse(
            f"form={form.__name__}: its field {name} can't be asked for; use str, int, float, Decimal, bool, date, "
            "an Enum, a Literal, or one of them or None"
        )
    return Part(limited(field, metas), _ADDRESSES.get(field.kind, like_of(str)), {}, default, check)


def _showing(part: Part, default: object) -> Part:
    """The part with what stands in it from the start: its default, if it is something that people write."""
    value = ""
    if part.options:
        same = (label for label, option in part.options.items() if type(option) is type(default) and option == default)
        value = next(same, "")
    elif isinstance(default, date):
        value = default.isoformat()
    elif isinstance(default, str | int | float | Decimal):
        value = str(default)
    return dataclasses.replace(part, field=replace(part.field, value=value)) if value else part


def _options(kind: Any) -> dict[str, object]:
    if kind is bool:
        return dict(_YES_NO)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {str(m.value) if isinstance(m.value, str) else m.name.replace("_", " ").capitalize(): m for m in kind}
    return {str(option): option for option in get_args(kind)} if get_origin(kind) is Literal else {}


def _default(value: object, factory: Any, missing: object) -> Callable[[], object] | None:
    if value is not missing:
        return lambda: value
    return factory if factory is not missing else None


def _first(problem: msgspec.ValidationError | ValidationError) -> str:
    """What is wrong, as a sentence and without where: the question says that."""
    if isinstance(problem, ValidationError):
        first = problem.errors()[0]
        said = str(first["msg"]).removeprefix("Value error, ")
        limit = _LENGTH.fullmatch(said) or _BOUND.fullmatch(said)
        said = f"It should {limit[1]}" if limit else said
        return said if said[-1:] in (".", "!", "?") else f"{said}."
    limit = _LIMIT.search(str(problem))
    if limit is None:
        return _PLACE.sub("", str(problem))
    least = "least" if limit["sign"].startswith(">") else "most"
    if limit["length"]:
        return f"It should have at {least} {limit['number']} characters."
    return f"It should be at {least} {limit['number']}."


def _found(find: Callable[[str], str | None]) -> Callable[[str, float], str]:
    def parse(text: str, _: float) -> str:
        found = find(text)
        if found is None:
            raise NotLike
        return found

    return parse


def _no_words(text: str, _: float) -> Any:
    raise NotLike


_ADDRESSES = {
    "email": Like("email", str, EMAIL, _found(address_in)),
    "url": Like("url", str, URL, _found(url_in)),
}
