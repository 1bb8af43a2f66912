"""The strict local Slack is strict: it refuses what Slack's reference forbids, so the other tests mean something."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bot import KnownCommand, RateLimited, Rejected, Reply, UnknownOutcome
from channels.slack.manifest import Wanted, manifest
from channels.slack.settings import SlackAccount
from tests.channels.slack.bench import delivery, opened
from tests.platforms.slack import SECRET, TOKEN
from tests.platforms.slack_rules import (
    SCHEMAS,
    Json,
    wrong_answer,
    wrong_arguments,
    wrong_blocks,
    wrong_manifest,
    wrong_message,
    wrong_stream,
    wrong_view,
)

needs_schemas = pytest.mark.skipif(
    not SCHEMAS.is_dir() or find_spec("jsonschema") is None, reason="needs ../shared/data/slack/json-schema-slack-types"
)


def text(words: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": words}


def rich(words: str) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
    return {"type": "rich_text", "elements": [section]}


def button(number: int = 0, label: str = "Yes", value: str = "v") -> dict[str, Any]:
    return {"type": "button", "action_id": f"a{number}", "text": text(label), "value": value}


def select(*options: dict[str, Any]) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "s", "options": list(options)}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def option(label: str = "Red", value: str = "r") -> dict[str, Any]:
    return {"text": text(label), "value": value}


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "divider"}] * 51,
        [rich("x" * 3001)],
        [rich("🙂" * 1501)],
        [rich("")],
        [{"type": "header", "text": text("x" * 151)}],
        [{"type": "header", "text": text("")}],
        [actions(*(button(n) for n in range(26)))],
        [actions(button(), button())],
        [actions(button(label="x" * 76))],
        [actions(button(label=" "))],
        [actions(button(value="x" * 2001))],
        [actions()],
        [actions(select(*(option(value=str(n)) for n in range(101))))],
        [actions(select(option(label="x" * 76)))],
        [actions(select(option(value="x" * 151)))],
        [{"type": "image", "image_url": "data:x", "alt_text": "x"}],
        [{"type": "image", "image_url": "https://x.example/" + "x" * 3000, "alt_text": "x"}],
        [{**rich("a"), "block_id": "same"}, {**rich("b"), "block_id": "same"}],
        [{**rich("a"), "block_id": "x" * 256}],
    ],
)
def test_blocks_beyond_the_limits_are_refused(blocks: list[dict[str, Any]]) -> None:
    assert wrong_blocks(blocks).startswith("invalid_blocks")


def test_what_is_at_the_limits_is_taken() -> None:
    most = [*(rich("x" * 60) for _ in range(48)), actions(*(button(n) for n in range(25))), {"type": "divider"}]
    assert wrong_message({"text": "x" * 40_000, "blocks": most}) == ""


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"text": "", "blocks": []}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "<!channel>"}, "test_fallback_has_markup"),
        ({"text": "x", "link_names": True}, "test_unfolds"),
    ],
)
def test_messages_that_are_wrong_as_a_whole(body: dict[str, Any], word: str) -> None:
    assert wrong_message(body) == word


@needs_schemas
@pytest.mark.parametrize(
    "block",
    [
        {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "extra": 1},
        actions({**button(), "text": {"type": "mrkdwn", "text": "x"}}),
        {"type": "rich_text", "elements": [{"type": "text", "text": "x"}]},
    ],
)
def test_slacks_own_schema_is_asked(block: dict[str, Any]) -> None:
    assert "schema" in wrong_blocks([block])
    assert "schema" in wrong_view({"type": "home", "blocks": [block]})


async def test_no_token_secret_or_word_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(tmp_path) as bench:
        await bench.hears(bench.platform.written("canary of a person"))
        assert (await bench.platform.post(b'{"canary":', headers={}))[0] == 200
        for fault, error in (("429", RateLimited), ("500", UnknownOutcome), ("close", UnknownOutcome)):
            bench.platform.fail(fault, method="chat.postMessage")  # type: ignore[arg-type]
            with pytest.raises(error):
                await bench.channel.send(delivery(Reply(text="canary of the bot")))
        await bench.channel.draft(bench.core.received[0].address, "d1", "canary of a draft")
        bench.platform.installed.clear()
        with pytest.raises(Rejected):
            await bench.channel.send(delivery(Reply(text="canary of the bot", draft="d1")))
    told = caplog.text + "".join(capsys.readouterr())
    assert "slack_unreadable" in told, "nothing was logged, so nothing was shown"
    for secret in ("canary", TOKEN, SECRET, "ana@acme.example"):
        assert secret not in told


@pytest.mark.parametrize(
    ("method", "body", "problem"),
    [
        ("chat.postMessage", {"channel": "C1", "text": "x", "metadata": {}}, ""),
        ("chat.update", {"channel": "C1", "ts": "1.1", "mrkdwn": False}, "no ['mrkdwn']"),
        ("chat.appendStream", {"channel": "C1"}, "lacks ['ts']"),
        ("views.open", {"trigger_id": "t", "view": {}, "team": "T1"}, "no ['team']"),
        ("not.a.method", {"x": 1}, ""),
    ],
)
def test_arguments_are_those_of_slacks_own_client(method: str, body: Json, problem: str) -> None:
    found = wrong_arguments(method, body)
    assert problem in found if problem else found == ""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"channel": "D1", "markdown_text": "x"}, ""),
        ({"channel": "D1", "markdown_text": "x", "recipient_user_id": "U1"}, "invalid_arguments"),
        ({"channel": "C1", "markdown_text": "x"}, "missing_recipient_user_id"),
        ({"channel": "C1", "markdown_text": "x", "recipient_user_id": "U1"}, "missing_recipient_team_id"),
        (
            {"channel": "C1", "markdown_text": "x", "recipient_user_id": "U1", "recipient_team_id": "E1"},
            "missing_recipient_team_id",
        ),
        ({"channel": "C1", "markdown_text": "x", "recipient_user_id": "U1", "recipient_team_id": "T1"}, ""),
        ({"channel": "D1", "markdown_text": ""}, "no_text"),
        ({"channel": "D1", "markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"channel": "D1", "markdown_text": "<!channel>"}, "test_markup"),
    ],
)
def test_a_stream_that_slack_would_not_begin(body: Json, problem: str) -> None:
    assert wrong_stream(body) == problem


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (None, False),
        ({"response_action": "clear"}, False),
        ({"response_action": "errors", "errors": {"a": "x"}}, False),
        ({"response_action": "errors", "errors": {"b": "x"}}, True),
        ({"response_action": "errors", "errors": {"a": ""}}, True),
        ({"response_action": "errors", "errors": {}}, True),
        ({"response_action": "errors"}, True),
        ({"response_action": "clear", "errors": {"a": "x"}}, True),
        ({"response_action": "close"}, True),
    ],
)
def test_an_answer_to_a_modal_that_slack_would_not_understand(answer: Json | None, wrong: bool) -> None:
    view = {"blocks": [{"type": "input", "block_id": "a"}, {"type": "section", "block_id": "b"}]}
    assert bool(wrong_answer(view, answer)) == wrong


def test_a_manifest_that_slack_would_not_take() -> None:
    good = manifest([KnownCommand(name="track", about={"": "Track"})], SlackAccount(), Wanted("Shop", sockets=True))
    assert wrong_manifest(good) == ""
    less: Json = {"oauth_config": {"scopes": {"bot": ["chat:write"]}}}
    assert "no scope for" in wrong_manifest({**good, **less})
    unnamed: Json = {"display_information": {"name": "", "description": "x"}}
    assert wrong_manifest({**good, **unnamed})
    http: Json = {"settings": {**good["settings"], "socket_mode_enabled": False}}  # type: ignore[dict-item]
    assert "address" in wrong_manifest({**good, **http})
