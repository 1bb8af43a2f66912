"""Handlers get what they ask for by type, and a missing port is told with its place."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

from bot.errors import PluginError, PortMissing
from bot.services import Services

if TYPE_CHECKING:
    from decimal import Decimal


class Weather(ABC):
    """A port of this test's own."""

    @abstractmethod
    async def today(self) -> str: ...


class Clocks(ABC):
    """Another port."""

    @abstractmethod
    def now(self) -> float: ...


class Sunny(Weather):
    """An adapter."""

    async def today(self) -> str:
        return "sunny"


class Turn:
    """Stands for the turn."""


async def asks(turn: Turn, weather: Weather) -> None: ...


async def asks_nicely(turn: Turn, weather: Weather | None, clocks: Clocks | None, number: str = "") -> None: ...


async def asks_for_text(turn: Turn, number: str) -> None: ...


async def asks_untyped(turn: Turn, weather) -> None: ...  # type: ignore[no-untyped-def]


async def asks_hidden(turn: Turn, price: Decimal) -> None: ...


async def asks_all(turn: Turn, *things: object) -> None: ...


async def takes_nothing() -> None: ...


def line(fn: object) -> str:
    return f"tests/bot/test_services.py:{inspect.getsourcelines(fn)[1]}"  # type: ignore[arg-type]


def test_a_handler_gets_the_adapter_behind_the_port() -> None:
    services, sunny = Services(), Sunny()
    services.add(Weather, sunny)
    assert services.resolve(asks) == {"weather": sunny}
    assert services.get(Weather) is sunny


def test_a_missing_port_names_handler_file_line_and_fix() -> None:
    with pytest.raises(PortMissing) as caught:
        Services().resolve(asks)
    assert str(caught.value) == (
        f"handler `asks` in {line(asks)} asks for Weather, but no adapter provides it. "
        "Add one in adapters/, or remove the parameter `weather`."
    )


def test_optional_ports_and_defaults_may_stay_empty() -> None:
    services, sunny = Services(), Sunny()
    services.add(Weather, sunny)
    assert services.resolve(asks_nicely) == {"weather": sunny, "clocks": None}


def test_values_of_other_types_can_be_added() -> None:
    assert Services().resolve(asks_for_text, {str: "known"}) == {"number": "known"}


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (asks_for_text, "which is no port"),
        (asks_untyped, "without a type"),
        (asks_hidden, "not under TYPE_CHECKING"),
        (asks_all, "`*things"),
        (takes_nothing, "its first parameter must be the turn"),
    ],
)
def test_what_cannot_be_filled_is_told_with_its_place(handler: object, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        Services().resolve(handler, {})  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert line(handler) in str(caught.value)


def test_only_whole_instances_of_real_ports_are_taken() -> None:
    services = Services()
    with pytest.raises(PluginError, match="register an instance"):
        services.add(Weather, Sunny)  # type: ignore[arg-type]
    with pytest.raises(PluginError, match="does not inherit it"):
        services.add(Weather, object())  # type: ignore[type-var]
    with pytest.raises(PluginError, match="is no port"):
        services.add(Sunny, Sunny())


def test_a_port_has_one_adapter_and_gives_it_back() -> None:
    services = Services()
    undo = services.add(Weather, Sunny(), source="first")
    with pytest.raises(PluginError, match="first provides Weather already"):
        services.add(Weather, Sunny(), source="second")
    undo()
    with pytest.raises(PortMissing):
        services.get(Weather)
    second = Sunny()
    services.add(Weather, second, source="second")
    undo()
    assert services.get(Weather) is second, "an old undo must not take away somebody else's adapter"
