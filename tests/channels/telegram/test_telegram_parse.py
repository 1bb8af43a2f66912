"""What Telegram's updates say, in the core's words: one of each kind, and whatever else may come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Command, Consent, Contact, Content, Edited, Joined, Media, Pressed, Reacted, Text
from channels.telegram.parse import Identity, Read, event_id_of, read

ME = Identity("main", 123456, "frontdesk_bot")
ANA = {"id": 5001, "is_bot": False, "first_name": "Ana", "last_name": "Test", "language_code": "de"}
PRIVATE = {"id": 5001, "type": "private", "first_name": "Ana"}
GROUP = {"id": -4001, "type": "group", "title": "Lamp lovers"}
OURS = {"id": 123456, "is_bot": True, "first_name": "Frontdesk"}


def url_of(ref: str, name: str) -> str:
    return f"https://bot.example/files/{ref}/{name}"


def parsed(update: dict[str, Any] | bytes) -> Read:
    body = update if isinstance(update, bytes) else json.dumps({"update_id": 7, **update}).encode()
    return read(body, ME, url_of, 1000.0)


def message(**parts: Any) -> dict[str, Any]:
    return {"message": {"message_id": 9, "date": 500, "chat": PRIVATE, "from": ANA, **parts}}


def content(update: dict[str, Any]) -> Content | None:
    found = parsed(update)
    assert not found.problem
    return found.messages[0].content if found.messages else None


def test_a_text_with_its_sender_and_address() -> None:
    (said,) = parsed(message(text="Where is order 42?")).messages
    assert (said.event_id, said.platform_id, said.at) == ("7", "9", 500.0)
    assert said.content == Text(text="Where is order 42?")
    assert (said.address.channel, said.address.account, said.address.chat, said.address.thread) == (
        "telegram",
        "main",
        "5001",
        "",
    )
    assert (said.sender.id, said.sender.name, said.sender.language, said.sender.verified) == (
        "5001",
        "Ana Test",
        "de",
        False,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/start", Command(name="start")),
        ("/start order-42", Command(name="start", text="order-42")),
        ("/Track@Frontdesk_Bot 42 now", Command(name="track", text="42 now")),
        ("/track@other_bot 42", None),
        ("/", Text(text="/")),
        ("/not a-command? no: /a", Command(name="not", text="a-command? no: /a")),
        ("1/2", Text(text="1/2")),
        ("/usr/bin", Text(text="/usr/bin")),
    ],
)
def test_commands(text: str, expected: Content | None) -> None:
    assert content(message(text=text)) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"text": "hello everybody"}, None),
        ({"text": "@frontdesk_bot where is it?"}, "where is it?"),
        ({"text": "where is it, @Frontdesk_Bot?"}, "where is it, ?"),
        ({"text": "@frontdesk_bot, help"}, "help"),
        ({"text": "hey @frontdesk_bot help"}, "hey help"),
        ({"text": "@frontdesk_bot2 help"}, None),
        ({"text": "mail@frontdesk_bot help"}, None),
        ({"text": "@frontdesk_bot"}, ""),
        ({"text": "no", "reply_to_message": {"message_id": 3, "chat": GROUP, "from": OURS}}, "no"),
        ({"text": "no", "reply_to_message": {"message_id": 3, "chat": GROUP, "from": ANA}}, None),
        (
            {"text": "you there", "entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": OURS}]},
            "you there",
        ),
        ({"caption": "@frontdesk_bot look", "photo": [{"file_id": "p"}]}, "look"),
        ({"photo": [{"file_id": "p"}]}, None),
        # In a topic that the bot opened everything "answers" the message that opened it.
        (
            {
                "text": "no",
                "is_topic_message": True,
                "message_thread_id": 3,
                "reply_to_message": {"message_id": 3, "chat": GROUP, "from": OURS},
            },
            None,
        ),
    ],
)
def test_in_a_group_only_what_is_said_to_us(parts: dict[str, Any], expected: str | None) -> None:
    found = content(message(**{"chat": GROUP, **parts}))
    assert (found.text if isinstance(found, Text) else found) == expected


def test_a_command_in_a_group_is_for_us_unless_it_names_another() -> None:
    assert content(message(chat=GROUP, text="/track 42")) == Command(name="track", text="42")
    assert content(message(chat=GROUP, text="/track@other_bot 42")) is None


def test_topics_are_threads_and_replies_are_not() -> None:
    topic = message(chat=GROUP, text="/a", is_topic_message=True, message_thread_id=44)
    assert parsed(topic).messages[0].address.thread == "44"
    # In other supergroups a reply has a thread id too, and is no topic.
    assert parsed(message(chat=GROUP, text="/a", message_thread_id=44)).messages[0].address.thread == ""


def test_who_stays_anonymous_is_the_group() -> None:
    anonymous = message(chat=GROUP, text="/a", sender_chat=GROUP) | {}
    anonymous["message"]["from"] = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    (said,) = parsed(anonymous).messages
    assert (said.sender.id, said.sender.name) == ("-4001", "Lamp lovers")


@pytest.mark.parametrize(
    "parts",
    [
        {"from": OURS},
        {"is_automatic_forward": True},
        {"sender_chat": {"id": -100999, "type": "channel", "title": "News"}},
    ],
)
def test_bots_and_channels_get_no_answer(parts: dict[str, Any]) -> None:
    assert parsed(message(**{"text": "/start", **parts})).messages == ()


def test_files_are_ours_to_fetch() -> None:
    sizes = [{"file_id": "small", "width": 90, "height": 90}, {"file_id": "large", "width": 900, "height": 900}]
    assert content(message(photo=sizes, caption="look")) == Text(
        text="look", media=(Media(url=url_of("large", "photo.jpg"), name="photo.jpg", type="image/jpeg"),)
    )
    document = {"file_id": "d", "file_name": "bill.pdf", "mime_type": "application/pdf", "file_size": 99}
    assert content(message(document=document)) == Text(
        text="", media=(Media(url=url_of("d", "bill.pdf"), name="bill.pdf", type="application/pdf", size=99),)
    )
    voice = content(message(voice={"file_id": "v", "duration": 2, "file_size": 7}))
    assert isinstance(voice, Text)
    assert (voice.media[0].type, voice.media[0].size) == ("audio/ogg", 7)
    # An animation comes as a document too, once is enough.
    moving = content(message(animation={"file_id": "a"}, document={"file_id": "a"}))
    assert isinstance(moving, Text)
    assert [media.type for media in moving.media] == ["video/mp4"]
    for kind in ("audio", "video", "video_note"):
        found = content(message(**{kind: {"file_id": kind}}))
        assert isinstance(found, Text)
        assert len(found.media) == 1


def test_ones_own_number_is_vouched_for_and_others_are_words() -> None:
    own = {"phone_number": "4366012345678", "first_name": "Ana", "user_id": 5001}
    (said,) = parsed(message(contact=own)).messages
    assert said.content == Text(text="+4366012345678", contact=Contact(phone="+4366012345678", name="Ana", own=True))
    assert (said.sender.phone, said.sender.verified) == ("+4366012345678", True)
    for other in ({**own, "user_id": 5002}, {"phone_number": "+43 660 12345678", "first_name": "Ana"}):
        (said,) = parsed(message(contact=other)).messages
        assert said.content == Text(text="Ana +4366012345678", contact=Contact(phone="+4366012345678", name="Ana"))
        assert (said.sender.phone, said.sender.verified) == ("", False)


def test_places_stickers_and_dice_are_words() -> None:
    place = {"latitude": 48.2082, "longitude": 16.3738}
    assert content(message(location=place)) == Text(text="48.208200, 16.373800")
    venue = {"location": place, "title": "Shop", "address": "Main St 1"}
    assert content(message(venue=venue, location=place)) == Text(text="Shop, Main St 1 (48.208200, 16.373800)")
    assert content(message(sticker={"emoji": "👍", "file_id": "s"})) == Text(text="👍")
    assert content(message(dice={"emoji": "🎲", "value": 3})) == Text(text="🎲")
    assert content(message(pinned_message={"message_id": 1})) is None


def test_an_edit_names_its_message() -> None:
    edited = {"edited_message": {**message(text="order 43")["message"], "edit_date": 600}}
    (said,) = parsed(edited).messages
    assert (said.content, said.at) == (Edited(target="9", text="order 43"), 600.0)
    assert content({"edited_message": {**edited["edited_message"], "chat": GROUP}}) is None


def test_a_button_knows_its_label_and_waits_for_an_answer() -> None:
    keyboard = {
        "inline_keyboard": [[{"text": "Yes", "callback_data": "c1.0"}], [{"text": "No", "callback_data": "c1.1"}]]
    }
    query = {"id": "q1", "from": ANA, "data": "c1.1"}
    shown = {"message_id": 3, "date": 1, "chat": GROUP, "from": OURS, "reply_markup": keyboard}
    found = parsed({"callback_query": {**query, "message": shown}})
    assert found.pressed == "q1"
    assert found.messages[0].content == Pressed(token="c1.1", label="No")
    assert (found.messages[0].address.chat, found.messages[0].at) == ("-4001", 1000.0)
    in_a_topic = {**shown, "is_topic_message": True, "message_thread_id": 44}
    assert parsed({"callback_query": {**query, "message": in_a_topic}}).messages[0].address.thread == "44"
    too_old = {"message_id": 3, "date": 0, "chat": PRIVATE}
    assert parsed({"callback_query": {**query, "message": too_old}}).messages[0].content == Pressed(token="c1.1")
    assert parsed({"callback_query": query}) == Read("7", pressed="q1")


def test_a_reaction_that_replaces_another_is_two_changes() -> None:
    reaction = {
        "chat": PRIVATE,
        "message_id": 9,
        "date": 500,
        "user": ANA,
        "old_reaction": [{"type": "emoji", "emoji": "👍"}],
        "new_reaction": [{"type": "emoji", "emoji": "❤"}, {"type": "custom_emoji", "custom_emoji_id": "1"}],
    }
    found = parsed({"message_reaction": reaction}).messages
    assert [(one.event_id, one.content) for one in found] == [
        ("7", Reacted(target="9", emoji="👍", added=False)),
        ("7.1", Reacted(target="9", emoji="❤")),
    ]
    for other in ({"user": None}, {"user": OURS}):
        assert parsed({"message_reaction": {**reaction, **other}}).messages == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("member", "kicked", Consent(on=False, why="blocked")),
        ("kicked", "member", Consent(on=True, why="blocked")),
        ("administrator", "left", Consent(on=False, why="blocked")),
        ("member", "administrator", None),
    ],
)
def test_blocked_and_let_in_again(before: str, after: str, expected: Consent | None) -> None:
    change = {"chat": PRIVATE, "date": 5, "from": ANA}
    change |= {"old_chat_member": {"status": before}, "new_chat_member": {"status": after}}
    assert content({"my_chat_member": change}) == expected


def test_the_bot_comes_into_a_group() -> None:
    assert content(message(chat=GROUP, new_chat_members=[ANA, OURS])) == Joined(name="Lamp lovers")
    assert content(message(chat=GROUP, group_chat_created=True)) == Joined(name="Lamp lovers")
    assert content(message(chat=GROUP, new_chat_members=[ANA])) is None


def test_a_group_that_moves() -> None:
    assert parsed(message(chat=GROUP, migrate_to_chat_id=-1005)).moved == ("-4001", "-1005")
    new = {"id": -1005, "type": "supergroup", "title": "Lamp lovers"}
    assert parsed(message(chat=new, migrate_from_chat_id=-4001)).moved == ("-4001", "-1005")


@pytest.mark.parametrize("kind", ["channel_post", "inline_query", "poll", "chat_boost", "something_new"])
def test_other_kinds_are_nothing(kind: str) -> None:
    assert parsed({kind: {"id": "1"}}) == Read("7")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"message": {}}',
        b"[" * 100_000,
        b'{"update_id": "7"}',
        b'{"update_id": 7, "message": {"message_id": 1, "chat": {"id": "x"}, "date": 1}}',
        b'{"update_id": 7, "message": {"message_id": 1, "date": 1}}',
        b'{"update_id": 7, "message": {"message_id": 1, "chat": {"id": 1}, "date": 1, "text": null}}',
        b'{"update_id": 1e400}',
    ],
)
def test_what_nobody_can_read_is_said_to_be_so(body: bytes) -> None:
    found = parsed(body)
    assert found.problem
    assert found.messages == ()
    assert found.event_id == event_id_of(body)
    assert found.event_id == "7" or found.event_id.startswith("unreadable-")


def test_half_a_character_does_no_harm() -> None:
    (said,) = parsed(b'{"update_id":7,"message":{"message_id":1,"chat":{"id":1},"date":1,"text":"a\\ud83d",'
                     b'"from":{"id":1}}}').messages  # fmt: skip
    assert said.text == "a\ufffd"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["message_id", "chat", "from", "text", "entities", "photo", "contact"]), VALUES))
def test_any_json_is_read_or_refused_and_never_raises(parts: dict[str, Any]) -> None:
    parsed(message(**parts))
    parsed({"callback_query": parts})
    parsed({"message_reaction": parts})
    parsed({"my_chat_member": parts})


def test_a_command_in_a_chat_of_two_is_ours_while_our_name_is_not_known() -> None:
    said = {"update_id": 7, **message(text="/track@frontdesk_bot 5")}
    nameless = Identity("main", 123456, "")
    (heard,) = read(json.dumps(said).encode(), nameless, url_of, 1000.0).messages
    assert heard.content == Command(name="track", text="5")
