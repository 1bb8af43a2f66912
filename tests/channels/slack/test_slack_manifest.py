"""What an administrator pastes: accepted by Slack, with every command, and every event has its scope."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bot import KnownCommand
from channels.slack.manifest import Wanted, manifest
from channels.slack.settings import SlackAccount
from tests.platforms.slack_rules import DATA, wrong_manifest

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = DATA / "manifest-schema" / "manifest.schema.1.0.0.json"
COMMANDS = [
    KnownCommand(name="track", about={"": "Where is my order?", "de": "Wo ist sie?"}),
    *(KnownCommand(name=f"{'x' * 20}{number}", about={"": f"{number} " + "long " * 900}) for number in range(60)),
    KnownCommand(name="y" * 40, about={"": "Too long a name for Slack"}),
    KnownCommand(name="bare", about={}),
]
HTTP = Wanted("Frontdesk", url="https://bot.example")
WAYS = [
    HTTP,
    Wanted("Frontdesk", sockets=True),
    Wanted("N" * 99, at="/channels/slack/shop", url="https://bot.example", installs=True),
    Wanted("Frontdesk", url="https://bot.example", sockets=True, installs=True),
]


@pytest.mark.parametrize("commands", [COMMANDS, COMMANDS[:1], COMMANDS[-1:], []])
@pytest.mark.parametrize("wanted", WAYS)
@pytest.mark.parametrize("assistant", [True, False])
def test_slack_takes_it(commands: list[KnownCommand], wanted: Wanted, assistant: bool) -> None:
    made = manifest(commands, SlackAccount(assistant=assistant), wanted)
    assert wrong_manifest(made) == ""


@pytest.mark.skipif(not SCHEMA.exists() or not find_spec("jsonschema"), reason=f"needs {SCHEMA.name} in ../shared")
@pytest.mark.parametrize("wanted", WAYS)
def test_slacks_own_schema_takes_it(wanted: Wanted) -> None:
    import jsonschema  # noqa: PLC0415 - only where the schema is

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for commands in (COMMANDS, []):
        jsonschema.Draft7Validator(schema).validate(manifest(commands, SlackAccount(), wanted))


def test_it_says_where_and_what() -> None:
    made = json.dumps(manifest(COMMANDS[:1], SlackAccount(), HTTP))
    for part in ("/channels/slack/events", "/channels/slack/interactions", "/channels/slack/commands"):
        assert f'"https://bot.example{part}"' in made
    assert '"/track"' in made
    assert '"Where is my order?"' in made
    assert "/channels/slack/oauth" not in made
    shop = json.dumps(manifest(COMMANDS[:1], SlackAccount(), WAYS[2]))
    assert '"https://bot.example/channels/slack/shop/oauth"' in shop
    sockets = json.dumps(manifest(COMMANDS[:1], SlackAccount(), WAYS[1]))
    assert "http" not in sockets


def test_the_command_line_prints_it_before_there_is_any_credential(tmp_path: Path) -> None:
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("SLACK_", "FRONTDESK_", "PUBLIC_"))}
    environ = keep | {"FRONTDESK_HOME": str(tmp_path)}
    command = [sys.executable, "run.py", "slack-manifest", "--name", "Shop"]
    done = subprocess.run(command, cwd=ROOT, env=environ, text=True, capture_output=True, timeout=60, check=True)
    made = json.loads(done.stdout)
    assert wrong_manifest(made) == ""
    assert made["display_information"]["name"] == "Shop"
    assert made["settings"]["socket_mode_enabled"]
    assert "/track" in [one["command"] for one in made["features"]["slash_commands"]]
    refused = subprocess.run(
        [*command, "--install"], cwd=ROOT, env=environ, text=True, capture_output=True, timeout=60, check=False
    )
    assert refused.returncode != 0
    assert "set PUBLIC_URL" in refused.stderr
