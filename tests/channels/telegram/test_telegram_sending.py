"""What the bot says: each failure in the core's words, files one way or another, drafts that end as the reply."""

from __future__ import annotations

import asyncio
import socket

import pytest
from msgspec.structs import replace
from telegram import Bot

from bot import (
    Address,
    Button,
    Choice,
    Media,
    Mention,
    Message,
    NotSent,
    RateLimited,
    Reacted,
    Rejected,
    Reply,
    SendError,
    UnknownOutcome,
)
from bot.testing.channel_kit import soon
from channels.telegram import api
from tests.channels.telegram.fakes import ANA, GROUP, Bench, bench, button_of, channel_for, delivery
from tests.platforms.telegram import ANA as ANA_ON_TELEGRAM
from tests.platforms.telegram import BEN, FORUM, TelegramServer
from tests.platforms.telegram import GROUP as GROUP_CHAT

PICTURE = Media(url="https://files.example/cat.png", name="cat.png", type="image/png", alt="A cat")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("429", RateLimited),
        ("500", UnknownOutcome),
        ("no with 200", Rejected),
        ("garbage", UnknownOutcome),
        ("close after", UnknownOutcome),
        ("close before", UnknownOutcome),
    ],
)
async def test_faults_in_the_cores_words(fault: str, expected: type[SendError]) -> None:
    async with bench() as b:
        b.server.fail(fault, "sendMessage", retry_after=7)  # type: ignore[arg-type]
        with pytest.raises(expected) as caught:
            await b.says("hello")
        if isinstance(caught.value, RateLimited):
            assert (caught.value.retry_after, caught.value.account) == (7.0, False)
        assert b.server.token not in repr(caught.value)
        assert len(b.server.made("sendMessage")) == (fault in ("garbage", "close after"))


async def refused(b: Bench, chat: str, retry_after: int) -> RateLimited:
    b.server.fail("429", "sendMessage", retry_after=retry_after)
    with pytest.raises(RateLimited) as caught:
        await b.says("hello", replace(ANA, chat=chat))
    return caught.value


async def test_several_chats_that_are_refused_at_once_are_the_whole_bots_flood() -> None:
    async with bench() as b:
        whole = [(await refused(b, chat, 3)).account for chat in ("5001", "5001", "5001", "5002", "-4001", "5001")]
        assert whole == [False, False, False, False, True, True]


async def test_two_chats_that_shall_wait_long_are_too() -> None:
    async with bench() as b:
        assert not (await refused(b, "5001", 40)).account
        assert not (await refused(b, "5002", 3)).account
        limit = await refused(b, "-4001", 35)
        assert (limit.account, limit.retry_after) == (True, 35)


async def test_refusals_far_apart_are_each_chats_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.floods.TOGETHER", 0.0)
    async with bench() as b:
        assert not any([(await refused(b, chat, 60)).account for chat in ("5001", "5002", "-4001")])


async def test_drafts_rest_while_the_whole_bot_shall() -> None:
    async with bench() as b:
        for chat in ("5001", "5002", "-4001"):
            await refused(b, chat, 1)
        await b.channel.draft(ANA, "key", "growing")
        await asyncio.sleep(0.3)
        assert b.server.shown[5001] == []
        assert await soon(lambda: b.server.sees() == "growing")


async def test_a_call_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ANSWER", 0.2)
    async with bench() as b:
        b.server.fail("hang", "sendMessage")
        with pytest.raises(UnknownOutcome):
            await b.says("hello")


async def test_a_server_that_is_not_there_was_not_reached() -> None:
    async with bench() as b:
        await b.server.stop()
        with pytest.raises(NotSent):
            await b.says("hello")


async def test_a_line_that_nobody_answers_tls_on_was_not_reached() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        calls = api.Api("1:abc", f"https://127.0.0.1:{port}")
        loop = asyncio.get_running_loop()

        def hang_up() -> None:
            listening.accept()[0].close()

        accepting = loop.run_in_executor(None, hang_up)
        with pytest.raises(NotSent):
            await calls.call(lambda bot: bot.get_me(), dict)
        await accepting
        await calls.close()


async def test_a_call_that_can_not_be_made_is_refused_and_a_closed_line_was_not_reached() -> None:
    calls = api.Api("1:abc", "http://127.0.0.1:9")

    async def impossible(bot: Bot) -> None:
        await bot.send_message(1, "half \ud83d")

    with pytest.raises(Rejected):
        await calls.call(impossible, dict)
    await calls.close()
    with pytest.raises(NotSent):
        await calls.call(lambda bot: bot.get_me(), dict)


async def test_an_answer_that_is_not_what_the_sdk_expects_is_still_an_answer() -> None:
    async with bench() as b:

        async def odd(given: object, files: object) -> object:
            return {"message_id": 7, "date": "yesterday"}

        async def odder(given: object, files: object) -> object:
            return [True]

        b.server._on_sendmessage = odd  # type: ignore[assignment]
        assert await b.says("hello") == ["7"]
        b.server._on_sendmessage = odder  # type: ignore[assignment]
        assert await b.says("hello") == [""]


@pytest.mark.parametrize(
    ("said", "silence"),
    [
        ("Forbidden: bot was blocked by the user", "blocked"),
        ("Forbidden: user is deactivated", "blocked"),
        ("Forbidden: bot was kicked from the group chat", "blocked"),
        ("Forbidden: bot is not a member of the supergroup chat", "blocked"),
        ("Forbidden: not enough rights", ""),
    ],
)
async def test_who_does_not_want_us_is_left_alone(said: str, silence: str) -> None:
    async with bench() as b:
        b.server.blocked[5001] = said
        with pytest.raises(Rejected) as caught:
            await b.says("hello")
        assert caught.value.silence == silence


async def test_a_revoked_token_loses_nothing() -> None:
    async with bench() as b:
        b.server.token = "123456:ANOTHER-token"
        with pytest.raises(NotSent, match="token"):
            await b.says("hello")


async def test_chats_that_are_none_are_refused() -> None:
    async with bench() as b:
        for chat in ("77", "x", "@channel", ""):
            with pytest.raises(Rejected):
                await b.says("hello", replace(ANA, chat=chat))


async def test_a_group_that_became_a_supergroup_goes_on_as_the_same_conversation() -> None:
    async with bench() as b:
        new = {"id": -1004001, "type": "supergroup", "title": "Lamp lovers"}
        b.server.chats[-1004001] = new
        b.server.moved[-4001] = -1004001
        await b.says("learnt from the refusal", GROUP)
        assert "learnt from the refusal" in b.server.sees(-1004001)
        (said,) = await b.writes("@frontdesk_bot hello", chat=new)
        assert said.address == GROUP
        # Once learnt, nobody asks in the old place again; nor after a restart, nor in another process.
        refused = len(b.server.refused)
        other = channel_for(b.server)
        await other.start(b.core)
        await other.send(delivery("from another process", GROUP))
        assert "from another process" in b.server.sees(-1004001)
        assert len(b.server.refused) == refused
        await other.stop()


async def test_a_move_that_telegram_tells_of_is_known_to_all() -> None:
    async with bench() as b:
        new = {"id": -1004001, "type": "supergroup", "title": "Lamp lovers"}
        b.server.chats[-1004001] = new
        assert (await b.writes("@frontdesk_bot hello", chat=new))[0].address.chat == "-1004001"
        assert await b.writes(chat=GROUP_CHAT, more={"migrate_to_chat_id": -1004001}) == []
        assert await b.writes(chat=new, more={"migrate_from_chat_id": -4001}) == []
        assert (await b.writes("@frontdesk_bot hello", chat=new))[0].address == GROUP
        await b.says("there", GROUP)
        assert "there" in b.server.sees(-1004001)


async def test_topics_get_their_answers() -> None:
    async with bench() as b:
        (said,) = await b.writes("/track", chat=FORUM, more={"is_topic_message": True, "message_thread_id": 44})
        await b.says("here", said.address)
        assert b.server.made("sendMessage")[-1].given["message_thread_id"] == 44


async def test_marks_that_are_refused_are_left_out() -> None:
    async with bench() as b:
        b.server.refuse_entities = True
        (id,) = await b.says("This is **loud** and [here](https://e.example/a).")
        assert b.server.sees().strip() == "This is loud and here (https://e.example/a)."
        await b.channel.edit(delivery("This is **quiet**."), id)
        assert b.server.sees().strip() == "This is quiet."
        assert len(b.server.refused) == 2


async def test_a_mention_calls_whom_the_author_named() -> None:
    async with bench() as b:
        await b.says(Reply(text="[Ana](mention:0), @ben, look", mentions=(Mention(user="5001", name="Ana"),)), GROUP)
        message = b.server.shown[-4001][0].message
        assert [(one["type"], one["user"]["id"]) for one in message["entities"]] == [("text_mention", 5001)]
        assert "@ben" not in message["text"]
        assert "Ana, @ben, look" in b.server.sees(-4001)


async def test_only_a_lone_link_has_a_preview() -> None:
    async with bench() as b:
        await b.says("https://shop.example/lamp")
        await b.says("See https://shop.example/lamp")
        previews = [call.given["link_preview_options"]["is_disabled"] for call in b.server.made("sendMessage")]
        assert previews == [False, True]


async def test_a_token_too_long_for_a_button_comes_back_whole() -> None:
    async with bench() as b:
        token = "c0123456789abcdef0123.17." + "9" * 80
        button = Button(token=token, label="Yes", value="yes")
        await b.channel.send(delivery(Reply(text="Sure?", choices=(Choice(label="Yes"),), buttons=(button,))))
        assert len(button_of(b.server)["callback_data"].encode()) <= 64
        (pressed,) = await b.hears(b.server.press("Yes"))
        assert pressed.content.token == token  # type: ignore[union-attr]


CODE = Reply(text="Your code is 1234.", private=True, buttons=(Button(token="t.0", label="Thanks", value=""),))
HINT = "I can only tell you that in private. Write to me here and ask me again: https://t.me/frontdesk_bot"


async def test_private_words_for_a_group_go_to_the_chat_of_whoever_asked() -> None:
    async with bench() as b:
        await b.writes("hello")
        await b.writes("hello", chat=b.server.chats[5002], sender=BEN)
        await b.writes("@frontdesk_bot my code?", chat=GROUP_CHAT, sender=BEN)
        await b.writes("@frontdesk_bot my code?", chat=GROUP_CHAT)
        assert await b.says(CODE, GROUP) == [""], "nobody could edit that from the group"
        assert (b.server.sees(-4001), b.server.sees(5002)) == ("", "")
        assert b.server.sees() == "Your code is 1234.", "and no button that would answer nothing"
        await b.says(CODE)
        assert b.server.sees().splitlines()[1:] == ["Your code is 1234.", "Thanks"]


async def test_who_never_opened_a_chat_is_told_how_and_nothing_else() -> None:
    async with bench() as b:
        await b.writes("@frontdesk_bot my code?", chat=GROUP_CHAT)
        await b.says(CODE, GROUP)
        assert b.server.sees(-4001) == HINT
        assert b.server.sees() == ""


async def test_who_blocked_the_bot_is_told_too_and_the_group_is_not_silenced() -> None:
    async with bench() as b:
        await b.writes("hello")
        b.server.blocked[5001] = "Forbidden: bot was blocked by the user"
        await b.writes("@frontdesk_bot my code?", chat=GROUP_CHAT)
        await b.says(CODE, GROUP)
        assert b.server.sees(-4001) == HINT


async def test_reactions_in_a_group_count_where_they_are_to_our_own_words() -> None:
    async with bench() as b:

        async def reacts(target: int) -> list[Message]:
            thumb = [{"type": "emoji", "emoji": "👍"}]
            about = {"chat": GROUP_CHAT, "message_id": target, "user": ANA_ON_TELEGRAM, "date": 1}
            return await b.hears(b.server.update(message_reaction={**about, "old_reaction": [], "new_reaction": thumb}))

        b.core.ours.add(("-4001", "77"))
        assert await reacts(76) == []
        (message,) = await reacts(77)
        assert message.content == Reacted(target="77", emoji="👍")
        assert message.address == GROUP


# --- files


async def test_a_picture_that_telegram_can_not_get_becomes_a_link() -> None:
    async with bench() as b:
        b.server.lost_files.add(PICTURE.url)
        await b.says(Reply(text="Look:", media=(PICTURE,)))
        assert b.server.sees().strip() == "Look:\n\nA cat\nA cat (https://files.example/cat.png)"


async def test_our_own_files_are_uploaded_where_telegram_can_not_reach_us() -> None:
    async with bench() as files:
        files.server.files["bill.txt"] = b"to pay: 40"
        ours = f"{files.server.url}/file/bot{files.server.token}/bill.txt"
        async with bench(polling=True, public_url=files.server.url) as b:
            await b.says(Reply(text="Your bill", media=(Media(url=ours, name="bill.txt", type="text/plain"),)))
            (call,) = b.server.made("sendDocument")
            assert call.files == ("bill.txt",)
            assert b.server.sees().startswith("Your bill\nbill.txt")


async def test_pictures_documents_and_sounds_are_sent_as_such() -> None:
    async with bench() as b:
        for kind, name in (
            ("image/gif", "sendAnimation"),
            ("audio/ogg", "sendVoice"),
            ("audio/mpeg", "sendAudio"),
            ("video/mp4", "sendVideo"),
            ("application/pdf", "sendDocument"),
        ):
            await b.says(Reply(media=(Media(url="https://files.example/a.pdf", type=kind),)))
            assert len(b.server.made(name)) == 1


async def test_after_an_unknown_outcome_only_the_rest_is_sent_again() -> None:
    async with bench() as b:
        reply = delivery(Reply(text="Look: " * 300, media=(PICTURE, PICTURE)))
        b.server.fail("500", "sendMediaGroup")
        with pytest.raises(UnknownOutcome):
            await b.channel.send(reply)
        await b.channel.send(replace(reply, attempt=2))
        assert (len(b.server.made("sendMessage")), len(b.server.made("sendMediaGroup"))) == (1, 1)


async def test_files_of_people_are_fetched_and_the_token_stays_here() -> None:
    async with bench() as b:
        b.server.files["files/voice1.bin"] = b"voice" * 1000
        (said,) = await b.writes(more={"voice": {"file_id": "voice1", "file_unique_id": "u", "duration": 1}})
        assert said.media[0].url == "https://bot.example/files/telegram/main/voice1"
        async with b.channel.open_file("voice1") as download:
            assert b"".join([chunk async for chunk in download.chunks]) == b"voice" * 1000
            assert download.name == "voice1.bin"
        with pytest.raises(Rejected) as caught:
            async with b.channel.open_file("gone"):
                pass
        b.server.files["files/later.bin"] = b"x"
        b.server.fail("close before", "getFile")
        with pytest.raises(SendError):
            async with b.channel.open_file("later"):
                pass
        assert b.server.token not in repr(caught.value)


# --- drafts and edits


async def test_a_reply_grows_in_one_message_and_ends_whole() -> None:
    async with bench() as b:
        for n in range(1, 40):
            await b.channel.draft(ANA, "k", "word " * n)
            await asyncio.sleep(0.05)
        (id,) = await b.says(Reply(text="word " * 40 + "end", draft="k"))
        assert len(b.server.shown[5001]) == 1
        assert b.server.sees().strip() == "word " * 40 + "end"
        assert id == str(b.server.shown[5001][0].message["message_id"])
        # Paced, not one edit a piece: at most one a second, and the end.
        assert len(b.server.made("editMessageText")) <= 4
        await b.channel.draft(ANA, "k", "too late")
        await asyncio.sleep(0.05)
        assert len(b.server.shown[5001]) == 1


async def test_a_draft_survives_too_many_requests() -> None:
    async with bench() as b:
        await b.channel.draft(ANA, "k", "one")
        assert await soon(lambda: "one" in b.server.sees())
        b.server.fail("429", "editMessageText", retry_after=1)
        await b.channel.draft(ANA, "k", "one two")
        assert await soon(lambda: "one two" in b.server.sees())
        await b.says(Reply(text="one two three", draft="k"))
        assert b.server.sees().strip() == "one two three"


@pytest.mark.parametrize("fault", ["429", "500", "close after", "garbage"])
async def test_an_end_that_fails_is_made_again_in_the_same_place(fault: str) -> None:
    async with bench() as b:
        await b.channel.draft(ANA, "k", "one")
        assert await soon(lambda: "one" in b.server.sees())
        reply = delivery(Reply(text="one two", draft="k"))
        b.server.fail(fault, "editMessageText")  # type: ignore[arg-type]
        with pytest.raises((RateLimited, UnknownOutcome)):
            await b.channel.send(reply)
        await b.channel.send(replace(reply, attempt=2))
        assert [shown.message["text"] for shown in b.server.shown[5001]] == ["one two"]


async def test_a_draft_that_somebody_deleted_is_posted_anew() -> None:
    async with bench() as b:
        await b.channel.draft(ANA, "k", "one")
        assert await soon(lambda: "one" in b.server.sees())
        b.server.shown[5001].clear()
        await b.says(Reply(text="one two", draft="k"))
        assert b.server.sees().strip() == "one two"


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
async def test_the_end_waits_for_the_draft_that_is_under_way(method: str) -> None:
    async with bench() as b:
        if method == "editMessageText":
            await b.channel.draft(ANA, "k", "o")
            assert await soon(lambda: "o" in b.server.sees())
        b.server.fail("late", method)
        await b.channel.draft(ANA, "k", "one")
        assert await soon(lambda: "one" in b.server.sees())  # there, but nobody has told us yet
        await b.says(Reply(text="one two", draft="k"))
        await asyncio.sleep(0.4)
        assert [shown.message["text"] for shown in b.server.shown[5001]] == ["one two"]


async def test_a_long_end_has_its_rest_in_new_messages_and_its_picture_below() -> None:
    async with bench() as b:
        await b.channel.draft(ANA, "k", "x" * 5000)
        assert await soon(lambda: "xxx" in b.server.sees())
        words = " ".join(f"word{n:05d}" for n in range(800))
        await b.says(Reply(text=words, media=(PICTURE,), draft="k"))
        shown = [one.message for one in b.server.shown[5001]]
        assert " ".join(" ".join(one.get("text") or one["caption"] for one in shown).split()[:800]) == words
        assert "xxx" not in b.server.sees()
        assert "photo" in shown[-1]


async def test_an_edit_changes_what_was_said() -> None:
    async with bench() as b:
        (id,) = await b.says("one")
        await b.channel.edit(delivery("**two**"), id)
        await b.channel.edit(delivery("**two**"), id)  # twice is harmless
        assert b.server.sees().strip() == "two"
        (photo,) = await b.says(Reply(text="Look", media=(PICTURE,)))
        await b.channel.edit(delivery("Look again"), photo)
        assert "Look again" in b.server.sees()
        for gone in ("99999", "", "x"):
            with pytest.raises(Rejected):
                await b.channel.edit(delivery("three"), gone)


# --- typing


async def test_typing_is_shown_again_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.speaking.REPEAT", 0.05)
    async with bench() as b:
        await b.channel.typing(ANA, on=True)
        await b.channel.typing(ANA, on=True)
        assert await soon(lambda: len(b.server.made("sendChatAction")) >= 3)
        await b.channel.typing(ANA, on=False)
        await asyncio.sleep(0.1)
        told = len(b.server.made("sendChatAction"))
        await asyncio.sleep(0.2)
        assert len(b.server.made("sendChatAction")) == told
        b.server.fail("500", "sendChatAction")
        await b.channel.typing(Address(channel="telegram", account="main", chat="x"), on=True)
        await b.channel.typing(ANA, on=True)


def test_groups_have_a_pace_of_their_own() -> None:
    channel = channel_for(TelegramServer())
    assert [(pace.count, pace.seconds, pace.of) for pace in channel.paces(ANA)] == [
        (30, 1.0, "account"),
        (1, 1.0, "conversation"),
    ]
    assert [(pace.count, pace.seconds, pace.of) for pace in channel.paces(GROUP)][2:] == [(20, 60.0, "conversation")]


async def test_nothing_is_kept_of_typing_that_nobody_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.speaking.LONGEST_TYPING", 0.0)
    async with bench() as b:
        for number in range(20):
            await b.channel.typing(Address(channel="telegram", account="main", chat=str(number)), on=True)
        speaker = b.channel._speaker
        assert speaker is not None
        assert await soon(lambda: not speaker._typing)


async def test_a_change_whose_marks_are_refused_may_be_made_twice() -> None:
    server = TelegramServer(refuse_entities=True)
    async with bench(server=server) as b:
        (id,) = await b.says("hello")
        for _ in range(2):
            await b.channel.edit(delivery("**hello** again"), id)
        assert b.server.sees() == "hello again"


# --- albums

CAT, DOG = replace(PICTURE, alt=""), replace(PICTURE, url="https://files.example/dog.png", name="dog.png", alt="")
FILM = Media(url="https://files.example/film.mp4", name="film.mp4", type="video/mp4")
CHOICES = (Button(token="t.0", label="Yes", value="yes"),)
PAGE = Media(url="https://files.example/page.pdf", name="page.pdf", type="application/pdf")


async def test_several_pictures_are_one_album_with_the_words_below() -> None:
    async with bench() as b:
        (first,) = await b.says(Reply(text="My **holiday**", media=(CAT, FILM, DOG)))
        (call,) = b.server.made("sendMediaGroup")
        assert [item["type"] for item in call.given["media"]] == ["photo", "video", "photo"]
        assert [item.get("caption") for item in call.given["media"]] == ["My holiday", None, None]
        assert call.given["media"][0]["caption_entities"][0]["type"] == "bold"
        assert [str(shown.message["message_id"]) for shown in b.server.shown[5001]] == first.split()


async def test_what_describes_a_picture_stays_with_it_and_the_words_stand_alone() -> None:
    async with bench() as b:
        await b.says(Reply(text="Choose one", media=(PICTURE, replace(DOG, alt="A dog"))))
        assert b.server.sees() == "Choose one\nA cat\nA dog"


async def test_an_album_has_no_room_for_buttons_so_these_come_with_the_words_below() -> None:
    async with bench() as b:
        await b.says(Reply(text="Which one?", media=(CAT, DOG), buttons=CHOICES))
        await b.says(Reply(media=(CAT, DOG), buttons=CHOICES))
        assert b.server.sees().split() == ["Which", "one?", "Yes", "…", "Yes"]
        assert [call.method for call in b.server.calls if call.method.startswith("send")] == [
            "sendmediagroup",
            "sendmessage",
        ] * 2


@pytest.mark.parametrize(
    ("files", "sizes"),
    [
        ((CAT,) * 11, [10, 1]),
        ((CAT,) * 23, [10, 10, 3]),
        ((CAT, PAGE, PAGE, DOG), [1, 2, 1]),
        ((replace(CAT, type="image/gif"),) * 2, [1, 1]),
        ((CAT, replace(CAT, type="audio/ogg"), DOG), [1, 1, 1]),
    ],
)
async def test_only_what_goes_together_is_together(files: tuple[Media, ...], sizes: list[int]) -> None:
    async with bench() as b:
        await b.says(Reply(media=files))
        sent = [call for call in b.server.calls if call.method.startswith("send")]
        assert [len(call.given.get("media", "1")) for call in sent] == sizes


async def test_an_album_of_which_one_is_lost_is_sent_one_by_one_and_nothing_twice() -> None:
    async with bench() as b:
        b.server.lost_files.add(DOG.url)
        made = b.core.deliveries(b.channel, Reply(text="Look", media=(CAT, DOG, CAT)), ANA)
        (one,) = made
        await b.channel.send(one)
        assert b.server.made("sendMediaGroup") == []
        files = [shown.file or shown.message.get("text", "") for shown in b.server.shown[5001]]
        assert files[0] == CAT.url
        assert "dog.png" in files[1]
        assert files[2] == CAT.url


async def test_an_attempt_that_follows_goes_on_behind_what_an_album_came_to() -> None:
    async with bench() as b:
        b.server.lost_files.add(DOG.url)
        (one,) = b.core.deliveries(b.channel, Reply(text="Look", media=(CAT, DOG, CAT)), ANA)
        b.server.fail("429", "sendMessage")  # the link in the place of the lost one
        with pytest.raises(RateLimited):
            await b.channel.send(one)
        await b.channel.send(one)
        assert len(b.server.shown[5001]) == 3


async def test_files_that_telegram_can_not_reach_are_uploaded_together() -> None:
    async with bench() as files:
        at = f"{files.server.url}/file/bot{files.server.token}"
        files.server.files |= {"a.png": b"one", "b.png": b"two"}
        ours = tuple(replace(CAT, url=f"{at}/{name}", name=name) for name in ("a.png", "b.png"))
        async with bench(polling=True, public_url=files.server.url) as b:
            await b.says(Reply(text="Look", media=ours))
            (call,) = b.server.made("sendMediaGroup")
            assert sorted(call.files) == ["a.png", "b.png"]
            assert b.server.sees() == "Look\n"
