"""Where settings come from: the YAML file, the environment, the command line. Knows no section and no model."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.settings.yamlfile import Lines, read_yaml

PREFIX = "FRONTDESK_"

Sections = dict[str, dict[str, "Given"]]


@dataclass(frozen=True, slots=True)
class Given:
    """A value and where it was written, in words."""

    value: object
    where: str
    is_text: bool = False


def merge(into: dict[str, dict[str, Given]], new: Mapping[str, Mapping[str, Given]]) -> None:
    for name, values in new.items():
        into.setdefault(name, {}).update(values)


def from_file(file: Path, problems: list[str]) -> dict[str, dict[str, Given]]:
    content, lines = read_yaml(file, problems)
    sections: dict[str, dict[str, Given]] = {}
    for name, values in content.items():
        where = _line(file, lines, str(name))
        if values is None:
            continue
        if not isinstance(values, dict):
            problems.append(f"{name} ({where}): should be a section with `key: value` lines below it")
            continue
        sections[str(name)] = {
            str(key): Given(value, _line(file, lines, f"{name}.{key}")) for key, value in values.items()
        }
    return sections


def _line(file: Path, lines: Lines, key: str) -> str:
    return f"{file} line {lines.get(key, 1)}"


def from_environ(environ: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, Given]]:
    sections: dict[str, dict[str, Given]] = {}
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


def from_options(options: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, Given]]:
    sections: dict[str, dict[str, Given]] = {}
    for option, text in options.items():
        path = option.replace("-", "_").split(".")
        if len(path) < 2 or "" in path:
            problems.append(f"--set {option}: should look like --set section.key=value")
        else:
            _place(sections, path, text, f"--set {option}")
    return sections


def _place(sections: dict[str, dict[str, Given]], path: list[str], text: str, where: str) -> None:
    """Put a text where its path says: deeper paths become nested mappings."""
    name, key, *deeper = path
    section = sections.setdefault(name, {})
    if not deeper:
        section[key] = Given(text, where, is_text=True)
        return
    old = section.get(key)
    tree: dict[str, Any] = old.value if old is not None and isinstance(old.value, dict) else {}
    place = tree
    for part in deeper[:-1]:
        step = place.setdefault(part, {})
        place = step if isinstance(step, dict) else place
    place[deeper[-1]] = text
    section[key] = Given(tree, where)
