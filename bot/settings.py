"""Settings: the YAML file, then the environment, then the command line. Knows no plugin and no vendor.

Each plugin brings a pydantic model for its own section and asks for it once, at start. A field may carry the name of
an environment variable that its users already have:

    class SlackSettings(Section):
        bot_token: Annotated[SecretStr | None, Env("SLACK_BOT_TOKEN")] = None

Every other field is FRONTDESK_<SECTION>__<KEY>. Mistakes are collected, and `check` raises all of them at once.
"""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from bot.errors import SettingsError
from bot.yamlfile import Lines, read_yaml

PREFIX = "FRONTDESK_"
M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    """One section of the settings: frozen, and a key that it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Env:
    """Marks a field that is also set by the environment variable `name`."""

    name: str


def _expanded(path: Path) -> Path:
    return path.expanduser()


class ServerSettings(Section):
    """Where the bot listens and keeps its files. The host 127.0.0.1 means this machine only; 0.0.0.0 means everyone."""

    host: str = "127.0.0.1"
    port: Annotated[int, Env("PORT"), Field(ge=0, le=65535)] = 8080
    public_url: Annotated[str, Env("PUBLIC_URL"), Field(pattern=r"^(https?://[^/\s]+[^\s]*)?$")] = ""
    home: Annotated[Path, Env("FRONTDESK_HOME"), AfterValidator(_expanded)] = Path("var")
    max_body: Annotated[int, Field(ge=1024)] = 2 * 1024 * 1024

    @property
    def url(self) -> str:
        """The address that people reach us at, without a slash at its end."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - compared, not bound
        return self.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


class StoreSettings(Section):
    """Where the truth is kept; without an address it is a SQLite file in the home folder."""

    database_url: Annotated[SecretStr | None, Env("DATABASE_URL")] = None
    redis_url: Annotated[SecretStr | None, Env("REDIS_URL")] = None


class PluginSettings(Section):
    """Folders (beside `plugins/` in the home folder) whose files are plugins, and plugins that are left out."""

    folders: Annotated[tuple[Path, ...], Env("FRONTDESK_PLUGINS")] = ()
    disabled: tuple[str, ...] = ()


class HandoffSettings(Section):
    """What happens around human agents: `patience` is how many seconds somebody waits before they are told so."""

    patience: Annotated[float, Field(gt=0)] = 180.0


class LogSettings(Section):
    """How much is logged, and in which form: "auto" is text on a terminal and JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


@dataclass(frozen=True, slots=True)
class _Given:
    """A value and where it was written, in words."""

    value: object
    where: str
    is_text: bool = False


class Settings:
    """Everything that the operator set, by section, until a model asks for it."""

    def __init__(
        self,
        sections: dict[str, dict[str, _Given]],
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
        sections: dict[str, dict[str, _Given]] = {}
        environ = environ or {}
        if file is not None:
            _merge(sections, _from_file(file, problems))
        _merge(sections, _from_environ(environ, problems))
        _merge(sections, _from_options(options or {}, problems))
        return cls(sections, environ, problems)

    def section(self, model: type[M], name: str) -> M:
        """The section `name` as a `model`. Raises SettingsError with every mistake in it, and remembers them."""
        self._asked.add(name)
        given = {**self._sections.get(name, {})}
        for key, variable in _variables(model):
            # A variable that is set but empty is how compose files write "not set".
            if self._environ.get(variable) and not given.get(key, _Given(None, "")).where.startswith("--"):
                given[key] = _Given(self._environ[variable], variable, is_text=True)
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
        _merge(self._sections, _from_options(options, self._problems[""]))

    def own(self, model: type[M], name: str) -> M:
        """One of the core's own sections, which all have defaults; mistakes in it wait for `check`."""
        try:
            return self.section(model, name)
        except SettingsError:
            return model()

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


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """The end of a sentence about a misspelt word: the nearest known one, or all of them if there are few."""
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there is {', '.join(names)}" if names else ""


def _merge(into: dict[str, dict[str, _Given]], new: Mapping[str, Mapping[str, _Given]]) -> None:
    for name, values in new.items():
        into.setdefault(name, {}).update(values)


def _from_file(file: Path, problems: list[str]) -> dict[str, dict[str, _Given]]:
    content, lines = read_yaml(file, problems)
    sections: dict[str, dict[str, _Given]] = {}
    for name, values in content.items():
        where = _line(file, lines, str(name))
        if values is None:
            continue
        if not isinstance(values, dict):
            problems.append(f"{name} ({where}): should be a section with `key: value` lines below it")
            continue
        sections[str(name)] = {
            str(key): _Given(value, _line(file, lines, f"{name}.{key}")) for key, value in values.items()
        }
    return sections


def _line(file: Path, lines: Lines, key: str) -> str:
    return f"{file} line {lines.get(key, 1)}"


def _from_environ(environ: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, _Given]]:
    sections: dict[str, dict[str, _Given]] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or not text:
            continue
        path = [part.lower() for part in variable.removeprefix(PREFIX).split("__")]
        if len(path) == 1:
            # Not every FRONTDESK_x is ours: Kubernetes sets FRONTDESK_SERVICE_HOST for a service of that name.
            known = ["home", "plugins"]
            if path[0] not in known and difflib.get_close_matches(path[0], known, n=1, cutoff=0.7):
                problems.append(f"{variable}: there is no such setting{_variable_hint(path[0], known)}")
        elif "" in path:
            problems.append(f"{variable}: should look like {PREFIX}SECTION__KEY")
        else:
            _place(sections, path, text, variable)
    return sections


def _variable_hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""


def _from_options(options: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, _Given]]:
    sections: dict[str, dict[str, _Given]] = {}
    for option, text in options.items():
        path = option.replace("-", "_").split(".")
        if len(path) < 2 or "" in path:
            problems.append(f"--set {option}: should look like --set section.key=value")
        else:
            _place(sections, path, text, f"--set {option}")
    return sections


def _place(sections: dict[str, dict[str, _Given]], path: list[str], text: str, where: str) -> None:
    """Put a text where its path says: deeper paths become nested mappings."""
    name, key, *deeper = path
    section = sections.setdefault(name, {})
    if not deeper:
        section[key] = _Given(text, where, is_text=True)
        return
    old = section.get(key)
    tree: dict[str, Any] = old.value if old is not None and isinstance(old.value, dict) else {}
    place = tree
    for part in deeper[:-1]:
        step = place.setdefault(part, {})
        place = step if isinstance(step, dict) else place
    place[deeper[-1]] = text
    section[key] = _Given(tree, where)


def _variables(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for key, field in model.model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, Env):
                yield key, mark.name


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or key for key, field in model.model_fields.items()}


def _parsed(model: type[BaseModel], key: str, given: _Given) -> object:
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


def _unknown_key(section: str, key: str, given: _Given, model: type[BaseModel]) -> str:
    return f"{section}.{key} ({given.where}): there is no such setting{did_you_mean(key, _keys(model))}"


_WORDS = {
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "float_parsing": "should be a number",
    "string_type": "should be text; put it in quotes",
    "missing": "is missing",
    "extra_forbidden": "is no setting that we know",
}


def _sentence(
    section: str, model: type[BaseModel], known: Mapping[str, _Given], detail: Mapping[str, Any] | Any
) -> str:
    """One mistake in words; never the value, which may be a secret."""
    path = [str(part) for part in detail["loc"]]
    given = known.get(path[0]) if path else None
    where = f" ({given.where})" if given is not None else ""
    words = _WORDS.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, ")
    words = words.replace("Input should be", "should be")
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
        elif isinstance(value, BaseModel):
            yield from _secrets(value)
