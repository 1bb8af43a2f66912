"""The template language of prompts: Jinja in a sandbox, without files, globals, or names that are not there.

What others said is in a template a `Marked`: it can be printed and asked whether there is any, and nothing else, so no
template can take a text out of its fence.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.messages import Value

_NAME = "<prompt>"


class Marked:
    """A text in its fence. Jinja's sandbox lets no template reach a name with an underscore."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __str__(self) -> str:
        raise TypeError("what others said can't be changed or put into another text; print it by itself: {{ name }}")

    __format__ = None  # type: ignore[assignment]

    @staticmethod
    def printed(value: object) -> object:
        """What is printed of a value."""
        return value._text if isinstance(value, Marked) else value


class Wrong(Value, frozen=True):
    """A mistake in a template, and its line, counted from 1."""

    line: int
    what: str


class Templates:
    """Compiles and fills templates."""

    def __init__(self) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined,
            finalize=Marked.printed,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # what comes out is a prompt and no page; fences guard it
        )
        self._environment.globals.clear()
        self._compiled: dict[str, jinja2.Template] = {}

    def names(self, source: str) -> dict[str, int] | Wrong:
        """The names that a template needs from outside, each with the line on which it first stands."""
        try:
            tree = self._environment.parse(source, _NAME)
        except jinja2.TemplateSyntaxError as error:
            return Wrong(line=error.lineno, what=error.message or "this is no template")
        for kind in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
            for node in tree.find_all(kind):
                return Wrong(line=node.lineno, what="a prompt can't take in other files; write it out here")
        needed = meta.find_undeclared_variables(tree)
        lines: dict[str, int] = {}
        for name in tree.find_all(nodes.Name):
            if name.name in needed:
                lines[name.name] = min(lines.get(name.name, name.lineno), name.lineno)
        return lines

    def fill(self, source: str, values: Mapping[str, object]) -> str | Wrong:
        """The template with its values filled in."""
        try:
            template = self._compiled.get(source)
            if template is None:
                template = self._compiled[source] = self._environment.from_string(source)
            return template.render(values).strip()
        except jinja2.TemplateSyntaxError as error:
            return Wrong(line=error.lineno, what=error.message or "this is no template")
        except Exception as error:
            # A filter that is given the wrong thing raises whatever Python raises.
            steps = [step.lineno for step in traceback.extract_tb(error.__traceback__) if step.filename == "<template>"]
            return Wrong(line=(steps[-1] if steps else 1) or 1, what=str(error) or type(error).__name__)

    def forget(self) -> None:
        """Drop what was compiled: the files have changed."""
        self._compiled.clear()
