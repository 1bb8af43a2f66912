"""What people do on Slack, over the real routes: heard once, in the right place, stored and then acknowledged."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot import (
    Address,
    Button,
    Choice,
    Command,
    Edited,
    Form,
    FormField,
    Joined,
    KnownCommand,
    Pressed,
    Reacted,
    Rejected,
    Reply,
    Submitted,
)
from bot.testing.channel_kit import soon
from channels.slack import intake
from channels.slack.views import Place, modal
from tests.channels.slack.bench import CHANNEL, FLAT, opened
from tests.platforms.slack import BOT, DM, PERSON, TEAM
from tests.platforms.slack_rules import PAYLOADS

OTHER = "U0BEA"


def in_thread(ts: str, chat: str = CHANNEL) -> Address:
    return Address(channel="slack", account="main", chat=chat, thread=ts)


async def test_a_mention_and_its_message_are_one_and_the_thread_goes_on_without_a_mention(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        inner = bench.platform.written("x", chat=CHANNEL)
        inner |= {"text": f"<@{BOT}> where is it?", "blocks": []}
        spoken, mention = inner, {**inner, "type": "app_mention"}
        assert await bench.platform.deliver(bench.platform.event(mention))
        assert await bench.platform.deliver(bench.platform.event(spoken))
        (message,) = bench.core.received
        assert message.text == "where is it?"
        assert message.address == in_thread(inner["ts"])
        await bench.says("On its way", message.address)
        assert bench.platform.shown(CHANNEL)[0]["thread_ts"] == inner["ts"]
        follow = await bench.hears(bench.platform.written("and when?", chat=CHANNEL, thread=inner["ts"], user=OTHER))
        assert follow is not None
        assert follow.address == message.address
        assert await bench.hears(bench.platform.written("lunch?", chat=CHANNEL)) is None
        assert await bench.hears(bench.platform.written("lunch?", chat=CHANNEL, thread="1.000001")) is None


async def test_one_gesture_with_two_time_stamps_is_one_event(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        first = bench.platform.written("hello")
        second = {**first, "ts": bench.platform.ts()}
        assert await bench.hears(first) is not None
        assert await bench.hears(second) is None


async def test_edits_deletions_and_reactions_reach_the_conversation_of_their_message(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        inner = bench.platform.written(f"<@{BOT}> hello", chat=CHANNEL)
        said = await bench.hears({**inner, "type": "app_mention"})
        assert said is not None
        reply = bench.platform.written("in the thread", chat=CHANNEL, thread=inner["ts"])
        assert await bench.hears(reply) is not None
        reaction = {"type": "reaction_added", "user": PERSON, "reaction": "tada", "event_ts": bench.platform.ts()}
        for target in (inner["ts"], reply["ts"]):
            item = {"type": "message", "channel": CHANNEL, "ts": target}
            found = await bench.hears({**reaction, "item": item})
            assert found is not None
            assert found.content == Reacted(target=target, emoji="🎉")
            assert found.address == said.address
        strange = {"type": "message", "channel": CHANNEL, "ts": "5.000005"}
        assert await bench.hears({**reaction, "item": strange}) is None
        edit = {"type": "message", "subtype": "message_changed", "channel": CHANNEL, "event_ts": "9.1"}
        now = {"user": PERSON, "text": "new", "ts": inner["ts"], "edited": {"ts": "9.0"}}
        changed = await bench.hears({**edit, "message": now})
        assert changed is not None
        assert changed.content == Edited(target=said.platform_id, text="new")
        assert changed.address == said.address


async def test_who_somebody_is_is_known_at_their_next_message(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        first = await bench.hears(bench.platform.written("one"))
        assert first is not None
        assert first.sender.name == ""
        assert await soon(lambda: bool(bench.called("users.info")))
        await asyncio.sleep(0.02)
        second = await bench.hears(bench.platform.written("two"))
        assert second is not None
        sender = second.sender
        assert (sender.name, sender.timezone, sender.language) == ("Ana", "Europe/Vienna", "de-AT")
        assert (sender.email, sender.verified) == ("ana@acme.example", True)
        assert len(bench.called("users.info")) == 1


@pytest.mark.parametrize("change", [{"team_id": "T9"}, {"is_stranger": True}, {"is_email_confirmed": False}])
async def test_a_foreign_or_unproven_address_is_not_vouched_for(tmp_path: Path, change: dict[str, object]) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.users[PERSON] |= change
        await bench.hears(bench.platform.written("one"))
        assert await soon(lambda: bool(bench.called("users.info")))
        await asyncio.sleep(0.02)
        second = await bench.hears(bench.platform.written("two"))
        assert second is not None
        assert second.sender.email
        assert not second.sender.verified


async def test_a_person_who_can_not_be_looked_up_is_heard_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.fail("slow", method="users.info", times=5)
        async with asyncio.timeout(1):
            assert await bench.hears(bench.platform.written("one")) is not None
            assert await bench.hears(bench.platform.written("two")) is not None


async def test_commands_shortcuts_and_joins(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        assert await bench.platform.command({"command": "/track", "text": "42", "channel_id": DM})
        assert bench.core.received[-1].content == Command(name="track", text="42")
        shortcut = {"type": "shortcut", "callback_id": "refund", "trigger_id": "trigger.9", "team": {"id": TEAM}}
        assert await bench.platform.interact({**shortcut, "user": {"id": PERSON, "username": "ana"}})
        assert bench.core.received[-1].content == Command(name="refund")
        assert bench.core.received[-1].address.chat == "D" + PERSON[1:]
        joined = {"type": "member_joined_channel", "user": BOT, "channel": CHANNEL, "inviter": PERSON}
        found = await bench.hears({**joined, "event_ts": "1.5"})
        assert found is not None
        assert found.content == Joined()


async def test_a_message_shortcut_belongs_to_its_thread_only_where_we_talk_already(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        inner = bench.platform.written("x", chat=CHANNEL) | {"text": f"<@{BOT}> hi", "blocks": []}
        said = await bench.hears({**inner, "type": "app_mention"})
        assert said is not None
        shortcut = {"type": "message_action", "callback_id": "refund", "team": {"id": TEAM}, "user": {"id": PERSON}}
        for number, (ts, expected) in enumerate(((inner["ts"], said.address), ("5.000005", FLAT))):
            about = {"trigger_id": f"t.{number}", "channel": {"id": CHANNEL}, "message": {"ts": ts, "text": "broken"}}
            assert await bench.platform.interact({**shortcut, **about})
            assert bench.core.received[-1].content == Command(name="refund", text="broken")
            assert bench.core.received[-1].address == expected


async def test_a_shortcut_is_stored_when_slack_does_not_say_which_chat(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.fail("slow", method="conversations.open")
        shortcut = {"type": "shortcut", "callback_id": "refund", "trigger_id": "trigger.9", "team": {"id": TEAM}}
        async with asyncio.timeout(2):
            assert await bench.platform.interact({**shortcut, "user": {"id": PERSON, "username": "ana"}})
        assert bench.core.received[-1].address.chat == PERSON


async def test_home_shows_the_commands_and_is_no_message(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.core.known_commands += [KnownCommand(name="track", about={"": "Finds an order.", "de": "Sucht."})]
        assert await bench.hears({"type": "app_home_opened", "user": PERSON, "tab": "home"}) is None
        assert await soon(lambda: PERSON in bench.platform.homes)
        assert "/track" in json.dumps(bench.platform.homes[PERSON])
        assert "Finds an order." in json.dumps(bench.platform.homes.pop(PERSON))
        assert bench.core.received == []
        await bench.hears(bench.platform.written("hallo"))  # whoever wrote once is known, with their language
        parts = bench.channel._parts
        assert parts is not None
        assert await soon(lambda: parts.intake._people.language(TEAM, PERSON) == "de-AT")
        assert await bench.hears({"type": "app_home_opened", "user": PERSON, "tab": "home"}) is None
        assert await soon(lambda: "Sucht." in json.dumps(bench.platform.homes))


async def test_an_assistants_thread_is_greeted_with_prompts_and_shows_a_status(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.core.known_commands += [KnownCommand(name="track", about={"": "Where is my order?"})]
        thread = {"user_id": PERSON, "channel_id": DM, "thread_ts": "1.000001", "context": {}}
        found = await bench.hears({"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": "1.1"})
        assert found is not None
        assert found.content == Joined()
        assert await soon(lambda: bool(bench.platform.prompts))
        assert bench.platform.prompts[0]["prompts"] == [{"title": "Where is my order?", "message": "/track"}]
        changed = {"type": "assistant_thread_context_changed", "assistant_thread": thread, "event_ts": "1.2"}
        assert await bench.hears(changed) is None
        await bench.channel.typing(found.address, on=True)
        assert bench.platform.statuses == {(DM, "1.000001"): "is typing…"}
        await bench.channel.typing(found.address, on=False)
        assert bench.platform.statuses == {(DM, "1.000001"): ""}


async def test_a_form_is_a_modal_and_comes_back(tmp_path: Path) -> None:
    form = Form(title="Refund", token="f1", fields=(FormField(name="why", label="Why?"),), open="Tell me")
    long = Form(title="Long", token="f2", fields=tuple(FormField(name=f"f{n}", label="x" * 200) for n in range(12)))
    async with opened(tmp_path) as bench:
        for wanted in (form, long):
            await bench.says(Reply(text="Please", form=wanted))
            assert await bench.platform.interact(bench.platform.press(wanted.open))
            assert await soon(lambda: bool(bench.platform.views))
            view = bench.platform.views.pop()
            assert len(view["blocks"]) == len(wanted.fields)
            assert bench.core.received == []
            name = wanted.fields[0].name
            payload = bench.platform.submit(view, {name: {"type": "plain_text_input", "value": "late"}})
            body = "payload=" + json.dumps(payload)
            status, answer = await bench.platform.post(body.encode(), path="interactions")
            assert (status, json.loads(answer)) == (200, {"response_action": "clear"})
            submitted = bench.core.received.pop()
            assert isinstance(submitted.content, Submitted)
            assert (submitted.content.token, submitted.content.values) == (wanted.token, {name: "late"})
            assert submitted.address == FLAT
        assert await soon(lambda: not bench.core.notes)


async def test_a_form_with_something_wrong_stays_open_and_nothing_is_stored(tmp_path: Path) -> None:
    form = Form(title="Refund", token="f1", fields=(FormField(name="why", label="Why?"),), open="Tell me")
    async with opened(tmp_path) as bench:
        await bench.says(Reply(text="Please", form=form))
        assert await bench.platform.interact(bench.platform.press("Tell me"))
        assert await soon(lambda: bool(bench.platform.views))
        payload = bench.platform.filled(bench.platform.views[0], {"why": "late"})
        bench.core.form_problems.update({"why": "It should have at least 9 characters.", "other": "x"})
        assert await bench.platform.interact(payload)
        errors = {"why": "It should have at least 9 characters."}
        assert bench.platform.answers == [{"response_action": "errors", "errors": errors}]
        assert bench.core.offered == []
        bench.core.form_problems.clear()
        assert await bench.platform.interact(payload)
        assert bench.platform.answers[1] == {"response_action": "clear"}
        assert isinstance(bench.core.received[0].content, Submitted)


async def test_a_check_that_takes_too_long_is_left_to_the_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = Form(title="Refund", token="f1", fields=(FormField(name="why", label="Why?"),), open="Tell me")
    async with opened(tmp_path) as bench:
        view = modal(form, Place(token="f1", chat=DM))
        stuck = asyncio.Event()

        async def hangs(message: object) -> dict[str, str]:
            await stuck.wait()
            return {"why": "x"}

        monkeypatch.setattr(bench.core, "problems", hangs)
        monkeypatch.setattr(intake, "PATIENCE", 0.05)
        assert await bench.platform.interact(bench.platform.filled(view, {"why": "late"}))
        assert bench.platform.answers == [{"response_action": "clear"}]
        assert len(bench.core.received) == 1


async def test_the_button_of_a_form_that_is_gone_is_told_to_the_core(tmp_path: Path) -> None:
    long = Form(title="Long", token="f2", fields=tuple(FormField(name=f"f{n}", label="x" * 200) for n in range(12)))
    async with opened(tmp_path) as bench:
        await bench.says(Reply(text="Please", form=long))
        bench.core.notes.clear()
        assert await bench.platform.interact(bench.platform.press(long.open))
        assert await soon(lambda: bool(bench.core.received))
        assert isinstance(bench.core.received[0].content, Pressed)
        assert bench.core.received[0].address == FLAT
        assert bench.platform.views == []


async def test_a_form_in_a_note_is_found_by_another_process(tmp_path: Path) -> None:
    long = Form(title="Long", token="f2", fields=tuple(FormField(name=f"f{n}", label="x" * 200) for n in range(12)))
    async with opened(tmp_path) as first:
        await first.says(Reply(text="Please", form=long))
        async with opened(tmp_path, platform=first.platform, core=first.core) as second:
            assert await second.platform.interact(second.platform.press(long.open))
            assert await soon(lambda: bool(second.platform.views))


async def test_a_press_on_what_only_one_person_sees_finds_its_thread(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        inner = bench.platform.written(f"<@{BOT}> hi", chat=CHANNEL)
        said = await bench.hears({**inner, "type": "app_mention"})
        assert said is not None
        button = Button(token="tok", label="Yes", value="yes")
        reply = Reply(text="Sure?", choices=(Choice(label="Yes"),), buttons=(button,), private=True)
        await bench.says(reply, said.address)
        (shown,) = bench.platform.ephemeral
        assert (shown["to"], shown["thread_ts"]) == (PERSON, inner["ts"])
        payload = bench.platform.press("Yes")
        del payload["message"]
        payload["container"] = {"type": "message", "channel_id": CHANNEL, "message_ts": "1.1", "is_ephemeral": True}
        assert await bench.platform.interact(payload)
        assert bench.core.received[-1].content == Pressed(token="tok", label="Yes")
        assert bench.core.received[-1].address == said.address


async def test_signed_and_unreadable_is_set_aside_once_and_can_be_read_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        for body in (b"{", b"\xff\xfe", b"[]", b'{"type":"event_callback","event":{"type":"message"}}', b"payload=["):
            assert (await bench.platform.post(body))[0] == 200
            assert (await bench.platform.post(body))[0] == 200
        assert len(bench.core.unreadable) == 5
        assert bench.core.received == []
        kept = bench.core.unreadable[3]
        with pytest.raises(ValueError, match="no ts"):
            await bench.channel.reread(kept.payload)
        good = json.dumps(bench.platform.event(bench.platform.written("now it can be read")))
        await bench.channel.reread(good)
        assert [message.text for message in bench.core.received] == ["now it can be read"]


async def test_redelivery_after_a_full_disk_is_heard_and_retry_headers_are_no_reason_to_drop(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        payload = bench.platform.event(bench.platform.written("hello"))
        bench.core.full = True
        assert not await bench.platform.deliver(payload, again=2)
        assert (await bench.platform.post(b"{"))[0] == 503
        bench.core.full = False
        headers = {"X-Slack-Retry-Num": "3", "X-Slack-Retry-Reason": "http_error"}
        assert (await bench.platform.post(json.dumps(payload).encode(), headers=headers))[0] == 200
        assert [message.text for message in bench.core.received] == ["hello"]


async def test_the_challenge_is_answered(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        status, answer = await bench.platform.post(b'{"type":"url_verification","challenge":"c1"}')
        assert (status, json.loads(answer)) == (200, {"challenge": "c1"})


async def test_a_file_is_opened_through_slack_and_from_nowhere_else(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        file = bench.platform.keep("a.png", "image/png", b"\x89PNG")
        heard = await bench.hears(bench.platform.written("look") | {"files": [file]})
        assert heard is not None
        assert heard.media[0].url == f"https://bot.example/files/slack/main/{file['id']}"
        async with bench.channel.open_file(file["id"]) as download:
            assert (download.name, download.type) == ("a.png", "image/png")
            assert b"".join([chunk async for chunk in download.chunks]) == b"\x89PNG"
        with pytest.raises(Rejected, match="file_not_found"):
            await bench.channel.open_file("F404").__aenter__()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://127.0.0.1:1/x",
        "https://files.slack.com@evil.example/",
        "file:///etc/passwd",
        "",
        "http://[",
    ],
)
async def test_the_token_goes_to_no_other_server(tmp_path: Path, url: str) -> None:
    async with opened(tmp_path) as bench:
        file = bench.platform.keep("a.png", "image/png", b"x")
        bench.platform.files[file["id"]] |= {"url_private_download": url, "url_private": url}
        with pytest.raises(Rejected, match="not on Slack"):
            await bench.channel.open_file(file["id"]).__aenter__()


needs_data = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="needs ../shared/data/slack/bolt-python-test-payloads")


@needs_data
async def test_every_recorded_payload_is_acknowledged(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        for file in sorted(PAYLOADS.glob("*.json")):
            payload = json.loads(file.read_text(encoding="utf-8"))
            payload = payload["payload"] if file.name.startswith("envelope.") else payload
            interactive = payload.get("type") not in ("event_callback", "url_verification", None)
            assert await bench.platform.deliver(payload, form=interactive), file.name
        assert len(bench.core.received) > 3
