"""The console as a plugin: it is on by itself, can be turned off, and its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import SystemClock, SystemEntropy
from bot.desk import Desk
from bot.errors import SettingsError
from bot.plugins.context import PluginContext
from bot.settings import Settings
from bot.store.sqlite import SqliteStore
from handoff.console import ConsoleDesk, ConsoleSettings, register_desks


def registered(folder: Path, **environ: str) -> list[Desk]:
    """What the plugin registers under these variables."""
    context = PluginContext(
        Settings.load(environ={f"FRONTDESK_CONSOLE__{key.upper()}": value for key, value in environ.items()}),
        home=folder,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        database=SqliteStore(folder / "x.db"),
        public_url="https://desk.example.org/",
    )
    found: list[Desk] = []
    register_desks(found.append, context)
    return found


def test_it_is_on_by_itself(tmp_path: Path) -> None:
    (desk,) = registered(tmp_path)
    assert isinstance(desk, ConsoleDesk)
    assert desk.name == "console"
    paths = {route.path for route in desk.routes()}
    assert {"/console", "/console/sign-in", "/console/events", "/console/api/queue"} <= paths


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    assert registered(tmp_path, enabled="false") == []


@pytest.mark.parametrize(("key", "value"), [("link_minutes", "0"), ("max_text", "many"), ("colour", "red")])
def test_a_mistake_in_its_settings_is_told(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=key):
        registered(tmp_path, **{key: value})


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("", ""),
        ("https://Desk.example.org/", "https://desk.example.org"),
        ("http://localhost:8080/a/b", "http://localhost:8080"),
    ],
)
def test_the_origin_is_scheme_and_host(url: str, origin: str) -> None:
    assert ConsoleSettings(public_url=url).origin == origin
