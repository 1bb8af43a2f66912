"""What a tool is: its name, what goes in and comes out, the port behind it, and what a model is told. Calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.errors import BadArguments
from bot.ports.engine import Engine, Finding
from bot.ports.models import ToolSpec

MOST_PROBLEMS = 30


@dataclass(frozen=True, slots=True)
class ModelTask:
    """How a language model does the same: the route it takes, what it is told, and the shape it answers in.

    `settle` makes a result of what it said, held to what was asked: it leaves out what the model made up, and raises
    Misfit where nothing is left. It gets the offline finding too, where `grounded` says that one is needed.
    """

    task: str
    instructions: str
    said: type[BaseModel]
    settle: Callable[[Any, Any, Finding[Any] | None], BaseModel]
    grounded: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `files` are the arguments that are files, each with the one that may name an address instead."""

    name: str
    description: str
    port: type[Engine[Any, Any]]
    arguments: type[BaseModel]
    result: type[BaseModel]
    files: tuple[tuple[str, str], ...] = ()
    model: ModelTask | None = None

    def check(self, arguments: Mapping[str, Any]) -> BaseModel:
        """The arguments as the tool's own model. Raises BadArguments with every mistake."""
        try:
            return self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise BadArguments(problems_of(error)) from None

    def spec(self) -> ToolSpec:
        """The tool as a language model sees it. It can't hand over files, so only their addresses are offered."""
        schema = self.arguments.model_json_schema()
        hidden = {name for name, _ in self.files}
        schema["properties"] = {name: part for name, part in schema["properties"].items() if name not in hidden}
        return ToolSpec(name=self.name, description=self.description, parameters=schema)


def problems_of(error: ValidationError) -> list[str]:
    """Every mistake in words, with its place. What was given is not repeated."""
    found = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False)[:MOST_PROBLEMS]:
        place = ".".join(str(part) for part in detail["loc"])[:80]
        words = detail["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
        found.append(f"`{place}`: {words}" if place else words)
    return found
