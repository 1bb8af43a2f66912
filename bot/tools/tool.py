"""What a tool is: its name, what goes in and comes out, the port behind it, and what a model is told. Calls nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.errors import BadArguments, PortMissing
from bot.ports.engine import Engine, Outcome
from bot.ports.llm import Need
from bot.ports.models import ToolSpec
from bot.services import Services

MOST_PROBLEMS = 30


Work = Callable[[Any], Awaitable[Outcome[Any]]]
"""Does a tool's work: gets the arguments as the tool's own model. Raises what Engine.find does, and ToolRefused."""


@dataclass(frozen=True, slots=True)
class ModelTask:
    """How a language model does the same: the route it takes, what it is told, and the shape it answers in.

    `settle` makes a result of what it said, held to what was asked: it leaves out what the model made up, and raises
    Misfit where nothing is left. It gets the offline finding too, where `grounded` says that one is needed; with
    `alone` it can do without one where the engine can't answer now. `shown` is what of that finding the model gets to
    read. `pictures` and `recordings` are the arguments that it sees and hears instead of reading them.
    """

    task: str
    instructions: str
    said: type[BaseModel]
    settle: Callable[[Any, Any, Outcome[Any] | None], BaseModel]
    grounded: bool = False
    alone: bool = False
    shown: Callable[[Any], Mapping[str, object]] = lambda _: {}
    pictures: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()

    @property
    def senses(self) -> tuple[Need, ...]:
        """What a model needs for it beside words."""
        return (*(("vision",) if self.pictures else ()), *(("hearing",) if self.recordings else ()))


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `files` are the arguments that are files, each with the one that may name an address instead.

    `work` looks up who does it without a model: a port's engine, a skill; None where nobody is there.
    """

    name: str
    description: str
    work: Callable[[Services], Work | None]
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


def behind(port: type[Engine[Any, Any]]) -> Callable[[Services], Work | None]:
    """The work of the engine behind a port, which a plugin may provide or not."""

    def find(services: Services) -> Work | None:
        try:
            return services.get(port).find
        except PortMissing:
            return None

    return find


def problems_of(error: ValidationError) -> list[str]:
    """Every mistake in words, with its place. What was given is not repeated."""
    found = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False)[:MOST_PROBLEMS]:
        place = ".".join(str(part) for part in detail["loc"])[:80]
        words = detail["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
        found.append(f"`{place}`: {words}" if place else words)
    return found
