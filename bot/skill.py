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
from collections.abc import Awaitable, Callable, Mapping
from types import CodeType
from typing import Any, TypeVar

import msgspec

from bot.errors import PluginError
from bot.llm.toolbox import SkillTool
from bot.messages import Value
from bot.outreach.every import Every
from bot.services import describe

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)

LONGEST_TOOL_NAME = 80
"""Characters of a published tool's name, with its skill's."""

PLAIN = "\ufe0f"
"""What some platforms add to an emoji, and others don't."""


class Intent(Value, frozen=True):
    """One handler of a skill and what calls it. `title` is what "Did you mean ...?" shows.

    `about` says what each command does, by language ("" is for all others).
    """

    skill: str
    name: str
    title: str = ""
    examples: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    reactions: tuple[str, ...] = ()
    otherwise: bool = False
    about: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its name across skills: "orders.track"."""
        return f"{self.skill}.{self.name}"


class Job(Value, frozen=True):
    """A function that runs by itself, and when."""

    name: str
    every: Every
    run: Handler


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
        self.jobs: dict[str, Job] = {}
        self.tools: dict[str, SkillTool] = {}
        self._intents: dict[str, Intent] = {}

    @property
    def intents(self) -> list[Intent]:
        """Its handlers and what calls them."""
        return list(self._intents.values())

    def intent(self, *examples: str, title: str = "") -> Callable[[H], H]:
        """Call the handler for sentences like these; `{name}` marks a slot."""
        return lambda handler: self._add(handler, examples=examples, title=title)

    def command(self, *names: str, about: str | Mapping[str, str] = "") -> Callable[[H], H]:
        """Call the handler for /name.

        `about` is a few words for the platform's menu of commands, or words by language: {"": "Track a parcel", "de":
        "Ein Paket verfolgen"}. Without it the first line of the handler's docstring is shown, or what the skill does.
        """
        short = tuple(name.lstrip("/").lower() for name in names)
        said = {"": about} if isinstance(about, str) else dict(about)
        return lambda handler: self._add(handler, commands=short, about=said)

    def reaction(self, *emoji: str) -> Callable[[H], H]:
        """Call the handler when somebody reacts with one of these; `turn.message.content` is the Reacted."""
        return lambda handler: self._add(handler, reactions=tuple(one.replace(PLAIN, "") for one in emoji))

    def pattern(self, *patterns: str) -> Callable[[H], H]:
        """Call the handler where a regular expression is found; its named groups become slots."""
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as problem:
                raise PluginError(f"skill {self.name}: the pattern {pattern!r} is broken: {problem}") from problem
        return lambda handler: self._add(handler, patterns=patterns)

    def otherwise(self) -> Callable[[H], H]:
        """Call the handler for what nobody else wants (the first such one); `return turn.decline()` if it can't."""
        return lambda handler: self._add(handler, otherwise=True)

    def every(self, when: str = "", *, minutes: float = 0, hours: float = 0, timezone: str = "") -> Callable[[H], H]:
        """Run a function at its times: `every("monday 09:00", timezone="Europe/Vienna")`, `every(hours=6)`.

        It gets no turn but what its parameters ask for by type, `Outreach` among it. It runs in one process at a time;
        a time that was missed is made up for once. Cut off or failed, it runs again with the same `bot.step_key`.
        """

        def add(job: H) -> H:
            name = job.__name__
            if not _is_async(job):
                raise PluginError(f"{inspect.getsourcefile(job)}: {self.name}.{name} must be `async def`")
            if name in self.jobs:
                raise PluginError(f"skill {self.name} has two jobs called {name}; rename one")
            try:
                rhythm = Every.of(when, minutes=minutes, hours=hours, timezone=timezone)
            except ValueError as problem:
                raise PluginError(f"{inspect.getsourcefile(job)}: {self.name}.{name}: {problem}") from problem
            self.jobs[name] = Job(name=name, every=rhythm, run=job)
            return job

        return add

    def tool(
        self, description: str = "", *, confirm: str = "", effect: bool = False, published: bool = False
    ) -> Callable[[H], H]:
        """Offer a function to the models that this skill asks (`turn.llm.act`).

        Its arguments are checked by their types; a parameter that asks for a port gets it. `description` is what the
        model reads, else the docstring. `confirm` is a question to the person, with {arguments} in it, before it is
        called: give one to whatever changes something in the world. `effect` says so where no question is needed.
        A `published` tool can also be called by other programs (docs/tools.md): only one that changes nothing.
        """

        def add(function: H) -> H:
            name, told = function.__name__, description or inspect.getdoc(function) or ""
            if not _is_async(function):
                raise PluginError(f"{inspect.getsourcefile(function)}: {self.name}.{name} must be `async def`")
            if not told:
                raise PluginError(
                    f"{inspect.getsourcefile(function)}: {self.name}.{name} needs a docstring to be a tool"
                )
            if name in self.tools:
                raise PluginError(f"skill {self.name} has two tools called {name}; rename one")
            tool = SkillTool(name, told, function, confirm, effect or bool(confirm), published)
            self._refuse_to_publish(tool)
            self.tools[name] = tool
            return function

        return add

    def _refuse_to_publish(self, tool: SkillTool) -> None:
        """Other programs have no person who could be asked, and a call of theirs may come twice."""
        where = describe(tool.function).replace("handler", "tool", 1)
        if tool.published and tool.effect:
            which = "confirm=" if tool.confirm else "effect=True"
            raise PluginError(
                f"{where} has published=True and {which}, but nobody is there to be asked when another program calls "
                "it. Leave out published=True, or make a second tool that only reads and publish that one."
            )
        if tool.published and len(f"{self.name}.{tool.name}") > LONGEST_TOOL_NAME:
            raise PluginError(f"{where} is published under a name of over {LONGEST_TOOL_NAME} characters; shorten it")

    def _add(
        self,
        handler: H,
        *,
        examples: tuple[str, ...] = (),
        commands: tuple[str, ...] = (),
        patterns: tuple[str, ...] = (),
        reactions: tuple[str, ...] = (),
        otherwise: bool = False,
        about: Mapping[str, str] | None = None,
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
            reactions=old.reactions + reactions,
            otherwise=old.otherwise or otherwise,
            about=old.about | {command: self._said(handler, title, about or {}) for command in commands},
        )
        return handler

    def _said(self, handler: Handler, title: str, about: Mapping[str, str]) -> dict[str, str]:
        """What a command does, with words for all other languages in any case."""
        told = (handler.__doc__ or "").strip().partition("\n")[0]
        return {**about, "": about.get("") or title or told or self.description or handler.__name__.replace("_", " ")}


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
