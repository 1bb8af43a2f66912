"""When Slack is on, and what is said when its settings or its libraries are not right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

import channels.slack as plugin
from bot import Channel, PluginContext, PluginError, SettingsError, StartError
from bot.clock import SystemClock, SystemEntropy
from bot.settings import Settings
from channels.slack.settings import SlackSettings
from channels.slack.workspaces import Vault, key_in, key_of

ONE = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s1"}
TWO_FILES = """
slack:
  accounts:
    acme: {bot_token: xoxb-1, signing_secret: s1}
    beta: {bot_token: xoxb-2, app_token: xapp-2}
"""


def registered(folder: Path, environ: dict[str, str], text: str = "") -> list[Channel]:
    file = folder / "frontdesk.yaml"
    file.write_text(text, encoding="utf-8")
    given = Settings.load(file, environ)
    context = PluginContext(given, folder, SystemClock(), SystemEntropy(), None, "http://bot.example")  # type: ignore[arg-type]
    found: list[Channel] = []
    plugin.register_channels(register=found.append, context=context)
    given.check()
    return found


def test_without_credentials_there_is_no_channel(tmp_path: Path) -> None:
    assert registered(tmp_path, {}) == []


def test_the_well_known_variables_are_enough(tmp_path: Path) -> None:
    (channel,) = registered(tmp_path, ONE)
    assert (channel.name, channel.account) == ("slack", "main")
    assert [route.path for route in channel.routes()] == [
        f"/channels/slack/{name}" for name in ("events", "interactions", "commands")
    ]


def test_two_workspaces_have_their_own_routes(tmp_path: Path) -> None:
    acme, beta = registered(tmp_path, {}, TWO_FILES)
    assert (acme.account, beta.account) == ("acme", "beta")
    assert next(route.path for route in acme.routes()) == "/channels/slack/acme/events"
    assert list(beta.routes()) == []  # Socket Mode needs none


def test_an_app_that_is_installed_has_its_pages(tmp_path: Path) -> None:
    app = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "c", "SLACK_SIGNING_SECRET": "s1"}
    (channel,) = registered(tmp_path, app)
    assert {route.path for route in channel.routes()} > {"/channels/slack/install", "/channels/slack/oauth"}


@pytest.mark.parametrize(
    ("environ", "text", "says"),
    [
        ({"SLACK_BOT_TOKEN": "x"}, "", "SLACK_SIGNING_SECRET"),
        ({"SLACK_CLIENT_ID": "x"}, "", "belong together"),
        ({**ONE, "SLACK_CLIENT_ID": "x", "SLACK_CLIENT_SECRET": "c"}, "", "set one of them"),
        ({**ONE, "SLACK_API_URL": "slack"}, "", "web address"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "", "SLACK_BOT_TOKEN. is missing"),
        ({**ONE, "SLACK_BOT_TOKEN": "xapp-1"}, "", "app's token"),
        ({**ONE, "SLACK_APP_TOKEN": "xoxb-1"}, "", "begin with xapp-"),
        ({}, "slack: {accounts: {'Not This': {bot_token: a, signing_secret: b}}}", "a name is"),
        ({}, "slack: {accounts: {acme: {}}}", "accounts.acme: set bot_token"),
        (ONE, "slack: {accounts: {main: {bot_token: a, signing_secret: b}}}", "main already"),
        (ONE, "slack: {sockets: 11}", "at most 10"),
    ],
)
def test_a_mistake_says_what_to_do(tmp_path: Path, environ: dict[str, str], text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        registered(tmp_path, environ, text)
    assert "xoxb" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    given = SlackSettings(bot_token=SecretStr("xoxb-canary"), signing_secret=SecretStr("s-canary"))
    assert "canary" not in repr(given)


def test_a_missing_library_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("channels.slack.sockets")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "slack_sdk.socket_mode.aiohttp", None)
    assert registered(tmp_path, ONE)  # over HTTP it is not asked for
    with pytest.raises(PluginError, match=r"pip install '\.\[slack\]'"):
        registered(tmp_path, ONE | {"SLACK_APP_TOKEN": "xapp-1"})


def test_neither_a_channel_over_http_loads_slacks_own_libraries() -> None:
    code = "import sys, channels.slack.channel; print([name for name in sys.modules if name.startswith('slack_')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bot_without_slack_does_not_load_its_libraries() -> None:
    code = "import sys, channels.slack; print([name for name in sys.modules if name.startswith(('slack_', 'crypto'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the vault


def test_what_is_sealed_is_opened_under_its_own_name_only() -> None:
    vault = Vault(key_of("a long secret of the operator"))
    sealed = vault.seal("team.T1", "xoxb-canary")
    assert "canary" not in sealed
    assert vault.open("team.T1", sealed) == "xoxb-canary"
    assert vault.seal("team.T1", "xoxb-canary") != sealed
    for name, text in (("team.T2", sealed), ("team.T1", sealed[:-4]), ("team.T1", "!"), ("team.T1", "")):
        with pytest.raises(ValueError, match=r"."):
            vault.open(name, text)
    with pytest.raises(ValueError, match="another key"):
        Vault(key_of("another")).open("team.T1", sealed)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    key = key_in(tmp_path / "slack")
    assert key_in(tmp_path / "slack") == key
    file = tmp_path / "slack" / "token.key"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(b"short")
    with pytest.raises(StartError, match="is no key"):
        key_in(tmp_path / "slack")
