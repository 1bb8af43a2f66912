"""What a channel announces, it can do: the part of the channels' suite that the table of capabilities is made from.

The checks are named `test_proves_...` and record what they proved; `python -m bot.testing.capabilities` runs them.
"""

# ruff: noqa: S101, S106  # asserting is what a conformance suite does; a button's token is no secret

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from bot.channel import Capabilities, Deletes, Drafts, Edits, Types
from bot.messages import Media, Pressed, Reacted, Submitted, Text
from bot.replies import NOTHING, Button, Card, Choice, Field, Form, FormField, Mention, Reply
from bot.testing.channel_kit import ChannelSuite, Talk, soon

Record = Callable[[str, object], None]

NO_ABILITY = ("confirms_consent", "max_parts", "paces", "send_timeout")
"""Habits of a platform that the core keeps; there is nothing to show on the platform itself."""

FORM = Form(
    title="Contact",
    token="0123456789ab.form",
    fields=(
        FormField(name="name", label="Your name"),
        FormField(name="size", label="Size", kind="choice", choices=(Choice(label="Small"), Choice(label="Medium"))),
        FormField(name="count", label="How many", kind="number"),
        FormField(name="day", label="Day", kind="date", optional=True),
        FormField(name="email", label="E-mail", kind="email", optional=True),
        FormField(name="note", label="Note", kind="long", hint="Anything else", optional=True),
    ),
)
"""A form with a field of every kind."""


class ProofContract(ChannelSuite):
    """What a channel announces, it can do; and where it can't, the core's way out is shown."""

    async def test_proves_max_text(self, tmp_path: Path, record_property: Record) -> None:
        """A text over the limit is split by the core, and every part is taken and shown."""
        async with self.opened(tmp_path) as talk:
            limit = talk.channel.capabilities.max_text
            there = (await talk.hears("hello")).address
            words = [f"word{number:05d}" for number in range(max(50, limit // 3))]
            parts = await talk.says(" ".join(words), there)
            assert all(not limit or talk.channel.measure(part.reply.text) <= limit for part in parts)
            assert len(parts) > 1 or not limit
            seen = await talk.wire.sees()
            assert [word for word in words if word not in seen] == []
            self._proven(record_property, talk, "max_text", limit or "no limit")

    async def test_proves_buttons(self, tmp_path: Path, record_property: Record) -> None:
        """As many as announced are shown, and each comes back with its token; one more becomes a numbered list."""
        async with self.opened(tmp_path) as talk:
            most = talk.channel.capabilities.buttons
            there = (await talk.hears("hello")).address
            if most:
                offered = await talk.says(_question(most), there)
                for button in offered[-1].reply.buttons[:: max(1, most - 1)]:
                    assert await talk.wire.press(button.label)
                    pressed = talk.core.received[-1].content
                    assert isinstance(pressed, Pressed)
                    assert pressed.token == button.token
                    assert pressed.label in ("", button.label)
                    assert talk.core.received[-1].address == there
            await talk.says(_question(most + 1), there)
            assert f"{most + 1}) Flavour {most + 1}" in await talk.wire.sees()
            self._proven(record_property, talk, "buttons", most or "numbered list")

    async def test_proves_markdown(self, tmp_path: Path, record_property: Record) -> None:
        """Bold is bold where there is markup, and nobody ever sees the asterisks."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            await talk.says("This is **loud** and this is quiet.", there)
            assert "This is loud and this is quiet." in await talk.wire.sees()
            bold = await talk.wire.bold()
            assert "quiet" not in bold
            assert ("loud" in bold) == talk.channel.capabilities.markdown
            self._proven(record_property, talk, "markdown", talk.channel.capabilities.markdown)

    async def test_proves_media(self, tmp_path: Path, record_property: Record) -> None:
        """A file is shown as a file, or its name and address are in the text."""
        picture = Media(url="https://files.example/cat.png", name="cat.png", type="image/png", alt="A cat")
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            await talk.says(Reply(text="Look:", media=(picture,)), there)
            seen = await talk.wire.sees()
            assert "Look:" in seen
            assert "A cat" in seen or "cat.png" in seen
            assert ("https://files.example/cat.png" in await talk.wire.files()) == talk.channel.capabilities.media
            self._proven(record_property, talk, "media", talk.channel.capabilities.media)

    async def test_proves_cards(self, tmp_path: Path, record_property: Record) -> None:
        """A card is shown as a card, or everything on it is in the text."""
        card = Card(title="Blue lamp", text="Bright and warm.", fields=(Field(name="Price", value="40 €"),))
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            await talk.says(Reply(text="This one?", card=card), there)
            seen = await talk.wire.sees()
            for words in ("This one?", "Blue lamp", "Bright and warm.", "Price", "40 €"):
                assert words in seen
            assert ("Blue lamp" in await talk.wire.cards()) == talk.channel.capabilities.cards
            self._proven(record_property, talk, "cards", talk.channel.capabilities.cards)

    async def test_proves_typing(self, tmp_path: Path, record_property: Record) -> None:
        """The person is shown that somebody types, until they are told that it is over."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            if talk.channel.capabilities.typing:
                assert isinstance(talk.channel, Types)
                await talk.channel.typing(there, on=True)
                assert await soon(talk.wire.sees_typing)
                await talk.channel.typing(there, on=False)
                assert await soon(lambda: _hidden(talk))
            self._proven(record_property, talk, "typing", talk.channel.capabilities.typing)

    async def test_proves_drafts(self, tmp_path: Path, record_property: Record) -> None:
        """The person sees a reply grow, and at the end the finished reply instead."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            if talk.channel.capabilities.drafts:
                assert await shows_a_draft(talk, "Once upon")
                assert await shows_a_draft(talk, "Once upon a time")
                await talk.says("Once upon a time there was a lamp.", there)
                assert "there was a lamp." in await talk.wire.sees()
            self._proven(record_property, talk, "drafts", talk.channel.capabilities.drafts)

    async def test_proves_read_back(self, tmp_path: Path, record_property: Record) -> None:
        """What was sent is found, after a restart too, and nothing else is; otherwise nobody may ask."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            (sent,) = await talk.says("sent", there)
            (unsent,) = talk.core.deliveries(talk.channel, Reply(text="sent"), there)
            if talk.channel.capabilities.read_back:
                assert await talk.channel.find_sent(sent) is not None
                assert await talk.channel.find_sent(unsent) is None, "it found what was never sent"
                await talk.restart()
                assert await talk.channel.find_sent(sent) is not None
                assert await talk.channel.find_sent(unsent) is None
            self._proven(record_property, talk, "read_back", talk.channel.capabilities.read_back)

    async def test_proves_forms(self, tmp_path: Path, record_property: Record) -> None:
        """A form is opened, filled in, and comes back with its token; elsewhere the words beside it are said."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            await talk.says(Reply(text="How do we reach you?", form=FORM), there)
            assert "How do we reach you?" in await talk.wire.sees()
            if talk.channel.capabilities.forms:
                values = {"name": "Ana <b>", "size": "Medium", "count": "3", "day": "2026-03-03", "note": "one\ntwo"}
                assert await talk.wire.fill_in(values)
                message = talk.core.received[-1]
                assert isinstance(message.content, Submitted)
                assert message.content.token == FORM.token
                assert {name: value for name, value in message.content.values.items() if value} == values
                assert "Ana" in message.text, "the transcript does not say what was filled in"
                assert message.address == there
            self._proven(record_property, talk, "forms", talk.channel.capabilities.forms)

    async def test_proves_mentions(self, tmp_path: Path, record_property: Record) -> None:
        """Exactly those are called whom the reply names; words that look like a call are words."""
        text = "[Ana Novak](mention:0), your order is here, [all](mention:1) of it. @everyone <!channel>"
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            can = talk.channel.capabilities.mentions
            friend = Mention(user=talk.wire.friend, name="Ana Novak")
            await talk.says(Reply(text=text, mentions=(friend,)), there)
            seen = await talk.wire.sees()
            # A platform may show those who are called by the names that they have there.
            assert "Ana Novak" in seen or (can and friend.user in seen)
            assert "your order is here, all of it." in seen
            assert "mention:" not in seen
            assert await talk.wire.called() == ([friend.user] if can else [])
            if can:
                # An agent's or a model's words, on a way that does not come by what the core takes out.
                (made,) = talk.core.deliveries(talk.channel, Reply(text="words"), there)
                forged = replace(made, reply=replace(made.reply, text="Now [everybody](mention:0) comes."))
                talk.core.write_down(forged)
                await talk.channel.send(forged)
                assert "Now everybody comes." in await talk.wire.sees()
                assert await talk.wire.called() == [friend.user]
            self._proven(record_property, talk, "mentions", can)

    async def test_proves_shares_phone(self, tmp_path: Path, record_property: Record) -> None:
        """A press shares the person's own number, vouched for; elsewhere the question is words like any other."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            await talk.says(Reply(text="Which number do we call?", share_phone="This is mine"), there)
            assert "Which number do we call?" in await talk.wire.sees()
            can = talk.channel.capabilities.shares_phone
            if can:
                number = await talk.wire.share_phone("This is mine")
                message = talk.core.received[-1]
                assert isinstance(message.content, Text)
                assert message.content.contact is not None
                assert message.content.contact.own
                assert (message.content.contact.phone, message.sender.phone) == (number, number)
                assert message.sender.verified
                assert number in message.text, "the transcript does not say what was shared"
            self._proven(record_property, talk, "shares_phone", can)

    async def test_proves_edits(self, tmp_path: Path, record_property: Record) -> None:
        """What was said says something else, and twice does no harm."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            if talk.channel.capabilities.edits:
                assert isinstance(talk.channel, Edits)
                (made,) = talk.core.deliveries(talk.channel, Reply(text="It costs **40**."), there)
                talk.core.write_down(made)
                receipt = await talk.channel.send(made)
                await talk.says("That is all.", there)
                changed = replace(made, reply=replace(made.reply, text="It costs **50**."))
                for _ in range(2):
                    await talk.channel.edit(changed, receipt.platform_id)
                seen = await talk.wire.sees()
                assert seen.count("It costs 50.") == 1
                assert "It costs 40." not in seen
                assert "That is all." in seen
            self._proven(record_property, talk, "edits", talk.channel.capabilities.edits)

    async def test_proves_deletes(self, tmp_path: Path, record_property: Record) -> None:
        """What was said is gone, after a restart too; twice does no harm, and the rest stays."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            if talk.channel.capabilities.deletes:
                assert isinstance(talk.channel, Deletes)
                await talk.says("It begins.", there)
                (made,) = talk.core.deliveries(talk.channel, Reply(text="Your code is 1234."), there)
                talk.core.write_down(made)
                receipt = await talk.channel.send(made)
                await talk.says("That is all.", there)
                assert "1234" in await talk.wire.sees()
                (last,) = talk.core.deliveries(talk.channel, Reply(text="gone"), there)
                gone = replace(last, reply=NOTHING)
                talk.core.write_down(gone, takes_back=made.seq)
                for _ in range(2):
                    await talk.channel.delete(gone, receipt.platform_id)
                    assert "1234" not in await talk.wire.sees()
                await talk.restart()
                assert isinstance(talk.channel, Deletes)
                await talk.channel.delete(gone, receipt.platform_id)
                seen = await talk.wire.sees()
                assert "1234" not in seen
                assert "It begins." in seen
                assert "That is all." in seen
            self._proven(record_property, talk, "deletes", talk.channel.capabilities.deletes)

    async def test_proves_reactions(self, tmp_path: Path, record_property: Record) -> None:
        """A reaction comes with the very message that it is about, by the name that its receipt had."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            if talk.channel.capabilities.reactions:
                await talk.says("Not this.", there)
                (made,) = talk.core.deliveries(talk.channel, Reply(text="Did that help?"), there)
                talk.core.write_down(made)
                receipt = await talk.channel.send(made)
                assert await talk.wire.react("👍")
                message = talk.core.received[-1]
                assert message.content == Reacted(target=receipt.platform_id, emoji="👍")
                # Not of the address: Slack does not say in which thread a message stands that somebody reacts to.
                assert message.address.chat == there.chat
            self._proven(record_property, talk, "reactions", talk.channel.capabilities.reactions)

    async def test_proves_whispers(self, tmp_path: Path, record_property: Record) -> None:
        """In a room a private reply is shown to whoever wrote, and to nobody else; any other reply to all."""
        async with self.opened(tmp_path) as talk:
            alone = (await talk.hears("hello")).address
            assert not talk.channel.shared(alone), "nobody but the person reads this"
            if talk.channel.capabilities.whispers:
                assert await talk.wire.write_among_others("hello all", "event-among-others-0001")
                there = talk.core.received[-1].address
                assert talk.channel.shared(there)
                await talk.says("Good morning all", there)
                await talk.says(Reply(text="Your code is 1234", private=True), there)
                assert "Your code is 1234" in await talk.wire.whispered()
                overheard = await talk.wire.overheard()
                assert "Good morning all" in overheard
                assert "1234" not in overheard
            self._proven(record_property, talk, "whispers", talk.channel.capabilities.whispers)

    def test_proves_nothing_of_the_rest(self) -> None:
        """Every field of Capabilities is proven above, or no ability."""
        proven = {name.removeprefix("test_proves_") for name in dir(self) if name.startswith("test_proves_")}
        assert set(Capabilities.__struct_fields__) - proven == set(NO_ABILITY)

    def _proven(self, record: Record, talk: Talk, capability: str, value: object) -> None:
        record("proven", ("channel", self.title or talk.channel.name, capability, value))


async def shows_a_draft(talk: Talk, text: str) -> bool:
    """Whether the person comes to see a draft of this text."""
    assert isinstance(talk.channel, Drafts)
    there = talk.core.received[-1].address
    await talk.channel.draft(there, "key", text)

    async def shown() -> bool:
        return await talk.wire.sees_draft() == text

    return await soon(shown)


async def _hidden(talk: Talk) -> bool:
    return not await talk.wire.sees_typing()


def _question(choices: int) -> Reply:
    """A question with so many choices, as the core puts it."""
    labels = [f"Flavour {number}" for number in range(1, choices + 1)]
    return Reply(
        text="Which one?",
        choices=tuple(Choice(label=label) for label in labels),
        buttons=tuple(
            Button(token=f"c0123456789abcdef0123.17.{choices}.{number}", label=label, value=label)
            for number, label in enumerate(labels)
        ),
    )
