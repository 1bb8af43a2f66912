"""Reads `config/providers.yaml`: fills in the environment, and tells every mistake at once. Knows no provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.llm.routing.catalogue import Catalogue
from bot.settings import did_you_mean
from bot.settings.yamlfile import Lines, read_yaml

VARIABLE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<otherwise>[^}]*))?\}")
SECRET_HEADERS = re.compile(r"auth|key|token|secret", re.IGNORECASE)
WORDS = {
    "missing": "is missing",
    "extra_forbidden": "there is no such setting",
    "float_parsing": "should be a number",
    "int_parsing": "should be a whole number",
    "string_type": "should be text; put it in quotes",
}


def read_catalogue(file: Path, environ: Mapping[str, str], problems: list[str]) -> Catalogue:
    """The catalogue with the providers that are on. What is wrong goes into `problems`; then the catalogue is empty."""
    before = len(problems)
    content, lines = read_yaml(file, problems)
    where = Where(file, lines)
    problems.extend(_keys_in_the_file(content, where))
    content = _filled(content, environ)
    catalogue = Catalogue()
    try:
        catalogue = Catalogue.model_validate(content)
    except ValidationError as error:
        problems.extend(where.sentence(detail["loc"], _words(detail)) for detail in error.errors(include_input=False))
    else:
        problems.extend(_lost_steps(catalogue, where))
    if len(problems) > before:
        return Catalogue()
    on = {
        name: part
        for name, part in catalogue.providers.items()
        if part.on and not any(environ.get(variable) for variable in part.unless)
    }
    return catalogue.model_copy(update={"providers": on})


class Where:
    """Says where a key stands."""

    def __init__(self, file: Path, lines: Lines) -> None:
        self._file, self._lines = file, lines

    def sentence(self, path: tuple[int | str, ...], words: str) -> str:
        """`path` with its line, and what is wrong there."""
        names = [str(part) for part in path]
        line = next(
            (self._lines[key] for n in range(len(names), 0, -1) if (key := ".".join(names[:n])) in self._lines), 1
        )
        return f"{'.'.join(names)} ({self._file} line {line}): {words}"


def _keys_in_the_file(content: Mapping[str, Any], where: Where) -> Iterator[str]:
    """Secrets that were written down instead of being named."""
    for name, part in _mapping(content.get("providers")).items():
        setting = _mapping(_mapping(part).get("openai_setting"))
        variable = f"{re.sub(r'[^A-Z0-9]+', '_', str(name).upper())}_API_KEY"
        key = setting.get("api_key")
        if isinstance(key, str) and key and not VARIABLE.fullmatch(key):
            yield where.sentence(
                ("providers", name, "openai_setting", "api_key"),
                f"a key stands in the file; set it in the environment as {variable}, write ${{{variable}}} here, "
                "and have the key replaced if others could read the file",
            )
        for header, value in _mapping(setting.get("headers")).items():
            if SECRET_HEADERS.search(str(header)) and not VARIABLE.search(str(value)):
                yield where.sentence(
                    ("providers", name, "openai_setting", "headers", header),
                    "looks like a secret in the file; set it in the environment and write ${ITS_NAME} here",
                )


def _lost_steps(catalogue: Catalogue, where: Where) -> Iterator[str]:
    """Steps of routes that lead to nobody whom the file knows."""
    known = {name: {f"{name}/{model}" for model in part.models} | {name} for name, part in catalogue.providers.items()}
    for task, route in catalogue.routes.items():
        for step in route.steps:
            provider = step.use.partition("/")[0]
            if provider not in known:
                words = f"{step.use}: there is no provider {provider}{did_you_mean(provider, known)}"
                yield where.sentence(("routes", task), words)
            elif step.use not in known[provider]:
                words = f"{step.use}: the provider has no such model{did_you_mean(step.use, known[provider])}"
                yield where.sentence(("routes", task), words)


def _words(detail: Mapping[str, Any] | Any) -> str:
    """pydantic's complaint in words, never with the value."""
    found = WORDS.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, ")
    return found.replace("Input should be", "should be")


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    """Every `${NAME}` and `${NAME:-otherwise}` replaced; a variable that is empty counts as not set."""
    if isinstance(value, dict):
        return {_filled(key, environ): _filled(part, environ) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, environ) for part in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: environ.get(found["name"]) or found["otherwise"] or "", value)
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
