"""Puts the settings of all sources together and gives each section to the model that asks for it.

Mistakes are collected, in words that name the place and the fix, and `check` raises all of them at once.
"""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from bot.errors import SettingsError
from bot.settings.sections import Env
from bot.settings.sources import PREFIX, Given, from_environ, from_file, from_options, merge

M = TypeVar("M", bound=BaseModel)


class Settings:
    """Everything that the operator set, by section, until a model asks for it."""

    def __init__(
        self,
        sections: dict[str, dict[str, Given]],
        environ: Mapping[str, str],
        problems: list[str],
    ) -> None:
        self._sections = sections
        self._environ = environ
        self._problems = {"": problems}
        self._asked: set[str] = set()
        self.secrets: set[str] = set()

    @classmethod
    def load(
        cls,
        file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Settings:
        """Read all three sources. Nothing is raised yet: `check` tells about broken files too.

        `options` are the command line's, as "section.key": "value". A `file` that does not exist is a problem.
        """
        problems: list[str] = []
        sections: dict[str, dict[str, Given]] = {}
        environ = environ or {}
        if file is not None:
            merge(sections, from_file(file, problems))
        merge(sections, from_environ(environ, problems))
        merge(sections, from_options(options or {}, problems))
        return cls(sections, environ, problems)

    def section(self, model: type[M], name: str) -> M:
        """The section `name` as a `model`. Raises SettingsError with every mistake in it, and remembers them."""
        self._asked.add(name)
        given = {**self._sections.get(name, {})}
        for key, variable in _variables(model):
            # A variable that is set but empty is how compose files write "not set".
            if self._environ.get(variable) and not given.get(key, Given(None, "")).where.startswith("--"):
                given[key] = Given(self._environ[variable], variable, is_text=True)
        problems = [_unknown_key(name, key, value, model) for key, value in given.items() if key not in _keys(model)]
        known = {key: value for key, value in given.items() if key in _keys(model)}
        result: M | None = None
        try:
            result = model.model_validate({key: _parsed(model, key, value) for key, value in known.items()})
        except ValidationError as error:
            problems += [_sentence(name, model, known, detail) for detail in error.errors(include_input=False)]
        if problems or result is None:
            self._problems[name] = problems
            raise SettingsError(problems)
        self._problems.pop(name, None)
        self.secrets.update(_secrets(result))
        return result

    def override(self, options: Mapping[str, str]) -> None:
        """Add options as if they stood on the command line; for commands that need settings of their own."""
        merge(self._sections, from_options(options, self._problems[""]))

    def suggest(self, section: str, key: str, value: str) -> None:
        """A value that the program brings, where the operator says nothing."""
        self._sections.setdefault(section, {}).setdefault(key, Given(value, "the program", is_text=True))

    def own(self, model: type[M], name: str) -> M:
        """One of the core's own sections, which all have defaults; mistakes in it wait for `check`."""
        try:
            return self.section(model, name)
        except SettingsError:
            return model()

    def note(self, problems: Iterable[str]) -> None:
        """Remember mistakes that a plugin found itself: what one key says about another."""
        known = {problem for group in self._problems.values() for problem in group}
        self._problems[""] += [problem for problem in problems if problem not in known]

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment, for files that name its variables."""
        return self._environ

    def check(self, *, complete: bool = True) -> None:
        """Raise SettingsError with every mistake so far.

        `complete` says that all sections were asked for, so that any other section is a mistake.
        """
        problems = [problem for group in self._problems.values() for problem in group]
        if complete:
            for name, values in self._sections.items():
                if name not in self._asked:
                    where = next((given.where for given in values.values()), "the settings")
                    hint = did_you_mean(name, self._asked)
                    problems.append(f"{name} ({where}): nobody has a section of that name{hint}")
        if problems:
            raise SettingsError(problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a misspelt word: the nearest known one, or all of them if there are few."""
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there is {', '.join(names)}" if names else ""


def _variables(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for key, field in model.model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, Env):
                yield key, mark.name


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or key for key, field in model.model_fields.items()}


def _parsed(model: type[BaseModel], key: str, given: Given) -> object:
    """A text for a field with several values is JSON, or a list with commas."""
    if not given.is_text or not isinstance(given.value, str):
        return given.value
    field = model.model_fields.get(key)
    origin = typing.get_origin(field.annotation) if field is not None else None
    if origin not in (list, tuple, set, frozenset, dict):
        return given.value
    if given.value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(given.value)
        except ValueError:
            return given.value
    return [part.strip() for part in given.value.split(",") if part.strip()]


def _unknown_key(section: str, key: str, given: Given, model: type[BaseModel]) -> str:
    return f"{section}.{key} ({given.where}): there is no such setting{did_you_mean(key, _keys(model))}"


_WORDS = {
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "string_type": "should be text; put it in quotes",
    "missing": "is missing",
    "extra_forbidden": "is no setting that we know",
    "literal_error": "should be {expected}",
    "enum": "should be {expected}",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "list_type": "should be a list, such as [a, b]",
    "tuple_type": "should be a list, such as [a, b]",
    "set_type": "should be a list, such as [a, b]",
    "dict_type": "should be a group of settings, each with a name: {{name: ...}}",
    "model_type": "should be a group of settings, each with a name: {{name: ...}}",
    "path_type": "should be the path of a file or folder",
    "url_parsing": "should be a web address such as https://example.com",
    "url_scheme": "should be a web address that begins with {expected_schemes}",
}
"""What pydantic calls a mistake, and what we say; in braces is what pydantic says about it."""


def _sentence(section: str, model: type[BaseModel], known: Mapping[str, Given], detail: Mapping[str, Any] | Any) -> str:
    """One mistake in words; never the value, which may be a secret."""
    path = [str(part) for part in detail["loc"]]
    given = known.get(path[0]) if path else None
    where = f" ({given.where})" if given is not None else ""
    said = _WORDS.get(detail["type"])
    about = {name: f"{part:g}" if isinstance(part, float) else part for name, part in detail.get("ctx", {}).items()}
    words = said.format(**about) if said else str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "missing" and len(path) == 1:
        names = [name for key, name in _variables(model) if key == path[0]]
        words += f"; set it in the file, or as {(names or [f'{PREFIX}{section}__{path[0]}'.upper()])[0]}"
    return f"{'.'.join([section, *path])}{where}: {words}"


def _secrets(model: BaseModel) -> Iterator[str]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            if value.get_secret_value():
                yield value.get_secret_value()
        elif isinstance(value, dict):
            for part in value.values():
                if isinstance(part, BaseModel):
                    yield from _secrets(part)
        elif isinstance(value, BaseModel):
            yield from _secrets(value)
