"""What people who live on Slack do, and what goes wrong there, beyond the plain exchange."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot import Address, Card, Command, Edited, Field, Mention, Reacted, Rejected, Reply
from channels.slack.intake import ELSEWHERE, as_text
from channels.slack.render import render
from channels.slack.richtext import LONGEST, measure
from channels.slack.words import mentions
from tests.channels.slack.bench import CHANNEL, FLAT, delivery, opened
from tests.platforms.slack import BOT, DM, PERSON, TEAM
from tests.platforms.slack_rules import called, seen, wrong_blocks


async def test_a_reaction_to_an_answer_of_the_bots_belongs_to_its_thread(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        asked = bench.platform.written(f"<@{BOT}> where is it?", chat=CHANNEL)
        said = await bench.hears({**asked, "type": "app_mention"})
        assert said is not None
        await bench.says("On its way", said.address)
        answer = bench.platform.shown(CHANNEL)[-1]["ts"]
        item = {"type": "message", "channel": CHANNEL, "ts": answer}
        inner = {"type": "reaction_added", "user": PERSON, "reaction": "+1", "item": item, "item_user": BOT}
        found = await bench.hears({**inner, "event_ts": bench.platform.ts()})
        assert found is not None
        assert (found.content, found.address) == (Reacted(target=answer, emoji="👍"), said.address)


async def test_another_process_finds_the_thread_of_an_answer_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        asked = bench.platform.written(f"<@{BOT}> where is it?", chat=CHANNEL)
        said = await bench.hears({**asked, "type": "app_mention"})
        assert said is not None
        await bench.says("On its way", said.address)
        answer = bench.platform.shown(CHANNEL)[-1]["ts"]
        item = {"type": "message", "channel": CHANNEL, "ts": answer}
        inner = {"type": "reaction_added", "user": PERSON, "reaction": "+1", "item": item, "item_user": BOT}
        async with opened(tmp_path, platform=bench.platform, core=bench.core) as other:
            found = await other.hears({**inner, "event_ts": bench.platform.ts()})
            assert found is not None
            assert found.address == said.address
            calls = len(other.called("conversations.replies"))
            people = {**inner, "item_user": "U0BEA", "item": {**item, "ts": "5.000005"}}
            assert await other.hears({**people, "event_ts": bench.platform.ts()}) is None
            assert len(other.called("conversations.replies")) == calls, "other people's messages are not looked up"


async def test_a_command_where_the_bot_is_no_member_is_answered_in_the_persons_own_chat(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.chat("G0SECRET").members = {PERSON}
        for number, chat in enumerate(("G0SECRET", CHANNEL, "D0BEA", DM)):
            fields = {"command": "/track", "text": "5", "channel_id": chat, "user_id": PERSON, "team_id": TEAM}
            body = urlencode({**fields, "trigger_id": f"t.{number}"}).encode()
            status, answer = await bench.platform.post(body, path="commands")
            hint = {"response_type": "ephemeral", "text": ELSEWHERE}
            assert (status, json.loads(answer or b"null")) == (200, None if chat == DM else hint)
            heard = bench.core.received[-1]
            assert (heard.content, heard.address) == (Command(name="track", text="5"), FLAT)
        made = await bench.says("On its way", heard.address)
        assert [seen(message) for message in bench.platform.shown(DM)] == ["On its way"]
        assert await bench.channel.find_sent(made) is not None
        with pytest.raises(Rejected, match="not_in_channel"):
            await bench.channel.send(
                delivery(
                    Reply(text="nobody asked"),
                    heard.address.__class__(channel="slack", account="main", chat="G0SECRET", thread="5.000005"),
                )
            )


async def test_a_changed_first_message_of_a_thread_in_a_chat_of_two_stays_where_it_was_said(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        inner = bench.platform.written("hello")
        said = await bench.hears(inner)
        assert said is not None
        now = {"user": PERSON, "text": "new", "ts": inner["ts"], "thread_ts": inner["ts"], "edited": {"ts": "9.0"}}
        edit = {"type": "message", "subtype": "message_changed", "channel": DM, "channel_type": "im", "message": now}
        changed = await bench.hears({**edit, "event_ts": "9.1"})
        assert changed is not None
        assert changed.content == Edited(target=inner["ts"], text="new")
        assert changed.address == said.address == FLAT


async def test_where_nothing_may_be_read_an_uncertain_reply_does_not_wait_for_a_day(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        gone = Address(channel="slack", account="main", chat="C0GONE")
        assert await bench.channel.find_sent(delivery(Reply(text="hello"), gone, first_attempt_at=1.0)) is None
        lost = Address(channel="slack", account="main", chat=CHANNEL, thread="5.000005")
        assert await bench.channel.find_sent(delivery(Reply(text="hello"), lost, first_attempt_at=1.0)) is None


def test_half_a_character_in_an_envelope_can_be_kept() -> None:
    assert as_text({"text": "\ud800"}) == '{"text":"\\ud800"}'


def test_somebody_whose_id_begins_like_ours_is_not_us() -> None:
    assert mentions({"text": "<@U0BOT> hi"}, "U0BOT")
    assert mentions({"text": "<@U0BOT|bot> hi"}, "U0BOT")
    assert not mentions({"text": "<@U0BOTTLE> hi"}, "U0BOT")


def test_rules_in_a_text_and_a_card_leave_room_for_the_buttons() -> None:
    ruled = max(("a\n\n---\n\n" * count for count in range(40)), key=lambda text: (measure(text) <= LONGEST, len(text)))
    assert measure(ruled) > LONGEST * 0.9
    fields = (Field(name="Price", value="9"),)
    card = Card(title="A lamp", text=ruled, url="https://shop.example/1", fields=fields)
    posted = render(Reply(text=ruled, card=card), thread="1.5", author="Ana", form="x")
    assert wrong_blocks(posted.blocks) == ""


def test_only_people_of_slacks_can_be_called() -> None:
    given = (Mention(user="web-visitor-7", name="Ana"), Mention(user="T1/U0ANA", name="Ana"))
    posted = render(Reply(text="[Ana](mention:0) and [Ana](mention:1)", mentions=given))
    assert called({"blocks": posted.blocks}) == ["U0ANA"]
    assert seen({"blocks": posted.blocks}) == "Ana and @U0ANA"
