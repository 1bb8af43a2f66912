"""A function of a skill as a tool that a model may call: its schema, its checked arguments, its result in words.

    @skill.tool(confirm="Cancel order {number}?")
    async def cancel(number: str, orders: Orders) -> str:
        "Cancels an order that has not left yet."

Parameters that ask for a port get the port; all others are arguments, which the model writes and pydantic checks.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
import typing
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from bot.errors import Misfit, PluginError, Refused
from bot.llm.structured import said, schema_of
from bot.messages import Value
from bot.ports.models import ToolSpec
from bot.services import Services, describe
from bot.tools.usage import Status

LONGEST_RESULT = 8000
"""Characters of a result that a model gets to read."""

LONGEST_SHOWN = 80
"""Characters of an argument that a person can be asked to confirm: more is not read before a yes is said."""

FAILED = "The tool failed. Say so; do not try again."

_FIELD = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}")
_QUOTES = re.compile('["\u00ab\u00bb\u201c-\u201f\u2e42\u301d-\u301f\uff02]')
_WORDLESS = (int, float, Decimal, date, time, timedelta, Enum)
"""What is shown as it is: nobody's words are in it."""

_ASKS_OWN = ("like", "choices", "form", "key", "help", "timeout")


class ToolResult(Value, frozen=True):
    """What a tool gave, as the model reads it, or why it gave nothing; `error` is for the log, without any words."""

    text: str
    status: Status = "ok"
    error: str = ""


@dataclass(frozen=True, slots=True)
class SkillTool:
    """A tool as its skill declares it. `effect` says that it changes something in the world; `confirm` asks before.

    A `published` one can be called over HTTP too.
    """

    name: str
    description: str
    function: Callable[..., Awaitable[Any]]
    confirm: str = ""
    effect: bool = False
    published: bool = False

    def bind(self, services: Services) -> BoundTool:
        """The tool with its ports. Raises PluginError or PortMissing with file and line."""
        where = describe(self.function)
        hints = typing.get_type_hints(self.function)
        fields: dict[str, Any] = {}
        ports: dict[str, object] = {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            hint = hints.get(name)
            if hint is None:
                raise PluginError(
                    f"{where} takes `{name}` without a type; a tool's arguments are checked by their types"
                )
            if inspect.isclass(hint) and inspect.isabstract(hint):
                ports[name] = services.get(hint)
            else:
                fields[name] = (hint, ... if parameter.default is parameter.empty else parameter.default)
        unshown = [name for name in _FIELD.findall(self.confirm) if name not in fields or name in _ASKS_OWN]
        if unshown:
            raise PluginError(
                f"{where} can't show {{{unshown[0]}}} in confirm=: it is no argument, or a word of turn.ask"
            )
        try:
            shape = create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)
            spec = ToolSpec(name=self.name, description=self.description, parameters=schema_of(shape))
        except Exception as problem:
            raise PluginError(f"{where} has an argument that has no JSON Schema: {problem}") from problem
        return BoundTool(self, spec, shape, functools.partial(self.function, **ports))


@dataclass(frozen=True, slots=True)
class BoundTool:
    """A tool that can be called."""

    tool: SkillTool
    spec: ToolSpec
    shape: type[BaseModel]
    function: Callable[..., Awaitable[Any]]

    def read(self, arguments: str) -> BaseModel:
        """The arguments, checked. Raises Misfit with the places that are wrong."""
        try:
            return self.shape.model_validate_json(arguments or "{}")
        except ValidationError as error:
            raise Misfit(said(error)) from None

    def shown(self, arguments: str) -> dict[str, str]:
        """What the question before the call says of its arguments. Raises Misfit where one is too long to be read."""
        given = self.read(arguments)
        return {name: _confirmable(name, getattr(given, name)) for name in _FIELD.findall(self.tool.confirm)}

    async def __call__(self, arguments: str) -> ToolResult:
        """Call it with arguments that were checked before; what goes wrong is a result too, for the model to mend."""
        given = self.read(arguments)
        try:
            value = await self.run(given)
        except Refused as refused:
            return ToolResult(text=f"Refused: {refused}", status="refused")
        except Exception as problem:
            return ToolResult(text=FAILED, status="failed", error=type(problem).__name__)
        return ToolResult(text=_words(value))

    async def run(self, given: BaseModel) -> object:
        """What the function returns for these arguments. Raises whatever it raises."""
        return await self.function(**{name: getattr(given, name) for name in self.shape.model_fields})


def as_json(value: object) -> Any:
    """What a tool returned, as JSON has it; what JSON has no word for, as text."""
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_plain))


def shortened(text: str) -> str:
    """As much of a result as a model gets to read."""
    return text if len(text) <= LONGEST_RESULT else text[:LONGEST_RESULT] + " [cut]"


def _confirmable(name: str, value: object) -> str:
    """A value that can't pose as a part of the question: on one line, and words in quotes that they can't close."""
    text = "" if value is None else str(value)
    if len(text) > LONGEST_SHOWN:
        raise Misfit(
            f"{name}: the person has to confirm it, so it may have {LONGEST_SHOWN} characters at most; be brief"
        )
    line = " ".join("".join(_seen(sign) for sign in text).split())
    quoted = _QUOTES.sub("'", line)
    return line if value is None or isinstance(value, _WORDLESS) else f"\u201c{quoted}\u201d"


def _seen(sign: str) -> str:
    kind = unicodedata.category(sign)
    return "" if kind == "Cf" else " " if kind[0] in "CZ" else sign


def _words(value: object) -> str:
    return shortened(value if isinstance(value, str) else json.dumps(as_json(value), ensure_ascii=False))


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
