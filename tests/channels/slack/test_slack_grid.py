"""Enterprise Grid: one installation for a whole organisation, whose workspaces share people and channels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import Command, Form, FormField, Pressed, Rejected, Reply, Submitted, Text
from bot.messages import Message
from bot.replies import Button, Choice
from bot.testing.channel_kit import soon
from channels.slack.incoming import Greeted, Heard, HomeOpened, Known, Uninstalled
from channels.slack.parse import read
from tests.channels.slack.bench import CHANNEL, Bench, opened
from tests.channels.slack.test_slack_oauth import install
from tests.channels.slack.test_slack_rotation import settings
from tests.platforms.slack import BOT, DM, PERSON, Installed, SlackServer
from tests.platforms.slack_rules import PAYLOADS, Json

# Slack's own library, in its own call.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

ORG = "E1"


@asynccontextmanager
async def org(folder: Path) -> AsyncIterator[Bench]:
    """A bot that was installed for a whole organisation."""
    platform = SlackServer()
    await platform.start()
    platform.installed.clear()
    platform.codes = {"code-org": Installed("", "xoxb-org-canary", BOT, ORG)}
    try:
        async with opened(folder, settings(platform), platform=platform) as bench:
            await install(bench, "code-org")
            yield bench
    finally:
        await platform.stop()


def event(bench: Bench, inner: Json, team: str) -> Json:
    """An event as it comes for an installation of an organisation, out of one of its workspaces."""
    granted = {"enterprise_id": ORG, "team_id": None, "user_id": BOT, "is_bot": True, "is_enterprise_install": True}
    return {**bench.platform.event(inner, team=team), "enterprise_id": ORG, "authorizations": [granted]}


def inside(payload: Json, team: str) -> Json:
    """An interaction in one of the organisation's workspaces."""
    about = {"team": {"id": team}, "enterprise": {"id": ORG, "name": "Acme Org"}, "is_enterprise_install": True}
    return {**payload, **about}


def newest(bench: Bench) -> Message:
    return bench.core.received[-1]


async def test_one_installation_hears_and_answers_in_all_workspaces(tmp_path: Path) -> None:
    async with org(tmp_path) as bench:
        assert [key for key in bench.core.notes if ".team." in key] == [f"slack.main.team.{ORG}"]
        assert "canary" not in repr(bench.core.notes)
        for team in ("T1", "T2"):
            assert await bench.platform.deliver(event(bench, bench.platform.written(f"from {team}"), team))
            assert newest(bench).content == Text(text=f"from {team}")
            assert newest(bench).address.chat == f"{ORG}/{DM}"
            assert newest(bench).sender.id == f"{ORG}/{PERSON}"
        await bench.says("hello", newest(bench).address)
        assert bench.platform.text(DM).strip() == "hello"


async def test_what_people_press_and_fill_in_belongs_to_the_same_conversation(tmp_path: Path) -> None:
    async with org(tmp_path) as bench:
        assert await bench.platform.deliver(event(bench, bench.platform.written("hi"), "T1"))
        place = newest(bench).address
        button = Button(token="tok", label="Yes", value="yes")
        await bench.says(Reply(text="Sure?", choices=(Choice(label="Yes"),), buttons=(button,)), place)
        assert await bench.platform.interact(inside(bench.platform.press("Yes"), "T2"))
        assert (newest(bench).content, newest(bench).address) == (Pressed(token="tok", label="Yes"), place)
        form = Form(title="Refund", token="f1", fields=(FormField(name="why", label="Why?"),), open="Tell me")
        await bench.says(Reply(text="Please", form=form), place)
        assert await bench.platform.interact(inside(bench.platform.press("Tell me"), "T1"))
        assert await soon(lambda: bool(bench.platform.views))
        sent = inside(bench.platform.filled(bench.platform.views[0], {"why": "late"}), "T2")
        sent["view"]["app_installed_team_id"] = "T2"
        assert await bench.platform.interact(sent)
        assert isinstance(newest(bench).content, Submitted)
        assert newest(bench).address == place
        fields = {"command": "/track", "text": "42", "team_id": "T2", "enterprise_id": ORG}
        assert await bench.platform.command({**fields, "is_enterprise_install": "true"})
        assert (newest(bench).content, newest(bench).address) == (Command(name="track", text="42"), place)


async def test_a_stream_in_a_channel_wants_a_workspace_and_an_organisation_is_none(tmp_path: Path) -> None:
    async with org(tmp_path) as bench:
        inner = bench.platform.written("x", chat=CHANNEL) | {"text": f"<@{BOT}> hi", "blocks": []}
        assert await bench.platform.deliver(event(bench, {**inner, "type": "app_mention"}, "T1"))
        await bench.channel.draft(newest(bench).address, "d1", "Once")
        assert await soon(lambda: bool(bench.platform.shown(CHANNEL)))
        assert not bench.called("chat.startStream")


async def test_the_organisation_takes_its_token_back(tmp_path: Path) -> None:
    async with org(tmp_path) as bench:
        assert await bench.platform.deliver(event(bench, bench.platform.written("hi"), "T1"))
        gone = event(bench, {"type": "app_uninstalled"}, "T1")
        for key in ("authorizations", "team_id"):  # as Slack has been seen to tell it
            del gone[key]
        gone["event_time"] += 5
        assert await bench.platform.deliver(gone)
        with pytest.raises(Rejected, match="not installed"):
            await bench.says("hello", newest(bench).address)


async def test_one_id_in_two_workspaces_is_two_people(tmp_path: Path) -> None:
    platform = SlackServer()
    await platform.start()
    platform.installed.clear()
    tokens = {"T1": "xoxb-one", "T2": "xoxb-two"}
    platform.codes = {team: Installed(team, token, BOT) for team, token in tokens.items()}
    try:
        async with opened(tmp_path, settings(platform), platform=platform) as bench:
            for team in tokens:
                await install(bench, team)
            names = {}
            for team, name in (("T1", "Ana"), ("T2", "Zoe")):
                platform.users[PERSON]["profile"]["display_name"] = name
                for _ in range(2):
                    told = platform.event(platform.written("hi"), team=team)
                    assert await platform.deliver(told)
                    await asyncio.sleep(0.05)
                names[team] = newest(bench).sender.name
            assert names == {"T1": "Ana", "T2": "Zoe"}
            assert len(bench.called("users.info")) == 2
    finally:
        await platform.stop()


needs_data = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="needs ../shared/data/slack/bolt-python-test-payloads")


@needs_data
def test_recorded_payloads_of_organisations_are_theirs() -> None:
    found = {}
    for file in sorted(PAYLOADS.glob("*.json")):
        text = file.read_text(encoding="utf-8")
        if '"is_enterprise_install": true' in text:
            heard = read(json.loads(text), Known("main", 1.0, many=True, own=lambda team: "W111"))
            if isinstance(heard, Heard | Greeted | HomeOpened | Uninstalled):
                found[file.name] = heard.team[:1]
    assert set(found.values()) == {"E"}, found
    assert len(found) >= 2
