"""What people send is stored before Twilio is answered; consent is kept; what must cost nothing costs nothing."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from bot.messages import Command, Consent, Text
from tests.channels.sms.rig import rig
from tests.platforms.twilio import OURS, THEIRS, sid_of


async def test_a_message_is_stored_with_what_its_number_tells() -> None:
    async with rig() as r:
        answer = await r.twilio.text("hello", event="one")
        assert (answer.status, answer.body) == (200, '<?xml version="1.0" encoding="UTF-8"?><Response/>')
        (message,) = r.heard
        assert message.event_id == message.platform_id == sid_of("one")
        assert (message.address.channel, message.address.account, message.address.chat) == ("sms", "main", THEIRS)
        sender = message.sender
        assert (sender.id, sender.phone, sender.verified) == (THEIRS, THEIRS, True)
        assert sender.timezone == "America/Los_Angeles"


async def test_a_full_disk_is_told_to_twilio_and_nothing_is_lost() -> None:
    async with rig() as r:
        r.core.full = True
        assert (await r.twilio.text("hello", event="one")).status == 503
        r.core.full = False
        assert (await r.twilio.text("hello", event="one")).status == 200
        assert len(r.heard) == 1


async def test_what_is_delivered_twice_counts_once() -> None:
    async with rig({"loop_messages": 3}) as r:
        for _ in range(10):
            assert (await r.twilio.text("hello", event="one")).status == 200
        await r.twilio.text("and then?")
        assert [message.text for message in r.heard] == ["hello", "and then?"]


# --- consent


async def test_stop_and_start_go_before_everything() -> None:
    async with rig({"loop_messages": 2, "inbound_per_hour": 1}) as r:
        for text in ("hello", "STOP", "Stop!", "START"):
            await r.twilio.text(text)
        assert [message.content for message in r.heard] == [
            Text(text="hello"),
            Consent(on=False, word="STOP"),
            Consent(on=False, word="Stop!"),
            Consent(on=True, word="START"),
        ]


async def test_stop_is_heard_from_anywhere() -> None:
    async with rig() as r:
        await r.twilio.text("STOP", sender="+436641234567")
        await r.twilio.text("hello", sender="+436641234567")
        assert [message.content for message in r.heard] == [Consent(on=False, word="STOP")]


async def test_yes_is_an_answer_but_opts_in_whoever_had_opted_out() -> None:
    async with rig() as r:
        for text in ("Yes", "STOP", "yes", "yes"):
            await r.twilio.text(text)
        assert [message.content for message in r.heard] == [
            Text(text="Yes"),
            Consent(on=False, word="STOP"),
            Consent(on=True, word="yes"),
            Text(text="yes"),
        ]
        assert r.core.notes == {}


async def test_help_is_the_core_s_to_answer() -> None:
    async with rig() as r:
        await r.twilio.text("help?")
        assert [message.content for message in r.heard] == [Command(name="help")]


async def test_who_confirms_is_said_by_the_capabilities() -> None:
    async with rig() as quiet, rig({"answers_stop": True}) as loud:
        assert not quiet.channel.capabilities.confirms_consent
        assert loud.channel.capabilities.confirms_consent


# --- what must cost nothing


@pytest.mark.parametrize("sender", ["+18765551234", "+436641234567", "+19005551234", "12345", "GOOGLE", "+15558675310"])
async def test_foreign_dear_and_unanswerable_numbers_leave_nothing(sender: str) -> None:
    async with rig() as r:
        assert (await r.twilio.text("hello", sender=sender)).status == 200
        assert r.core.offered == r.core.unreadable == []
        await r.twilio.text("hello")
        assert len(r.heard) == 1


async def test_other_countries_can_be_allowed() -> None:
    async with rig({"countries": ["us", "AT"]}) as r:
        await r.twilio.text("hello", sender="+436641234567")
        await r.twilio.text("hello", sender="+18765551234")
        assert [message.sender.timezone for message in r.heard] == ["Europe/Vienna"]


async def test_machines_that_answer_machines_are_left_alone() -> None:
    async with rig({"loop_messages": 5, "loop_seconds": 30}) as r:
        for number in range(10):
            await r.twilio.text(f"number {number}")
        assert len(r.heard) == 5
        await r.twilio.text("hello", sender="+14155550124")
        assert len(r.heard) == 6
        r.clock.ahead += 31
        await r.twilio.text("and now?")
        assert r.heard[-1].text == "and now?"


async def test_an_automatic_answer_is_noticed_by_its_words() -> None:
    away = "I am out of office until Monday. In urgent cases ask somebody else."
    async with rig() as r:
        for _ in range(6):
            await r.twilio.text(away)
            r.clock.ahead += 40
        assert len(r.heard) == 3
        for _ in range(6):
            await r.twilio.text("yes")
            r.clock.ahead += 5
        assert len(r.heard) == 9


async def test_a_number_can_not_cost_more_than_its_share() -> None:
    async with rig({"inbound_per_hour": 4, "inbound_per_day": 6}) as r:
        for hour in range(3):
            for number in range(6):
                await r.twilio.text(f"{hour}.{number}")
            r.clock.ahead += 3601
        assert len(r.heard) == 4 + 2
        r.clock.ahead += 24 * 3600
        await r.twilio.text("the next day")
        assert r.heard[-1].text == "the next day"


# --- what can't be read


async def test_what_can_t_be_read_is_kept_and_can_be_read_again() -> None:
    async with rig() as r:
        answer = await r.twilio.text("hello", sender="+1")
        assert answer.status == 200
        (kept,) = r.core.unreadable
        assert (kept.channel, kept.account, kept.problem) == ("sms", "main", "From is no telephone number")
        with pytest.raises(ValueError, match="telephone number"):
            await r.channel.reread(kept.payload)
        mended = kept.payload.replace(quote("+1") + "&", quote(THEIRS) + "&")
        await r.channel.reread(mended)
        assert [message.text for message in r.heard] == ["hello"]


async def test_it_is_not_acknowledged_while_it_can_t_be_kept() -> None:
    async with rig() as r:
        r.core.full = True
        assert (await r.twilio.text("hello", sender="+1")).status == 503


async def test_another_accounts_message_is_set_aside() -> None:
    async with rig() as r:
        await r.twilio.text("hello", more={"AccountSid": "AC" + "9" * 32})
        assert [one.problem for one in r.core.unreadable] == ["it is for another account"]


# --- statuses


async def test_statuses_move_only_forward() -> None:
    async with rig() as r:
        one = await r.send("hello")
        for state in ("queued", "delivered", "sent", "sending"):
            assert (await r.twilio.report(one, state)).status == 200
        statuses = r.channel._intake.statuses._states  # type: ignore[union-attr]
        assert statuses == {one.sid: 4}


async def test_what_this_process_knows_needs_no_note() -> None:
    async with rig() as r:
        one = await r.send("hello")
        await r.twilio.report(one, "sent")
        assert r.core.notes == {}


async def test_a_messaging_service_finds_out_late_that_somebody_opted_out() -> None:
    async with rig({"sender": "MG" + "1" * 32, "countries": ["US"]}) as r:
        one = await r.send("hello")
        for _ in range(2):
            assert (await r.twilio.report(one, "failed", 21610)).status == 200
        (message,) = r.heard
        assert message.content == Consent(on=False)
        assert message.address.chat == THEIRS


async def test_a_status_of_another_account_or_without_sense_is_set_aside() -> None:
    async with rig() as r:
        one = await r.send("hello")
        fields = {"MessageSid": one.sid, "MessageStatus": "<script>", "AccountSid": r.twilio.sid}
        assert (await r.twilio.deliver(one.callback, fields)).status == 200
        assert [kept.problem for kept in r.core.unreadable] == ["a status callback: MessageStatus is missing"]


async def test_our_own_words_never_come_in_as_theirs() -> None:
    async with rig() as r:
        one = await r.send("hello")
        one.callback = r.twilio.webhook  # the operator mixed the addresses up
        assert (await r.twilio.report(one, "delivered")).status == 200
        await r.twilio.text("hello", sender=OURS)
        assert r.heard == []
        assert [kept.problem for kept in r.core.unreadable] == ["it is from ourselves"]


async def test_a_forged_status_is_refused() -> None:
    async with rig() as r:
        one = await r.send("hello")
        for url in (one.callback + "x", one.callback.replace("oid=", "oid=other")):
            signed = r.twilio
            fields = {"MessageSid": one.sid, "MessageStatus": "failed", "AccountSid": signed.sid}
            assert (await signed.deliver(url, fields, signature="AAAA")).status == 401
        assert r.core.notes == {}


async def test_a_note_about_a_taken_message_is_for_an_hour() -> None:
    async with rig() as r:
        r.twilio.fail("close after")
        with pytest.raises(Exception, match="did not answer"):
            await r.channel.send(r.delivery("one"))
        await r.twilio.report(r.twilio.taken[-1], "sent")
        assert [r.core.kept[key] for key in r.core.notes] == [3600.0]


async def test_texts_that_come_together_are_all_heard() -> None:
    async with rig() as r:
        answers = await asyncio.gather(
            *(r.twilio.text(f"text {n}", sender=f"+1415555{n:04d}") for n in range(200, 250))
        )
        assert {answer.status for answer in answers} == {200}
        assert len(r.heard) == 50


async def test_a_text_to_whatsapp_comes_from_whatsapp() -> None:
    async with rig({"sender": f"whatsapp:{OURS}"}) as r:
        await r.twilio.text("hello", sender=f"whatsapp:{THEIRS}", to=f"whatsapp:{OURS}", more={"ProfileName": "Ana"})
        (message,) = r.heard
        assert (message.sender.name, message.sender.phone) == ("Ana", THEIRS)
        one = await r.send("welcome", message.address.chat)
        assert (one.to, one.sender) == (f"whatsapp:{THEIRS}", f"whatsapp:{OURS}")
