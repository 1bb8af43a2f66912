"""A skill: one job of the bot, and the handlers that do it. Knows no channel, no store and no router.

    skill = Skill("orders", "Finds an order, changes it, asks for a refund.")

    @skill.intent("where is my order", "has order {number} shipped")
    async def track(turn: Turn, orders: Orders) -> None: ...

What follows `turn` is asked for by type and resolved when the skill is loaded.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import Any, TypeVar

from bot.errors import PluginError
from bot.messages import Value

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)


class Intent(Value, frozen=True):
    """One handler of a skill and what calls it. `title` is what "Did you mean ...?" shows."""

    skill: str
    name: str
    title: str = ""
    examples: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its name across skills: "orders.track"."""
        return f"{self.skill}.{self.name}"


class Skill:
    """A job of the bot. `name` is a word; `description` is a sentence that people read when they ask for help.

    `deadline` is how many seconds a handler may work between two questions; `concurrency` how many may work at once.
    """

    def __init__(self, name: str, description: str, *, deadline: float = 30.0, concurrency: int = 200) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise PluginError(f"a skill's name is lower-case letters, digits and _, not {name!r}")
        self.name, self.description = name, description
        self.deadline, self.concurrency = deadline, concurrency
        self.handlers: dict[str, Handler] = {}
        self._intents: dict[str, Intent] = {}

    @property
    def intents(self) -> list[Intent]:
        """Its handlers and what calls them."""
        return list(self._intents.values())

    def intent(self, *examples: str, title: str = "") -> Callable[[H], H]:
        """Call the handler for sentences like these; `{name}` marks a slot."""
        return lambda handler: self._add(handler, examples=examples, title=title)

    def command(self, *names: str) -> Callable[[H], H]:
        """Call the handler for /name."""
        return lambda handler: self._add(handler, commands=tuple(name.lstrip("/").lower() for name in names))

    def pattern(self, *patterns: str) -> Callable[[H], H]:
        """Call the handler where a regular expression is found; its named groups become slots."""
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as problem:
                raise PluginError(f"skill {self.name}: the pattern {pattern!r} is broken: {problem}") from problem
        return lambda handler: self._add(handler, patterns=patterns)

    def _add(
        self,
        handler: H,
        *,
        examples: tuple[str, ...] = (),
        commands: tuple[str, ...] = (),
        patterns: tuple[str, ...] = (),
        title: str = "",
    ) -> H:
        name = handler.__name__
        if not _is_async(handler):
            raise PluginError(f"{inspect.getsourcefile(handler)}: {self.name}.{name} must be `async def`")
        if self.handlers.setdefault(name, handler) is not handler:
            raise PluginError(f"skill {self.name} has two handlers called {name}; rename one")
        old = self._intents.get(name) or Intent(skill=self.name, name=name)
        self._intents[name] = Intent(
            skill=self.name,
            name=name,
            title=title or old.title or (examples[0] if examples else name.replace("_", " ")),
            examples=old.examples + examples,
            commands=old.commands + commands,
            patterns=old.patterns + patterns,
        )
        return handler


def _is_async(handler: Handler) -> bool:
    return inspect.iscoroutinefunction(handler)


def code_of(handler: Handler | None) -> str:
    """A mark of a handler's code: a hint that it changed, never proof. Comments don't count, nor what it calls.

    Made of what is in memory: the file may be another one already, in the middle of a deploy.
    """
    while isinstance(handler, functools.partial):
        handler = handler.func
    code = getattr(handler, "__code__", None)
    return _mark(code) if isinstance(code, CodeType) else ""


@functools.lru_cache(maxsize=1024)
def _mark(code: CodeType) -> str:
    return hashlib.blake2b(_plainly(code).encode("utf-8", "replace"), digest_size=6).hexdigest()


def _plainly(value: object) -> str:
    """A constant in words that are the same in every process: sets have no order, code has an address."""
    match value:
        case CodeType():
            names = (value.co_names, value.co_varnames, value.co_freevars)
            return f"{value.co_code!r} {names!r} {[_plainly(constant) for constant in value.co_consts]}"
        case frozenset():
            return str(sorted(_plainly(constant) for constant in value))
        case tuple():
            return str([_plainly(constant) for constant in value])
        case _:
            return repr(value)
