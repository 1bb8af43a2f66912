"""Reads a YAML file of settings and remembers on which line each key stands. Knows no setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

Lines = dict[str, int]

# The one in C reads ten times as fast; not every build of the package has it.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: Path, problems: list[str]) -> tuple[dict[str, Any], Lines]:
    """The file's content and the line of every dotted key; what is wrong with it goes into `problems`."""
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    except OSError as error:
        problems.append(f"{file}: can't be read ({error.strerror or error}); create it, or name another with --config")
        return {}, {}
    except UnicodeDecodeError:
        problems.append(f"{file}: is not UTF-8 text; save it as UTF-8")
        return {}, {}
    except yaml.YAMLError as error:
        problems.append(_broken(file, error))
        return {}, {}
    if content is None:
        return {}, {}
    if not isinstance(content, dict) or not isinstance(node, yaml.MappingNode):
        problems.append(f"{file}: should have sections (`server:`, `web:` ...) at its left edge")
        return {}, {}
    lines: Lines = {}
    _walk(file, node, "", lines, problems)
    return content, lines


def _broken(file: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "this is not YAML"
    line = f" line {mark.line + 1}" if mark is not None else ""
    return f"{file}{line}: {what}; indent with spaces and put texts with `:` or `#` in quotes"


def _walk(file: Path, node: yaml.MappingNode, prefix: str, lines: Lines, problems: list[str]) -> None:
    for key, value in node.value:
        name = f"{prefix}{key.value}" if isinstance(key, yaml.ScalarNode) else prefix
        line = key.start_mark.line + 1
        if name in lines:
            problems.append(f"{name} ({file} line {line}): stands there already on line {lines[name]}; keep one")
        lines[name] = line
        if isinstance(value, yaml.MappingNode):
            _walk(file, value, f"{name}.", lines, problems)
