"""What adapters provide, by port, and how a handler gets what it asks for. Knows no adapter and no skill."""

from __future__ import annotations

import inspect
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import PluginError, PortMissing

T = TypeVar("T")

Binding = Mapping[str, object]


class Lifecycle(ABC):
    """Ability of an adapter: it opens something at start and closes it at the end."""

    @abstractmethod
    async def start(self) -> None:
        """Open; called before the first message."""

    @abstractmethod
    async def stop(self) -> None:
        """Close; called after the last."""


class Services:
    """Ports and the adapters behind them."""

    def __init__(self) -> None:
        self._adapters: dict[type, tuple[object, str]] = {}
        self._house: dict[type, object] = {}

    def add(self, port: type[T], adapter: T, *, source: str = "") -> Callable[[], None]:
        """Put an adapter behind a port; `source` names the plugin for messages. Returns what takes it away again."""
        who = source or type(adapter).__module__
        if not inspect.isclass(port) or not inspect.isabstract(port):
            raise PluginError(f"{who}: {port!r} is no port; a port is a class with abstract methods, as in bot.ports")
        if not isinstance(adapter, port):
            name = adapter.__name__ if isinstance(adapter, type) else type(adapter).__name__
            what = "is a class; register an instance of it" if isinstance(adapter, type) else "does not inherit it"
            raise PluginError(f"{who}: {name} can't be {_name(port)}: it {what}")
        missing = sorted(getattr(type(adapter), "__abstractmethods__", ()))
        if missing:
            raise PluginError(f"{who}: {type(adapter).__name__} lacks {', '.join(missing)} of {_name(port)}")
        if port in self._adapters:
            raise PluginError(
                f"{who}: {self._adapters[port][1]} provides {_name(port)} already; turn one off with plugins.disabled"
            )
        entry = (adapter, who)
        self._adapters[port] = entry

        def undo() -> None:
            if self._adapters.get(port) is entry:
                del self._adapters[port]

        return undo

    def stand_in(self, port: type[T], adapter: T) -> None:
        """Have the house's own adapter behind a port, for as long as no plugin brings another."""
        self._house[port] = adapter

    def get(self, port: type[T]) -> T:
        """The adapter behind a port. Raises PortMissing when there is none."""
        found = self._found(port)
        if found is None:
            raise PortMissing(f"no adapter provides {_name(port)}; add one in adapters/")
        return typing.cast(T, found)

    def _found(self, port: type) -> object | None:
        return self._adapters[port][0] if port in self._adapters else self._house.get(port)

    def living(self) -> list[Lifecycle]:
        """The adapters that want to be started and stopped, each once."""
        there = [adapter for adapter, _ in self._adapters.values()]
        there += [adapter for port, adapter in self._house.items() if port not in self._adapters]
        found = {id(adapter): adapter for adapter in there if isinstance(adapter, Lifecycle)}
        return list(found.values())

    def ports(self) -> dict[str, str]:
        """Which plugin provides which port, by name."""
        return {_name(port): source for port, (_, source) in self._adapters.items()}

    def resolve(
        self, fn: Callable[..., Any], known: Mapping[type, object] | None = None, *, turn: bool = True
    ) -> Binding:
        """What the parameters behind the first one stand for, found by their types; call `fn(turn, **binding)`.

        A job has no `turn`: all its parameters are found by their types.
        `known` adds values of other types (a skill's own settings). A parameter with a default may stay unfilled, and
        one of type `Port | None` gets None where no adapter is. Raises PortMissing or PluginError with file and line.
        """
        where = describe(fn)
        parameters = list(inspect.signature(fn).parameters.values())
        if turn and not parameters:
            raise PluginError(f"{where} takes nothing; its first parameter must be the turn: `turn: Turn`")
        hints = _hints(fn, where)
        binding: dict[str, object] = {}
        for parameter in parameters[1:] if turn else parameters:
            found, value = self._fill(parameter, hints.get(parameter.name), known or {}, where)
            if found:
                binding[parameter.name] = value
        return binding

    def _fill(
        self, parameter: inspect.Parameter, hint: object, known: Mapping[type, object], where: str
    ) -> tuple[bool, object]:
        name = parameter.name
        has_default = parameter.default is not inspect.Parameter.empty
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise PluginError(f"{where} has `{parameter}`; name each parameter and give it a type")
        wanted, optional = _optional(hint)
        if inspect.isclass(wanted):
            if wanted in known:
                return True, known[wanted]
            if (found := self._found(wanted)) is not None:
                return True, found
        if has_default:
            return False, None
        if optional:
            return True, None
        if hint is None:
            raise PluginError(f"{where} asks for `{name}` without a type; write `{name}: Orders` or the like")
        if inspect.isclass(wanted) and inspect.isabstract(wanted):
            raise PortMissing(
                f"{where} asks for {_name(wanted)}, but no adapter provides it. "
                f"Add one in adapters/, or remove the parameter `{name}`."
            )
        raise PluginError(
            f"{where} asks for `{name}: {_name(wanted)}`, which is no port. "
            "Only ports can be asked for; give the parameter a default or remove it."
        )


def describe(fn: Callable[..., Any]) -> str:
    """A handler in words: its name, file and line."""
    plain = inspect.unwrap(fn)
    code = getattr(plain, "__code__", None)
    name = getattr(plain, "__name__", type(plain).__name__)
    if code is None:
        return f"handler `{name}`"
    return f"handler `{name}` in {short(code.co_filename)}:{code.co_firstlineno}"


def short(filename: str) -> str:
    """A path as people know it: from the working folder, where it lies below it."""
    path = Path(filename)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _hints(fn: Callable[..., Any], where: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(fn)
    except NameError as error:
        name = getattr(error, "name", "") or "a name"
        raise PluginError(
            f"{where} has the type {name}, which is not there when the skill is loaded. "
            f"Import {name} at the top of the file, not under TYPE_CHECKING."
        ) from error
    except Exception as error:
        raise PluginError(f"{where} has a type that can't be read: {error}") from error


def _optional(hint: object) -> tuple[object, bool]:
    """`X | None` as (X, True)."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if len(options) == 1 and len(options) < len(typing.get_args(hint)):
            return options[0], True
    return hint, False


def _name(port: object) -> str:
    return getattr(port, "__name__", None) or str(port)
