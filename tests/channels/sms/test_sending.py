"""What is sent arrives once, in the cheaper alphabet; every way to fail is told in the core's words."""

from __future__ import annotations

import time

import pytest

from bot.channel import Cost
from bot.errors import NotSent, RateLimited, Rejected, SendError, UnknownOutcome
from bot.messages import Media
from bot.replies import Reply
from channels.sms.codes import CODES, error_for
from tests.channels.sms.rig import rig
from tests.platforms.twilio import OURS, THEIRS, Fault

PICTURE = Media(url="https://files.example/cat.png", name="cat.png", type="image/png", alt="A cat")


async def test_a_reply_is_one_text_with_its_callback() -> None:
    async with rig() as r:
        one = await r.send("**Hello** – “you”")
        assert (one.to, one.sender, one.body, one.media) == (THEIRS, OURS, 'Hello - "you"', [])
        assert one.callback.startswith(f"{r.url}/channels/sms/status?oid=c")


async def test_marks_are_kept_where_the_operator_wants_them() -> None:
    async with rig({"keep_unicode": True}) as r:
        assert (await r.send("“you”")).body == "“you”"


async def test_a_service_is_asked_as_one() -> None:
    service = "MG" + "1" * 32
    async with rig({"sender": service, "countries": ["US"]}) as r:
        await r.send("hello")
        assert r.twilio.taken[0].body == "hello"


async def test_pictures_go_along_where_they_can() -> None:
    reply = Reply(text="Look", media=(PICTURE,))
    async with rig({"mms": True, "countries": ["US", "AT"]}) as r:
        assert r.channel.capabilities.media
        one = await r.send(reply)
        assert (one.body, one.media) == ("Look", [PICTURE.url])
        several = Reply(text="", media=(PICTURE,) * 12)
        assert (await r.send(several)).media == [PICTURE.url] * 10
        abroad = await r.send(reply, "+436641234567")
        assert (abroad.body, abroad.media) == ("Look\nA cat (https://files.example/cat.png)", [])


# --- failing


@pytest.mark.parametrize(
    ("fault", "error", "calls"),
    [
        ("429", RateLimited, 0),
        ("500", UnknownOutcome, 0),
        ("500 after", UnknownOutcome, 1),
        ("close before", UnknownOutcome, 0),
        ("close after", UnknownOutcome, 1),
        ("slow", UnknownOutcome, 1),
        ("no json", UnknownOutcome, 1),
        ("redirect", NotSent, 0),
    ],
)
async def test_every_way_to_fail_has_its_name_and_one_call(fault: Fault, error: type[SendError], calls: int) -> None:
    async with rig({"timeout": 1.0}) as r:
        r.twilio.slowness = 1.2
        r.twilio.fail(fault)
        with pytest.raises(error):
            await r.channel.send(r.delivery("hello"))
        assert r.twilio.calls == 1, "it must never try again by itself"
        assert len(r.twilio.taken) == calls
        await r.send("and this one arrives")


async def test_how_long_to_wait_is_twilios_to_say() -> None:
    async with rig() as r:
        r.twilio.retry_after = "7"
        r.twilio.fail("429")
        with pytest.raises(RateLimited) as caught:
            await r.channel.send(r.delivery("hello"))
        assert (caught.value.retry_after, caught.value.account) == (7.0, True)


async def test_who_is_not_there_was_not_reached() -> None:
    async with rig() as r:
        await r.twilio.vanish()
        with pytest.raises(NotSent):
            await r.channel.send(r.delivery("hello"))
        with pytest.raises(NotSent):
            await r.channel.find_sent(r.delivery("hello"))


async def test_a_wrong_token_waits_for_the_operator() -> None:
    async with rig() as r:
        r.twilio.token = "changed"
        with pytest.raises(NotSent, match="20003"):
            await r.channel.send(r.delivery("hello"))


async def test_who_opted_out_is_silent_from_then_on() -> None:
    async with rig() as r:
        r.twilio.stopped.add((THEIRS, OURS))
        with pytest.raises(Rejected) as caught:
            await r.channel.send(r.delivery("hello"))
        assert caught.value.silence == "opted_out"
        await r.twilio.text("yes")
        assert [type(message.content).__name__ for message in r.heard] == ["Consent"]


@pytest.mark.parametrize(
    "to",
    [
        "",
        "1234",
        "+1",
        "+14155550123\r\nX: y",
        "+1415555012\u0663",
        "+19005551234",
        "+18765551234",
        "whatsapp:",
        "+0123456789",
    ],
)
async def test_what_is_no_number_of_ours_never_leaves_the_house(to: str) -> None:
    async with rig() as r:
        with pytest.raises(Rejected):
            await r.channel.send(r.delivery("hello", to))
        assert r.twilio.calls == 0


async def test_a_thousand_dear_numbers_cost_nothing() -> None:
    async with rig() as r:
        for number in range(1000):
            with pytest.raises(Rejected):
                await r.channel.send(r.delivery("hello", f"+1900555{number:04d}"))
        assert r.twilio.calls == 0


async def test_a_number_gets_no_more_than_its_share() -> None:
    async with rig({"outbound_per_hour": 3, "outbound_per_day": 5}) as r:
        for hour in range(3):
            for number in range(4):
                try:
                    await r.send(f"{hour}.{number}")
                except Rejected as refused:
                    assert "cap" in str(refused)
            r.clock.ahead += 3601
        assert r.twilio.shown() == ["0.0", "0.1", "0.2", "1.0", "1.1"]


async def test_nothing_is_nothing_to_send() -> None:
    async with rig() as r:
        with pytest.raises(Rejected):
            await r.channel.send(r.delivery("\u202e\x07"))
        assert r.twilio.calls == 0


@pytest.mark.parametrize(
    ("status", "code", "error", "silence"),
    [
        (400, 21211, Rejected, ""),
        (400, 21214, Rejected, ""),
        (400, 21217, Rejected, ""),
        (400, 21401, Rejected, ""),
        (403, 21408, Rejected, ""),
        (400, 21610, Rejected, "opted_out"),
        (400, 21612, Rejected, ""),
        (400, 21614, Rejected, ""),
        (400, 21617, Rejected, ""),
        (400, 99999, Rejected, ""),
        (404, None, Rejected, ""),
        (400, 21611, RateLimited, ""),
        (429, 20429, RateLimited, ""),
        (429, None, RateLimited, ""),
        (401, 20003, NotSent, ""),
        (400, 21606, NotSent, ""),
        (500, None, UnknownOutcome, ""),
        (503, 20503, UnknownOutcome, ""),
    ],
)
def test_what_the_codes_mean(status: int, code: int | None, error: type[SendError], silence: str) -> None:
    found = error_for(status, code)
    assert type(found) is error
    assert getattr(found, "silence", "") == silence


def test_every_code_says_something() -> None:
    assert all(code.meaning for code in CODES.values())


# --- was it sent?


@pytest.mark.parametrize("fault", ["close after", "500 after", "no json"])
async def test_what_arrived_is_found_and_what_did_not_is_not(fault: Fault) -> None:
    async with rig() as r:
        for lost in (False, True):
            made = r.delivery(f"hello {lost}", at=time.time())
            r.twilio.fail("close before" if lost else fault)
            with pytest.raises(UnknownOutcome):
                await r.channel.send(made)
            found = await r.channel.find_sent(made)
            assert (found is None) == lost
            if found is not None:
                assert found.platform_id == r.twilio.taken[-1].sid


async def test_the_same_words_twice_are_told_apart() -> None:
    async with rig() as r:
        await r.channel.send(r.delivery("Anything else?"))
        await r.channel.send(r.delivery("Yes?"))
        for lost in (False, True):
            made = r.delivery("Yes?", at=time.time())
            r.twilio.fail("close before" if lost else "close after")
            with pytest.raises(UnknownOutcome):
                await r.channel.send(made)
            await r.channel.stop()
            await r.channel.start(r.core)  # nothing is in memory any more
            assert (await r.channel.find_sent(made) is None) == lost
            if not lost:
                assert r.twilio.shown() == ["Anything else?", "Yes?", "Yes?"]


async def test_the_same_words_before_something_else_are_not_these() -> None:
    async with rig() as r:
        for text in ("Yes?", "Anything else?"):
            await r.channel.send(r.delivery(text))
        made = r.delivery("Yes?", at=time.time())
        assert await r.channel.find_sent(made) is None


async def test_words_of_long_ago_are_not_these() -> None:
    async with rig() as r:
        await r.send("Yes?")
        r.twilio.taken[0].created -= 3600
        r.core._transcripts.clear()
        made = r.delivery("Yes?", at=time.time())
        assert await r.channel.find_sent(made) is None


async def test_a_callback_proves_it_in_any_process() -> None:
    async with rig() as r:
        r.twilio.fail("close after")
        made = r.delivery("hello")
        with pytest.raises(UnknownOutcome):
            await r.channel.send(made)
        (one,) = r.twilio.taken
        await r.twilio.report(one, "delivered")
        assert r.core.notes == {f"sms.main.taken.{made.id}": one.sid}
        await r.channel.stop()
        await r.channel.start(r.core)
        r.twilio.taken.clear()  # the list is late, or gone
        found = await r.channel.find_sent(made)
        assert found is not None
        assert found.platform_id == one.sid


# --- prices, paces


async def test_what_a_text_costs() -> None:
    async with rig({"prices": {"US": 0.0083}, "countries": ["US", "AT"]}) as r:
        there = r.delivery("x").address
        cost = r.channel.price("a" * 161, there)
        assert cost == Cost(units=2, unit="segments of GSM-7", amount=0.0166, currency="USD")
        assert r.channel.price("“ж”", there).unit == "segments of UCS-2"
        abroad = r.delivery("x", "+436641234567").address
        assert r.channel.price("hello", abroad) == Cost(
            units=1, unit="segments of GSM-7", unpriced="set sms.prices for AT"
        )


@pytest.mark.parametrize(
    ("sender", "rate", "count", "seconds"),
    [
        (OURS, 0, 1, 1.0),
        ("+18005551212", 0, 3, 1.0),
        ("12345", 0, 100, 1.0),
        ("MG" + "1" * 32, 0, 20, 1.0),
        (f"whatsapp:{OURS}", 0, 80, 1.0),
        (OURS, 0.5, 1, 2.0),
        (OURS, 10, 10, 1.0),
        (OURS, 2.5, 2, 0.8),
    ],
)
async def test_each_kind_of_sender_has_its_pace(sender: str, rate: float, count: int, seconds: float) -> None:
    async with rig({"sender": sender, "rate": rate, "countries": ["US"]}) as r:
        pace = r.channel.capabilities.paces[0]
        assert (pace.count, pace.seconds, pace.of) == (count, seconds, "account")


async def test_the_channel_gives_up_before_the_core_does() -> None:
    async with rig({"timeout": 5}) as r:
        assert r.channel.capabilities.send_timeout > 5
