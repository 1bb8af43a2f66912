"""What every channel must pass. Subclass ChannelContract, play one person on your platform, and let pytest run it:

    class TestMyChannel(ChannelContract):
        def make(self, folder: Path) -> Wire:
            return MyWire(folder)

This file has what every channel does, whatever it can do. The checks are `async def`: tests/conftest.py shows how to
run those.
"""

# ruff: noqa: S101, S106  # asserting is what a conformance suite does; a button's token is no secret

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from bot.errors import SendError
from bot.messages import Media
from bot.replies import Button, Card, Choice, Field, Reply
from bot.testing.channel_kit import HOSTILE, ChannelSuite, soon
from bot.testing.channel_proofs import ProofContract, shows_a_draft


class ReceivingContract(ChannelSuite):
    """What a person writes arrives: stored before it is acknowledged, and as one message."""

    async def test_a_message_arrives_whole(self, tmp_path: Path) -> None:
        """Words, sender and address are there, under the channel's own name and account."""
        async with self.opened(tmp_path) as talk:
            message = await talk.hears("Where is order 42? Grüße 🙂")
            assert message.text == "Where is order 42? Grüße 🙂"
            assert (message.address.channel, message.address.account) == (talk.channel.name, talk.channel.account)
            assert message.event_id
            assert message.address.chat
            assert message.sender.id

    async def test_nothing_is_acknowledged_before_it_is_stored(self, tmp_path: Path) -> None:
        """While the core has not stored it, the platform is told nothing."""
        async with self.opened(tmp_path) as talk:
            talk.core.hold()
            writing = asyncio.ensure_future(talk.wire.write("hello", "event-held-00000001"))
            assert await soon(lambda: bool(talk.core.offered))
            await asyncio.sleep(0.05)
            assert not writing.done(), "acknowledged too early"
            talk.core.release()
            assert await writing

    async def test_what_could_not_be_stored_is_not_acknowledged(self, tmp_path: Path) -> None:
        """With a full disk the platform (or the person) hears of it, and the next try is received once."""
        async with self.opened(tmp_path) as talk:
            talk.core.full = True
            assert not await talk.wire.write("hello", "event-full-00000001"), "acknowledged, and lost"
            assert talk.core.offered
            talk.core.full = False
            assert await talk.wire.write("hello", "event-full-00000001")
            assert [message.text for message in talk.core.received] == ["hello"]

    async def test_an_event_that_comes_twice_is_one_message(self, tmp_path: Path) -> None:
        """The platform's redelivery has the same event id, also after a restart, and is acknowledged."""
        async with self.opened(tmp_path) as talk:
            if not talk.wire.redelivers:
                pytest.skip(f"nothing is ever delivered twice on {talk.channel.name}")
            assert await talk.wire.write("hello", "event-twice-0000001")
            assert await talk.wire.write("hello", "event-twice-0000001")
            await talk.restart()
            assert await talk.wire.write("hello", "event-twice-0000001")
            assert len({message.event_id for message in talk.core.offered}) == 1
            assert len(talk.core.received) == 1

    async def test_two_messages_are_two_events(self, tmp_path: Path) -> None:
        """The same words said twice are two messages, of one person in one conversation."""
        async with self.opened(tmp_path) as talk:
            first, second = await talk.hears("yes"), await talk.hears("yes")
            assert first.event_id != second.event_id
            assert (first.address, first.sender.id) == (second.address, second.sender.id)

    async def test_the_address_is_the_same_after_a_restart(self, tmp_path: Path) -> None:
        """A conversation goes on where it was when the process is another one."""
        async with self.opened(tmp_path) as talk:
            before = await talk.hears("hello")
            await talk.restart()
            after = await talk.hears("hello again")
            assert (after.address, after.sender.id) == (before.address, before.sender.id)
            assert after.event_id != before.event_id

    async def test_it_never_hears_itself(self, tmp_path: Path) -> None:
        """What the bot and an agent say is not received as if a person had said it."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            await talk.says("I'm the bot", there)
            await talk.says("I'm a person", there, source="agent", author="Kim")
            await talk.hears("bye")
            assert [message.text for message in talk.core.offered] == ["hello", "bye"]

    async def test_after_stop_nothing_is_received(self, tmp_path: Path) -> None:
        """A stopped channel takes nothing in, and acknowledges nothing."""
        async with self.opened(tmp_path) as talk:
            await talk.hears("hello")
            await talk.channel.stop()
            assert not await talk.wire.write("too late", "event-late-00000001"), "acknowledged, and lost"
            assert [message.text for message in talk.core.offered] == ["hello"]

    async def test_it_starts_again_after_a_stop(self, tmp_path: Path) -> None:
        """The same channel, stopped twice and started again, hears and speaks as before."""
        async with self.opened(tmp_path) as talk:
            await talk.hears("hello")
            await talk.channel.stop()
            await talk.channel.stop()
            await talk.wire.disconnect()
            await talk.start()
            there = (await talk.hears("hello again")).address
            await talk.says("Welcome back", there)
            assert "Welcome back" in await talk.wire.sees()
            if talk.channel.capabilities.drafts:
                assert await shows_a_draft(talk, "a draft after the stop")

    async def test_it_can_be_stopped_without_a_start(self, tmp_path: Path) -> None:
        """A bot that fails half-way through its start stops everything."""
        wire = self.make(tmp_path)
        channel = await wire.build()
        await channel.stop()
        await wire.close()

    async def test_hostile_words_from_a_person_do_no_harm(self, tmp_path: Path) -> None:
        """Each is stored or refused; what is stored can be written as JSON, and the next message still arrives."""
        async with self.opened(tmp_path) as talk:
            for number, text in enumerate(HOSTILE.values()):
                await talk.wire.write(text, f"event-hostile-{number:08d}")
            for message in talk.core.offered:
                assert msgspec.json.decode(msgspec.json.encode(message), type=type(message)) == message
            talk.core.received.clear()
            assert (await talk.hears("still there?")).text == "still there?"


class SendingContract(ChannelSuite):
    """What the bot says reaches whom it is for, or the core is told in its own errors that it did not."""

    async def test_a_reply_reaches_whoever_wrote(self, tmp_path: Path) -> None:
        """The address of a message is where an answer to it goes, also after a restart."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            await talk.says("Good morning", there)
            assert "Good morning" in await talk.wire.sees()
            await talk.restart()
            await talk.says("Good evening", there)
            assert "Good evening" in await talk.wire.sees()

    async def test_a_reply_to_somebody_else_is_not_shown(self, tmp_path: Path) -> None:
        """Nobody reads what is for another chat."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            other = msgspec.structs.replace(there, chat=f"{there.chat[1:]}{there.chat[:1]}x")
            with suppress(SendError):  # refused is as good
                await talk.says("your code is 1234", other)
            assert "1234" not in await talk.wire.sees()

    async def test_send_returns_once_the_platform_has_it(self, tmp_path: Path) -> None:
        """No reply is left on its way: each one is there when its send returns, in order."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            for number in range(1, 6):
                await talk.says(f"reply number {number}", there)
                assert f"reply number {number}" in await talk.wire.sees()
            seen = await talk.wire.sees()
            places = [seen.index(f"reply number {number}") for number in range(1, 6)]
            assert places == sorted(places)

    async def test_a_platform_that_fails_ends_in_a_send_error(self, tmp_path: Path) -> None:
        """Nothing but Rejected, RateLimited, NotSent and UnknownOutcome comes out of `send`."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            if not await talk.wire.break_off():
                pytest.skip(f"nothing between {talk.channel.name} and the person can fail")
            with pytest.raises(SendError):
                await talk.says("is anybody there?", there)

    async def test_hostile_replies_raise_nothing_else(self, tmp_path: Path) -> None:
        """Whatever a model or an agent writes is shown or refused, and the next reply still arrives."""
        async with self.opened(tmp_path) as talk:
            there = (await talk.hears("hello")).address
            for what, text in HOSTILE.items():
                for reply in _with(text):
                    try:
                        await talk.says(reply, there, source="agent", author=text[:200])
                    except SendError:
                        pass
                    except Exception as error:
                        raise AssertionError(f"{what}: {error!r}") from error
            await talk.says("all is well", there)
            assert "all is well" in await talk.wire.sees()


class ChannelContract(ReceivingContract, SendingContract, ProofContract):
    """Everything."""


def _with(text: str) -> list[Reply]:
    """A hostile text in every place that a reply has for words."""
    label = text[:100]
    button = Button(token="c0123456789abcdef0123.17.0", label=label, value=label)
    card = Card(title=label, text=text, fields=(Field(name=label, value=label),))
    return [
        Reply(text=text),
        Reply(text="?", choices=(Choice(label=label),), buttons=(button,)),
        Reply(text=text, card=card),
        Reply(text="", media=(Media(url="https://files.example/x", name=label, alt=label),)),
    ]
