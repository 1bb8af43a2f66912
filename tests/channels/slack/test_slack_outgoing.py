"""What the bot says on Slack: once, found again, changed, and told in the core's errors when it did not arrive."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot import (
    Address,
    Form,
    FormField,
    Media,
    NotSent,
    RateLimited,
    Rejected,
    Reply,
    UnknownOutcome,
)
from bot.errors import SendError
from bot.testing.channel_kit import HOSTILE, soon
from channels.slack import attaching
from tests.channels.slack.bench import CHANNEL, FLAT, PDF, Bench, delivery, opened, settings
from tests.platforms import slack
from tests.platforms.slack import BOT, DM, PERSON, SlackServer
from tests.platforms.slack_rules import seen

THREAD = Address(channel="slack", account="main", chat=DM, thread="1700000000.000001")


@pytest.mark.parametrize("what", HOSTILE)
async def test_no_hostile_words_are_refused(tmp_path: Path, what: str) -> None:
    async with opened(tmp_path) as bench:
        await bench.says(Reply(text=HOSTILE[what]))
        assert bench.platform.shown()


async def test_a_post_is_marked_quiet_and_found_by_its_mark(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        sent = delivery(Reply(text="hello <!channel>"))
        receipt = await bench.channel.send(sent)
        (body,) = bench.called("chat.postMessage")
        assert body["metadata"] == {"event_type": "frontdesk_out", "event_payload": {"oid": "conv.7"}}
        assert body["text"] == "hello &lt;!channel&gt;"
        assert (body["parse"], body["link_names"], body["unfurl_links"]) == ("none", False, False)
        assert await bench.channel.find_sent(sent) == receipt
        assert await bench.channel.find_sent(replace(sent, id="conv.8")) is None


async def test_the_mark_is_found_on_a_later_page_and_in_a_thread(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        first = float(bench.platform.ts())
        for to in (FLAT, THREAD):
            sent = delivery(Reply(text="here"), to, id=f"conv.{to.thread}", first_attempt_at=first)
            receipt = await bench.channel.send(sent)
            for number in range(250):
                bench.platform.written(f"noise {number}", thread=to.thread)
            assert await bench.channel.find_sent(sent) == receipt
            assert await bench.channel.find_sent(replace(sent, first_attempt_at=first + 3600)) is None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", RateLimited),
        ("500", UnknownOutcome),
        ("503", UnknownOutcome),
        ("accept-then-close", UnknownOutcome),
        ("close", UnknownOutcome),
        ("garbage", UnknownOutcome),
    ],
)
async def test_every_fault_has_its_error_and_nothing_is_sent_twice(
    tmp_path: Path, fault: str, error: type[SendError]
) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.fail(fault, method="chat.postMessage", retry_after=7)  # type: ignore[arg-type]
        sent = delivery(Reply(text="hello"))
        with pytest.raises(error) as caught:
            await bench.channel.send(sent)
        if isinstance(caught.value, RateLimited):
            assert (caught.value.retry_after, caught.value.account) == (7, False)
        arrived = fault == "accept-then-close"
        assert len(bench.platform.shown()) == arrived
        assert (await bench.channel.find_sent(sent) is not None) == arrived


async def test_a_refused_connection_was_surely_not_sent(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.platform.stop()
        with pytest.raises(NotSent):
            await bench.channel.send(delivery(Reply(text="hello")))
        await bench.platform.start()
        await bench.channel.send(delivery(Reply(text="hello")))


@pytest.mark.parametrize("wrong", ["channel_not_found", "is_archived", "not_in_channel", "invalid_auth"])
async def test_a_refusal_is_for_good(tmp_path: Path, wrong: str) -> None:
    async with opened(tmp_path) as bench:
        match wrong:
            case "channel_not_found":
                bench.platform.chats.clear()
            case "is_archived":
                bench.platform.chat(DM).archived = True
            case "not_in_channel":
                bench.platform.chat(DM).members.clear()
            case _:
                bench.platform.installed.clear()
        with pytest.raises(Rejected, match=wrong):
            await bench.channel.send(delivery(Reply(text="hello")))


async def test_the_token_is_in_no_error(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.installed.clear()
        with pytest.raises(Rejected) as caught:
            await bench.channel.send(delivery(Reply(text="hello")))
        assert "xoxb" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


async def test_an_edit_says_it_anew_and_twice_is_harmless(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        receipt = await bench.channel.send(delivery(Reply(text="Monday")))
        for _ in range(2):
            await bench.channel.edit(delivery(Reply(text="Tuesday")), receipt.platform_id)
        assert bench.platform.text().strip() == "Tuesday"
        with pytest.raises(Rejected, match="message_not_found"):
            await bench.channel.edit(delivery(Reply(text="x")), "1.000001")


async def test_private_words_are_for_whoever_asked(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        inner = bench.platform.written(f"<@{BOT}> my balance?", chat=CHANNEL)
        said = await bench.hears({**inner, "type": "app_mention"})
        assert said is not None
        await bench.says(Reply(text="40 €", private=True), said.address)
        (shown,) = bench.platform.ephemeral
        assert (shown["to"], shown["channel"]) == (PERSON, CHANNEL)
        assert bench.platform.shown(CHANNEL) == []
        await bench.says(Reply(text="In private anyway", private=True))
        assert "In private anyway" in bench.platform.text()
        with pytest.raises(Rejected, match="whose eyes"):
            await bench.channel.send(delivery(Reply(text="x", private=True), replace(said.address, thread="9.1")))


async def test_a_form_that_can_not_be_noted_is_sent_later(tmp_path: Path) -> None:
    long = Form(title="Long", token="f2", fields=tuple(FormField(name=f"f{n}", label="x" * 200) for n in range(12)))
    async with opened(tmp_path) as bench:
        bench.core.full = True
        with pytest.raises(NotSent):
            await bench.channel.send(delivery(Reply(text="?", form=long)))
        assert bench.platform.shown() == []


# --- files


async def test_a_file_is_uploaded_and_shown_with_the_words(tmp_path: Path, shop: dict[str, bytes]) -> None:
    async with opened(tmp_path) as bench:
        await bench.channel.send(delivery(Reply(text="Here it is", media=(PDF,)), THREAD))
        files, words = bench.platform.shown()
        assert seen(files).strip() == "bill.pdf"
        assert (files["thread_ts"], words["thread_ts"]) == (THREAD.thread, THREAD.thread)
        assert seen(words).strip() == "Here it is"
        assert list(bench.platform.contents.values()) == [b"%PDF"]


async def test_a_file_that_can_not_be_had_is_a_link(tmp_path: Path, shop: dict[str, bytes]) -> None:
    shop.clear()
    async with opened(tmp_path) as bench:
        await bench.channel.send(delivery(Reply(text="Here", media=(PDF,))))
        (words,) = bench.platform.shown()
        assert "Your bill (https://shop.example/bill.pdf)" in seen(words)


async def test_a_file_that_takes_too_long_is_a_link(
    tmp_path: Path, shop: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attaching, "UPLOAD_SECONDS", 0.1)
    async with opened(tmp_path) as bench:
        bench.platform.fail("slow", method="files.getUploadURLExternal")
        await bench.channel.send(delivery(Reply(text="Here", media=(PDF,))))
        assert "Your bill (https://shop.example/bill.pdf)" in bench.platform.text()


async def test_files_alone_say_their_names(tmp_path: Path, shop: dict[str, bytes]) -> None:
    async with opened(tmp_path) as bench:
        sent = delivery(Reply(media=(PDF,)))
        await bench.channel.send(sent)
        assert "Your bill" in bench.platform.text()
        assert await bench.channel.find_sent(sent) is not None


@pytest.mark.parametrize("another_process", [False, True])
async def test_a_file_is_not_shown_twice_when_the_words_fail(
    tmp_path: Path, shop: dict[str, bytes], *, another_process: bool
) -> None:
    async with opened(tmp_path) as bench:
        began = float(bench.platform.ts())
        sent = delivery(Reply(text="Here", media=(PDF,)), first_attempt_at=began)
        bench.platform.fail("429", method="chat.postMessage")
        with pytest.raises(RateLimited):
            await bench.channel.send(sent)
        assert await bench.channel.find_sent(sent) is None
        if another_process:
            async with opened(tmp_path, platform=bench.platform, core=bench.core) as other:
                await other.channel.send(replace(sent, attempt=2))
        else:
            await bench.channel.send(replace(sent, attempt=2))
        assert len(bench.called("files.completeUploadExternal")) == 1
        assert len(bench.platform.shown()) == 2


@pytest.mark.parametrize("arrived", [True, False])
async def test_whether_a_file_was_shown_is_asked_by_its_id(
    tmp_path: Path, shop: dict[str, bytes], *, arrived: bool
) -> None:
    """Another file of the same name, a moment ago, is another file."""
    async with opened(tmp_path) as bench:
        await bench.channel.send(delivery(Reply(text="Before", media=(PDF,)), id="conv.6"))
        sent = delivery(Reply(text="Here", media=(PDF,)), first_attempt_at=float(bench.platform.ts()))
        bench.platform.fail("accept-then-close" if arrived else "close", method="files.completeUploadExternal")
        with pytest.raises(UnknownOutcome):
            await bench.channel.send(sent)
        async with opened(tmp_path, platform=bench.platform, core=bench.core) as other:
            assert await other.channel.find_sent(sent) is None
            await other.channel.send(replace(sent, attempt=2))
        assert [seen(message).strip() for message in bench.platform.shown()] == [
            "bill.pdf",
            "Before",
            "bill.pdf",
            "Here",
        ]
        assert not [key for key in bench.core.notes if ".files." in key]


async def test_files_that_can_not_be_noted_are_not_shown(tmp_path: Path, shop: dict[str, bytes]) -> None:
    async with opened(tmp_path) as bench:
        bench.core.full = True
        with pytest.raises(NotSent):
            await bench.channel.send(delivery(Reply(text="Here", media=(PDF,))))
        bench.core.full = False
        assert bench.platform.shown() == []
        await bench.channel.send(delivery(Reply(text="Here", media=(PDF,)), attempt=2))
        assert len(bench.platform.shown()) == 2


async def test_an_upload_goes_to_slack_only(tmp_path: Path, shop: dict[str, bytes]) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.files_url = "http://127.0.0.1:1/"
        await bench.channel.send(delivery(Reply(text="Here", media=(PDF,))))
        assert bench.platform.contents == {}
        assert "Your bill" in bench.platform.text()


async def test_a_picture_that_slack_can_not_show_becomes_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(body: dict[str, object]) -> str:
        blocks = body.get("blocks", [])
        assert isinstance(blocks, list)
        return "invalid_blocks" if any(block["type"] == "image" for block in blocks) else ""

    monkeypatch.setattr(slack, "wrong_message", refusing)
    async with opened(tmp_path) as bench:
        picture = Media(url="https://shop.example/a.png", type="image/png", alt="A lamp")
        await bench.channel.send(delivery(Reply(text="Look", media=(picture,))))
        (message,) = bench.platform.shown()
        assert "A lamp (https://shop.example/a.png)" in seen(message)


# --- drafts


async def growing(bench: Bench, to: Address, *texts: str) -> None:
    for text in texts:
        await bench.channel.draft(to, "d1", text)

        def there(text: str = text) -> bool:
            return bool(bench.platform.shown()) and text in seen(bench.platform.shown()[-1])

        assert await soon(there)


FINAL = Reply(text="Once upon a **time** there was a lamp.", draft="d1")


async def test_a_draft_grows_in_one_message_and_becomes_the_reply(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await growing(bench, FLAT, "Once", "Once upon", "Once upon a time")
        sent = delivery(FINAL)
        receipt = await bench.channel.send(sent)
        (message,) = bench.platform.shown()
        assert seen(message).strip() == "Once upon a time there was a lamp."
        assert receipt.platform_id == message["ts"]
        assert await bench.channel.find_sent(sent) == receipt
        assert bench.called("chat.startStream") == []


async def test_in_an_assistants_thread_it_is_a_native_stream(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await growing(bench, THREAD, "Once <@U1>", "Once <@U1> upon")
        assert [body["markdown_text"] for body in bench.called("chat.appendStream")] == [" upon"]
        assert bench.called("chat.startStream")[0]["markdown_text"] == "Once &lt;@U1&gt;"
        await bench.channel.send(delivery(FINAL, THREAD))
        (message,) = bench.platform.shown()
        assert seen(message).strip() == "Once upon a time there was a lamp."
        assert bench.platform.streams == {}


async def test_the_death_of_a_stream_is_survived(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await growing(bench, THREAD, "Once")
        bench.platform.stream_seconds = 0.0
        await growing(bench, THREAD, "Once upon", "Once upon a time")
        assert bench.called("chat.update")
        await bench.channel.send(delivery(FINAL, THREAD))
        (message,) = bench.platform.shown()
        assert seen(message).strip() == "Once upon a time there was a lamp."


async def test_a_stream_that_died_unnoticed_ends_with_the_whole_text(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await growing(bench, THREAD, "Once")
        bench.platform.stream_seconds = 0.0
        await bench.channel.send(delivery(FINAL, THREAD))
        (message,) = bench.platform.shown()
        assert seen(message).strip() == "Once upon a time there was a lamp."


async def test_without_native_streams_a_message_is_edited(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.platform.native_streams = False
        await growing(bench, THREAD, "Once", "Once upon", "Something else")
        await bench.channel.send(delivery(FINAL, THREAD))
        (message,) = bench.platform.shown()
        assert seen(message).strip() == "Once upon a time there was a lamp."


async def test_a_stream_only_grows_so_other_words_are_an_edit(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await growing(bench, THREAD, "Once", "Something else")
        assert len(bench.platform.shown()) == 1


async def test_drafts_keep_the_pace_and_leave_out_what_is_old(tmp_path: Path) -> None:
    platform = SlackServer()
    await platform.start()
    slow = settings(platform).model_copy(update={"draft_pace": 0.2})
    async with opened(tmp_path, slow, platform=platform) as bench:
        words = [f"word{number}" for number in range(60)]
        for number in range(1, 61):
            await bench.channel.draft(FLAT, "d1", " ".join(words[:number]))
            await asyncio.sleep(0.01)
        assert await soon(lambda: "word59" in platform.text())
        assert 2 <= len([name for name, _ in platform.calls if name.startswith("chat.")]) <= 6
    await platform.stop()


async def test_429_in_the_middle_ends_with_the_whole_text(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await growing(bench, FLAT, "Once")
        bench.platform.fail("429", times=3, retry_after=0.1)
        await growing(bench, FLAT, "Once upon a time")
        bench.platform.fail("429", method="chat.update")
        with pytest.raises(RateLimited):
            await bench.channel.send(delivery(FINAL))
        await bench.channel.send(delivery(FINAL, attempt=2))
        (message,) = bench.platform.shown()
        assert seen(message).strip() == "Once upon a time there was a lamp."


async def test_a_draft_that_is_gone_is_posted_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await growing(bench, FLAT, "Once")
        bench.platform.chat(DM).messages.clear()
        await bench.channel.send(delivery(FINAL))
        (message,) = bench.platform.shown()
        assert seen(message).strip() == "Once upon a time there was a lamp."


async def test_nothing_of_a_draft_comes_after_its_reply(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        for number in range(20):
            await bench.channel.draft(FLAT, f"d{number}", "Once")
            await bench.channel.draft(FLAT, f"d{number}", "Once upon")
            await asyncio.sleep(0.003 * (number % 7))
            await bench.channel.send(delivery(replace(FINAL, draft=f"d{number}"), id=f"conv.{number}"))
        await asyncio.sleep(0.1)
        assert [seen(one).strip() for one in bench.platform.shown()] == ["Once upon a time there was a lamp."] * 20


async def test_an_uncertain_end_of_a_draft_is_looked_up_and_repeated(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        began = float(bench.platform.ts())
        await growing(bench, FLAT, "Once")
        sent = delivery(FINAL, first_attempt_at=began)
        bench.platform.fail("close", method="chat.update")
        with pytest.raises(UnknownOutcome):
            await bench.channel.send(sent)
        assert await bench.channel.find_sent(sent) is None
        bench.platform.fail("accept-then-close", method="chat.update")
        with pytest.raises(UnknownOutcome):
            await bench.channel.send(sent)
        assert await bench.channel.find_sent(sent) is not None
        assert len(bench.platform.shown()) == 1


async def test_a_stopped_channel_shows_nothing_and_sends_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.channel.draft(FLAT, "d1", "Once")
        await bench.channel.stop()
        before = len(bench.platform.calls)
        await bench.channel.draft(FLAT, "d1", "Once upon")
        await bench.channel.typing(THREAD, on=True)
        for call in (bench.channel.send, bench.channel.find_sent):
            with pytest.raises(NotSent):
                await call(delivery(Reply(text="hello")))
        assert len(bench.platform.calls) == before
