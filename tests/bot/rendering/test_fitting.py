"""Replies on channels that can do less."""

from __future__ import annotations

from msgspec.structs import replace

from bot.channel import Capabilities
from bot.messages import Media
from bot.phrases import Phrases
from bot.rendering import degrade, fit, parse, plain
from bot.rendering.portions import portion, serve
from bot.replies import Button, Card, Choice, Field, Reply, as_choices

NOTHING = Capabilities()
ALL = Capabilities(buttons=5, cards=True, media=True, markdown=True)
CHOICES = as_choices(["Yes", "*No*\nway"])
BUTTONS = tuple(Button(token=f"t{n}", label=choice.label, value=choice.label) for n, choice in enumerate(CHOICES))
PHOTO = Media(url="https://a.b/x.png", name="x.png")
CARD = Card(
    title="Red *lamp*",
    text="Warm **light**.\nOne year.",
    image=PHOTO,
    fields=(Field(name="Price", value="$5_0"),),
    url="https://a.b/lamp",
)


def shown(reply: Reply) -> str:
    return plain(parse(reply.text))


def test_what_the_channel_can_do_stays_untouched() -> None:
    reply = Reply(text="Which?", choices=CHOICES, buttons=BUTTONS, media=(PHOTO,), card=CARD)
    assert degrade(reply, ALL) is reply


def test_choices_become_numbered_lines_that_are_no_list() -> None:
    reply = degrade(Reply(text="1. Really?", choices=CHOICES, buttons=BUTTONS), NOTHING)
    assert shown(reply) == "1. Really?\n\n1) Yes\n2) *No* way\n\nReply with a number."
    assert [block.marker for block in parse(reply.text).blocks] == ["number", "", ""]
    assert (reply.choices, reply.buttons) == ((), ())


def test_a_number_is_not_asked_for_where_other_words_will_do() -> None:
    said = shown(degrade(Reply(text="Your code?", choices=CHOICES, free=True), NOTHING))
    assert said.endswith("Type your answer, or a number from the list.")
    assert "Reply with" not in said


def test_choices_after_an_unclosed_fence_are_outside_of_it() -> None:
    reply = degrade(Reply(text="```\ncode", choices=CHOICES), NOTHING)
    assert [block.kind for block in parse(reply.text).blocks] == ["code", "paragraph", "paragraph"]


def test_too_many_choices_for_the_buttons_become_lines() -> None:
    reply = Reply(text="Which?", choices=CHOICES)
    assert degrade(reply, Capabilities(buttons=2)).choices == CHOICES
    assert "2) " in shown(degrade(reply, Capabilities(buttons=1)))


def test_a_card_becomes_text() -> None:
    reply = degrade(Reply(card=CARD), Capabilities(media=True))
    assert shown(reply) == "Red *lamp*\n\nWarm light.\nOne year.\n\nPrice: $5_0\n\nhttps://a.b/lamp"
    assert parse(reply.text).blocks[0].spans[0].bold
    assert (reply.card, reply.media) == (None, (PHOTO,))
    assert shown(degrade(Reply(card=CARD), NOTHING)).endswith("x.png (https://a.b/x.png)")


def test_files_become_links() -> None:
    reply = degrade(Reply(text="Here:", media=(PHOTO, Media(url="https://a.b/y"))), NOTHING)
    assert shown(reply) == "Here:\n\nx.png (https://a.b/x.png)\n\nhttps://a.b/y"


def test_buttons_and_files_go_with_the_last_part() -> None:
    reply = Reply(text="One here.\n\nTwo here.", choices=CHOICES, buttons=BUTTONS, media=(PHOTO,))
    first, last = fit(reply, Capabilities(max_text=10, buttons=2, media=True), len)
    assert first == Reply(text="One here.")
    assert (last.text, last.buttons, last.media) == ("Two here.", BUTTONS, (PHOTO,))


def test_nothing_to_say_is_nothing_to_send() -> None:
    assert fit(Reply(), ALL, len) == []
    assert fit(Reply(text=" \n"), ALL, len) == []
    assert fit(Reply(media=(PHOTO,)), ALL, len) == [Reply(media=(PHOTO,))]


def test_the_cores_own_words_may_be_others() -> None:
    german = Phrases(number="Bitte eine Zahl.", number_or_words="Zahl oder Worte.", more="MORE zeigt den Rest.")
    asked = Reply(text="Farbe?", choices=(Choice(label="Rot"),))
    assert "Bitte eine Zahl." in degrade(asked, Capabilities(), german).text
    assert "Zahl oder Worte." in degrade(replace(asked, free=True), Capabilities(), german).text
    long = Reply(text=" ".join(["Wort"] * 100))
    now, rest = serve(long, Capabilities(max_text=100, max_parts=1), len, german)
    assert now[-1].text.endswith("MORE zeigt den Rest.")
    assert portion(rest, 1, german)[0][0].text.endswith("MORE zeigt den Rest.")
