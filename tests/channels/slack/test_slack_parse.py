"""Payloads of Slack to what they mean: small ones by hand, and the recorded ones of Slack's own libraries."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Address, Command, Deleted, Edited, Form, FormField, Joined, Pressed, Reacted, Submitted, Text
from channels.slack.incoming import (
    Challenge,
    FormWanted,
    Garbled,
    Greeted,
    Heard,
    HomeOpened,
    Incoming,
    Known,
    Limited,
    Nothing,
    Uninstalled,
)
from channels.slack.parse import read
from channels.slack.views import Place, modal
from channels.slack.webhook import decode
from channels.slack.words import emoji_of, words
from tests.platforms.slack_rules import PAYLOADS

needs_data = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="needs ../shared/data/slack/bolt-python-test-payloads")

KNOWN = Known("main", 1_700_000_000.0, own=lambda team: "UBOT", name=lambda team, user: {"UBEA": "Bea"}.get(user, ""))
MANY = Known("main", 1_700_000_000.0, many=True)


def message(**given: Any) -> dict[str, Any]:
    inner = {"type": "message", "channel": "C1", "user": "UANA", "text": "hi", "ts": "1700000000.000100"} | given
    return event({key: value for key, value in inner.items() if value is not None})


def event(inner: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": inner} | given


def heard(payload: object, known: Known = KNOWN) -> Heard:
    found = read(payload, known)
    assert isinstance(found, Heard), found
    return found


def said(payload: object, known: Known = KNOWN) -> str:
    return heard(payload, known).message.text


# --- messages


def test_a_message_in_a_chat_of_two_is_for_us() -> None:
    found = heard(message(channel="D1", channel_type="im", client_msg_id="abc"))
    assert found.joined == ()
    assert found.client_id == "abc"
    said = found.message
    assert said.address == Address(channel="slack", account="main", chat="D1")
    assert (said.event_id, said.sender.id, said.platform_id) == ("m.D1.1700000000.000100", "UANA", "1700000000.000100")
    assert said.at == pytest.approx(1700000000.0001)


def test_a_mention_in_a_channel_begins_a_thread_and_is_one_event_with_its_message() -> None:
    mention = heard(message(type="app_mention", text="<@UBOT> where is my order?"))
    spoken = heard(message(text="<@UBOT> where is my order?"))
    assert mention.message == spoken.message
    assert mention.message.text == "where is my order?"
    assert mention.message.address.thread == "1700000000.000100"
    assert mention.joined == spoken.joined == ()


def test_other_talk_is_for_us_only_in_a_thread_that_we_joined() -> None:
    found = heard(message(thread_ts="1699999999.000001"))
    assert found.joined == (found.message.address,)
    assert found.message.address.thread == "1699999999.000001"
    assert heard(message(thread_ts="1699999999.000001", parent_user_id="UBOT")).joined == ()
    assert heard(message()).joined != ()


def test_a_group_of_several_is_like_a_channel() -> None:
    assert heard(message(channel="G1", channel_type="mpim")).joined != ()


@pytest.mark.parametrize(
    "given",
    [
        {"bot_id": "B1"},
        {"subtype": "bot_message", "bot_id": "B1", "user": None},
        {"user": "UBOT"},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"text": "", "channel": "D1"},
    ],
)
def test_bots_notices_and_silence_are_nothing(given: dict[str, Any]) -> None:
    assert read(message(**given), KNOWN) == Nothing()


def test_a_bare_mention_is_something() -> None:
    assert said(message(type="app_mention", text="<@UBOT>")) == ""


def test_files_come_with_an_address_of_ours() -> None:
    file = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 7, "url_private": "https://x/secret"}
    known = Known("main", 1.0, file_url=lambda ref, name: f"https://bot.example/{ref}/{name}")
    found = heard(message(channel="D1", subtype="file_share", text="", files=[file, "broken", {}]), known)
    (media,) = found.message.media
    assert (media.url, media.name, media.type, media.size) == (
        "https://bot.example/F1/a.png",
        "a.png",
        "image/png",
        7,
    )
    assert "secret" not in repr(found)


def test_an_edit_a_deletion_and_what_is_neither() -> None:
    now = {"user": "UANA", "text": "new", "ts": "1.000002", "edited": {"ts": "5.0"}}
    edit = {"type": "message", "subtype": "message_changed", "channel": "D1", "message": now, "event_ts": "5.0"}
    found = heard(event(edit))
    assert found.message.content == Edited(target="1.000002", text="new")
    assert found.message.event_id == "e.1.000002.5.0.D1"
    assert read(event({**edit, "previous_message": {**now}}), KNOWN) == Nothing()
    assert read(event({**edit, "message": {**now, "edited": None}}), KNOWN) == Nothing()
    assert read(event({**edit, "message": {**now, "bot_id": "B1"}}), KNOWN) == Nothing()
    gone = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1.000002"}
    taken = heard(event({**gone, "previous_message": {"user": "UANA", "ts": "1.000002", "thread_ts": "1.0"}}))
    assert taken.message.content == Deleted(target="1.000002")
    assert taken.message.address.thread == "1.0"
    assert taken.joined == (taken.message.address,)
    tombstone = {**now, "subtype": "tombstone"}
    assert isinstance(heard(event({**edit, "message": tombstone})).message.content, Deleted)


def test_reactions() -> None:
    inner = {"type": "reaction_added", "user": "UANA", "reaction": "tada", "event_ts": "9.1"}
    inner["item"] = {"type": "message", "channel": "C1", "ts": "1.000002"}
    found = heard(event(inner))
    assert found.message.content == Reacted(target="1.000002", emoji="🎉")
    assert found.joined == (found.message.address,)
    assert heard(event({**inner, "type": "reaction_removed"})).message.content == Reacted(
        target="1.000002", emoji="🎉", added=False
    )
    assert read(event({**inner, "user": "UBOT"}), KNOWN) == Nothing()
    assert read(event({**inner, "item": {"type": "file"}}), KNOWN) == Nothing()


def test_joins() -> None:
    joined = {"type": "member_joined_channel", "user": "UBOT", "channel": "C1", "inviter": "UANA"}
    found = heard(event(joined))
    assert (found.message.content, found.message.sender.id) == (Joined(), "UANA")
    assert read(event({**joined, "user": "UBEA"}), KNOWN) == Nothing()


def test_an_assistants_thread_is_greeted_once() -> None:
    thread = {"user_id": "UANA", "channel_id": "D1", "thread_ts": "1.000001", "context": {}}
    started = read(event({"type": "assistant_thread_started", "assistant_thread": thread}), KNOWN)
    changed = read(event({"type": "assistant_thread_context_changed", "assistant_thread": thread}), KNOWN)
    assert isinstance(started, Greeted)
    assert isinstance(changed, Greeted)
    assert started.message.event_id == changed.message.event_id
    assert started.message.address == Address(channel="slack", account="main", chat="D1", thread="1.000001")


def test_home_uninstall_revoked_and_limits() -> None:
    assert read(event({"type": "app_home_opened", "user": "UANA", "tab": "home"}), KNOWN) == HomeOpened("T1", "UANA")
    assert read(event({"type": "app_home_opened", "user": "UANA", "tab": "messages"}), KNOWN) == Nothing()
    gone = event({"type": "app_uninstalled"}, event_time=7)
    assert read(gone, KNOWN) == Uninstalled("T1", 7.0)
    assert read(event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}), KNOWN) == Nothing()
    assert isinstance(read(event({"type": "tokens_revoked", "tokens": {"bot": ["U1"]}}), KNOWN), Uninstalled)
    assert read({"type": "app_rate_limited", "team_id": "T1"}, KNOWN) == Limited("T1")
    assert read({"type": "url_verification", "challenge": "c"}, KNOWN) == Challenge("c")
    assert read(event({"type": "link_shared", "channel": "C1", "links": []}), KNOWN) == Nothing()


def test_two_workspaces_never_meet() -> None:
    one = heard(message(channel="D1"), MANY).message
    granted = [{"team_id": "T2", "user_id": "UBOT", "is_bot": True}]
    other = heard({**message(channel="D1"), "authorizations": granted}, MANY).message
    assert (one.address.chat, other.address.chat) == ("T1/D1", "T2/D1")
    assert (one.sender.id, other.sender.id) == ("T1/UANA", "T2/UANA")
    assert one.event_id != other.event_id
    org = [{"team_id": None, "enterprise_id": "E1", "is_enterprise_install": True, "is_bot": True}]
    assert heard({**message(channel="D1"), "authorizations": org}, MANY).message.address.chat == "E1/D1"


# --- words


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [*elements]}]}]}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://shop.example/x?a=1&amp;b=2>", "https://shop.example/x?a=1&b=2"),
        ("see <https://shop.example|the shop>", "see the shop (https://shop.example)"),
        ("<http://example.com|example.com>", "example.com"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<tel:+43123|+43123>", "+43123"),
        ("<@UBEA> and <@U9|zoe> in <#C1|general>, <!here> <!subteam^S1|@sales>", None),
        ("hey <@UBOT>, what", "hey, what"),
        ("<@UBOT>: track 42", "track 42"),
        ("2 * 3 * 4 and *bold*", "2 * 3 * 4 and *bold*"),
        ("a  b", "a  b"),
        ("1 < 2 > 0", "1 < 2 > 0"),
    ],
)
def test_markup_becomes_words(text: str, plain: str | None) -> None:
    expected = plain or "@Bea and @zoe in #general, @here @sales"
    assert said(message(channel="D1", text=text)) == expected


def test_rich_text_is_read_without_its_marks() -> None:
    inner = rich(
        {"type": "user", "user_id": "UBOT"},
        {"type": "text", "text": " my "},
        {"type": "text", "text": "order", "style": {"bold": True}},
        {"type": "text", "text": " *is* "},
        {"type": "emoji", "name": "smile", "unicode": "1f604"},
        {"type": "emoji", "name": "party-parrot"},
        {"type": "link", "url": "https://x.example"},
        {"type": "user", "user_id": "UBEA"},
        {"type": "broadcast", "range": "here"},
    )
    assert said(message(channel="D1", **inner)) == "my order *is* 😄:party-parrot:https://x.example@Bea@here"


def test_lists_and_code_of_rich_text_are_lines() -> None:
    item = {"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_list", "style": "ordered", "elements": [item, item]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
            ],
        }
    ]
    assert said(message(channel="D1", blocks=blocks)) == "1. a\n2. a\nx = 1"


@given(st.text(max_size=200).filter(lambda text: "\ue0fe" not in text))
def test_what_was_typed_is_what_is_read(text: str) -> None:
    inner = rich({"type": "text", "text": text})
    clean = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).strip()
    assert words(inner, "UBOT", lambda user: "") == clean
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert words({"text": escaped}, "UBOT", lambda user: "") == clean


def test_half_a_character_is_none() -> None:
    for inner in ({"text": "left \ud83d"}, rich({"type": "text", "text": "left \ud83d"})):
        assert said(message(channel="D1", **inner)) == "left \ufffd"
    assert heard(message(channel="D1", user="U\udfff")).message.sender.id == "U\ufffd"


# --- interactions


def pressed(action: dict[str, Any], **given: Any) -> dict[str, Any]:
    container = {"type": "message", "message_ts": "2.000001", "channel_id": "C1"}
    return {
        "type": "block_actions",
        "user": {"id": "UANA", "name": "ana"},
        "team": {"id": "T1"},
        "trigger_id": "t.1",
        "container": container,
        "actions": [{"action_ts": "3.1", **action}],
    } | given


def test_a_button_a_select_and_an_overflow() -> None:
    button = {"type": "button", "action_id": "choice.0", "value": "tok", "text": {"text": "Yes"}}
    found = heard(pressed({**button, "block_id": "fd|1.000001|0"}))
    assert found.message.content == Pressed(token="tok", label="Yes")
    assert found.message.address.thread == "1.000001"
    assert found.message.sender.name == "ana"
    option = {"text": {"text": "Red"}, "value": "tok2"}
    for kind in ("static_select", "overflow"):
        chosen = heard(pressed({"type": kind, "action_id": "choice", "selected_option": option}))
        assert chosen.message.content == Pressed(token="tok2", label="Red")
        assert chosen.message.address.thread == ""


def test_the_thread_of_a_foreign_block_is_where_its_message_stands() -> None:
    button = {"type": "button", "action_id": "a", "value": "v", "block_id": "b"}
    assert heard(pressed(button, message={"thread_ts": "1.5"})).message.address.thread == "1.5"
    assert heard(pressed(button, message={"thread_ts": "2.000001"})).message.address.thread == ""


def test_link_buttons_and_home_buttons_are_nothing() -> None:
    assert read(pressed({"type": "button", "action_id": "link"}), KNOWN) == Nothing()
    assert read(pressed({"type": "button", "action_id": "a", "value": "v"}, view={"id": "V1"}), KNOWN) == Nothing()


def test_a_forms_button_wants_the_form() -> None:
    found = read(pressed({"type": "button", "action_id": "form", "value": "{}", "block_id": "fd|1.5|0"}), KNOWN)
    assert isinstance(found, FormWanted)
    assert (found.team, found.trigger, found.value, found.chat, found.thread) == ("T1", "t.1", "{}", "C1", "1.5")
    assert isinstance(found.message.content, Pressed)


def test_a_modal_comes_back_once() -> None:
    view = modal(
        Form(title="x", token="f1", fields=(FormField(name="why", label="Why?"),)),
        Place(token="f1", chat="C1", thread="1.5"),
    )
    state = {"values": {"why": {"value": {"value": "late"}}}}
    payload = {"type": "view_submission", "user": {"id": "UANA"}, "team": {"id": "T1"}}
    found = heard({**payload, "view": {**view, "id": "V1", "state": state}})
    assert found.message.content == Submitted(token="f1", values={"why": "late"}, text="Why?: late")
    assert found.message.address == Address(channel="slack", account="main", chat="C1", thread="1.5")
    assert found.message.event_id == "v.V1"
    assert read({**payload, "view": {"id": "V1", "private_metadata": "theirs"}}, KNOWN) == Nothing()


def test_commands_and_shortcuts() -> None:
    text = "command=%2FTrack&text=42+%26amp%3B&channel_id=D1&user_id=UANA&user_name=ana&trigger_id=t.1&team_id=T1"
    found = heard(decode(text))
    assert found.message.content == Command(name="track", text="42 &")
    assert (found.message.event_id, found.message.sender.name) == ("c.t.1", "ana")
    shortcut = {"type": "shortcut", "callback_id": "Refund", "trigger_id": "t.2", "user": {"id": "UANA"}}
    assert heard(shortcut).message.content == Command(name="refund")
    assert heard(shortcut).message.address.chat == "UANA"
    on = {**shortcut, "type": "message_action", "channel": {"id": "C1"}, "message": {"ts": "1.5", "text": "a &lt;"}}
    assert heard(on).message.content == Command(name="refund", text="a <")
    assert heard(on).message.address.chat == "UANA"
    assert [(known.chat, known.thread) for known in heard(on).joined] == [("C1", "1.5")]


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "x",
        None,
        {},
        {"type": 7},
        event([]),  # type: ignore[arg-type]
        event({}),
        message(ts="soon"),
        message(ts="1" * 40),
        message(ts="١٢٣.4"),
        message(ts=None),
        message(channel=7),
        message(channel="D1", user=[]),
        {"type": "block_actions", "actions": []},
        {"command": "/x"},
    ],
)
def test_what_can_not_be_read_says_why_and_nothing_of_what_it_says(payload: object) -> None:
    found = read(payload, KNOWN)
    assert isinstance(found, Garbled)
    assert found.problem
    assert "soon" not in found.problem


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "a=b", "payload=%7B", '{"type":' + "9" * 5000 + "}", "payload=" + "[" * 100_000]
)
def test_what_is_no_request_of_slacks_raises_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.sampled_from(["D1", "1.5"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "event", "user", "ts", "channel", "message", "item", "view", "actions", "state", "id"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(JSON, st.sampled_from(["event_callback", "block_actions", "view_submission", "shortcut", "message_action"]))
def test_no_json_raises(inner: object, kind: str) -> None:
    rest = inner if isinstance(inner, dict) else {"event": inner}
    read({**rest, "type": kind}, KNOWN)
    for what in ("message", "reaction_added", "assistant_thread_started", "member_joined_channel", "tokens_revoked"):
        read(event({**rest, "type": what}), MANY)


# --- recorded

KINDS: dict[type[Incoming], tuple[str, ...]] = {
    Heard: (
        "block_actions",
        "event_callback.app_mention",
        "event_callback.message",
        "event_callback.message.file_share",
        "event_callback.message.message_changed",
        "event_callback.message.message_deleted",
        "event_callback.message.thread_broadcast",
        "event_callback.reaction_added",
        "message_action",
        "shortcut",
        "slash_commands",
    ),
    Greeted: ("assistant_thread_started", "assistant_thread_context_changed"),
    Uninstalled: ("event_callback.app_uninstalled", "event_callback.tokens_revoked"),
    Challenge: ("url_verification",),
}
"""What a recorded payload of a kind is; all others are nothing to us. Envelopes are what is in them."""

STRIPPED = ("there is no ts in it", "there is no id in it", "there is no action in it", "there is no event in it")
"""Why some of the recorded ones can't be read: their authors left out what Slack always sends."""


@needs_data
def test_every_recorded_payload_is_what_its_kind_is() -> None:
    wrong: list[object] = []
    counts: Counter[type[Incoming]] = Counter()
    for file in sorted(PAYLOADS.glob("*.json")):
        found = read(_payload(file), KNOWN)
        counts[type(found)] += 1
        kind = _kind(file)
        expected = next((what for what, kinds in KINDS.items() if kind in kinds), Nothing)
        stripped = isinstance(found, Garbled) and found.problem in (*STRIPPED, "there is no channel in it")
        # Of what people do, the part that has nothing to do with us: buttons of a modal, a bot's own words.
        aside = expected is Heard and isinstance(found, Nothing)
        if not (isinstance(found, expected) or stripped or aside):
            wrong.append((file.name, found))
    assert wrong == []
    assert counts.total() > 140
    assert counts[Heard] > 35
    assert counts[Garbled] < 25


@needs_data
def test_a_recorded_assistants_thread_and_its_message() -> None:
    started, said = (
        read(event(json.loads((PAYLOADS / name).read_text())), KNOWN)
        for name in ("event.assistant_thread_started..3e772944.json", "event.message..b16f077f.json")
    )
    assert isinstance(started, Greeted)
    assert isinstance(said, Heard)
    assert said.message.address == started.message.address
    assert isinstance(said.message.content, Text)


def _kind(file: Path) -> str:
    """From a name such as event_callback.message.file_share.2ba84e5b.json, or envelope.slash_commands.0bc17a73.json."""
    kind = file.name.rsplit(".", 2)[0].removeprefix("event.").removeprefix("envelope.").rstrip(".")
    return {"message": "event_callback.message", "interactive": "shortcut", "events_api": "event_callback.message"}.get(
        kind, kind
    )


def _payload(file: Path) -> object:
    payload = json.loads(file.read_text(encoding="utf-8"))
    if file.name.startswith("envelope."):
        return payload["payload"]
    if file.name.startswith("event."):
        return event(payload)
    return payload


@pytest.mark.parametrize(
    ("name", "character"),
    [("+1", "👍"), ("+1::skin-tone-2", "👍"), ("white_check_mark", "✅"), ("partyparrot", "partyparrot"), ("", "")],
)
def test_a_reaction_is_a_character(name: str, character: str) -> None:
    """Skills say which reaction they mean as people see it, on every platform."""
    assert emoji_of(name) == character
