"""The front matter of a prompt's file: YAML between two lines of `---`, checked, each mistake with its line and fix."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.prompts.prompt import Kind
from bot.settings import did_you_mean

M = TypeVar("M", bound=BaseModel)

Lines = dict[str, int]
"""The line of each key, by its dotted path."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VariableMatter(_Strict):
    """A declared variable."""

    type: Kind = "text"
    default: str | float | bool | None = None
    about: str = ""


class ModelMatter(_Strict):
    """Hints about the model."""

    needs: tuple[Literal["tools", "vision", "json", "long_context"], ...] = ()
    quality: Annotated[float, Field(ge=0, le=1)] = 0.0
    deadline: Annotated[float, Field(gt=0, le=600)] = 30.0
    cache: Literal["never", "person", "tenant"] = "never"
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


class ExamplesMatter(_Strict):
    """How many examples are shown, and what they are chosen to be like."""

    most: Annotated[int, Field(ge=0, le=50)] = 3
    like: str = "question"


class FrontMatter(_Strict):
    """Everything that may stand in it."""

    version: Annotated[int, Field(ge=1)]
    changed: Annotated[str, Field(min_length=1)]
    language: str = ""
    share: Annotated[float, Field(ge=0, le=100)] | None = None
    model: ModelMatter = ModelMatter()
    variables: dict[str, VariableMatter] = {}
    sections: dict[str, Annotated[int, Field(ge=1)]] = {}
    examples: ExamplesMatter = ExamplesMatter()
    reasoning: bool = False
    answer: dict[str, Any] | None = None


class VariantMatter(_Strict):
    """What may stand in the file of another language: the rest is the prompt's."""

    version: Annotated[int, Field(ge=1)]


def split(text: str) -> tuple[str, str, int]:
    """The front matter, the body, and the line on which the body begins; without front matter, the line is 0."""
    found = re.match(r"---[ \t]*\n(.*?\n)?---[ \t]*(?:\n|$)", text, re.DOTALL)
    if found is None:
        return "", text, 0
    return found[1] or "", text[found.end() :], text[: found.end()].count("\n") + 1


def read(text: str, model: type[M], file: str, problems: list[str], *, first: int = 2) -> tuple[M | None, Lines]:
    """YAML as a `model`; `first` is the line of the file on which it begins. Mistakes go into `problems`."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first + (mark.line if mark is not None else 0)
        what = getattr(error, "problem", None) or "this is not YAML"
        problems.append(f"{file} line {line}: {what}; indent with spaces and put texts with `:` or `#` in quotes")
        return None, {}
    if not isinstance(content, dict) or not isinstance(node, yaml.MappingNode):
        problems.append(f"{file} line {first}: should have `key: value` lines here")
        return None, {}
    lines = dict(_places(node, "", first))
    try:
        return model.model_validate(content), lines
    except ValidationError as error:
        told = [_sentence(file, model, lines, detail, first) for detail in error.errors(include_input=False)]
        problems += dict.fromkeys(told)
        return None, lines


def _places(node: yaml.Node, prefix: str, first: int) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{prefix}{key.value}" if isinstance(key, yaml.ScalarNode) else prefix
            yield name, key.start_mark.line + first
            yield from _places(value, f"{name}.", first)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield f"{prefix}{number}", value.start_mark.line + first
            yield from _places(value, f"{prefix}{number}.", first)


_WORDS = {
    "missing": "is missing; add it",
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "float_parsing": "should be a number",
    "bool_parsing": "should be true or false",
    "string_type": "should be text; put it in quotes",
    "string_too_short": "should say something",
}


def _sentence(file: str, model: type[BaseModel], lines: Lines, detail: Any, first: int) -> str:
    path = [str(part) for part in detail["loc"]]
    # Behind what the file has, pydantic's path names the alternatives of a type: nothing that an author wrote.
    size = next((size for size in range(len(path), 0, -1) if ".".join(path[:size]) in lines), 0)
    line = lines.get(".".join(path[:size]), first)
    if detail["type"] == "extra_forbidden":
        words = f"there is no such key{did_you_mean(path[-1], _keys(model, path[:-1]))}"
    else:
        words = _WORDS.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, ")
        words = words.replace("Input should be", "should be")
    there = path if detail["type"] in ("missing", "extra_forbidden") else path[:size]
    return f"{file} line {line}: {'.'.join(there)}: {words}"


def _keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys that may stand at a path."""
    inside: type[BaseModel] | None = model
    named = False  # the next step is a name of the author's own, or a number
    for step in path:
        if named:
            named = False
            continue
        field = inside.model_fields.get(step) if inside is not None else None
        if field is None:
            return []
        named = typing.get_origin(field.annotation) in (dict, tuple)
        inside = _model_in(field.annotation)
    return list(inside.model_fields) if inside is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in typing.get_args(annotation) if (found := _model_in(one)) is not None), None)
