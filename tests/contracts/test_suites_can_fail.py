"""The suites are worth something: each of these channels and desks breaks one promise, and one check finds it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.channel import Accepted, Channel, Delivery, Entry, Gateway, KnownCommand, Pace, Receipt, Unreadable
from bot.desk import Case, Desk, DeskEvent, Ref
from bot.errors import SendError, StoreUnavailable
from bot.messages import Address, Message, Pressed, Sender, Submitted, Text
from bot.replies import Mention
from bot.testing import FakeChannel, FakeDesk, Helpdesk, Platform
from bot.testing.channel_contract import ChannelContract
from bot.testing.channel_kit import Wire, soon
from bot.testing.desk_contract import DeskContract
from bot.testing.desk_kit import Office
from bot.testing.fakes import PROFILES, Pulse
from bot.testing.loner import Loner
from tests.contracts.test_fake_channels import FakeWire
from tests.contracts.test_fake_desk import FakeOffice

Between = Callable[[Gateway, Message], Awaitable[Accepted]]


class Through(Loner, Gateway):
    """The gateway, with something between it and the channel."""

    def __init__(self, gateway: Gateway, between: Between) -> None:
        self._gateway, self._between = gateway, between

    async def receive(self, message: Message) -> Accepted:
        return await self._between(self._gateway, message)

    async def problems(self, message: Message) -> Mapping[str, str]:
        return await self._gateway.problems(message)

    async def signal(self, message: Message) -> None:
        await self._gateway.signal(message)

    async def history(self, address: Address, *, after: int = 0, limit: int = 200) -> list[Entry]:
        return await self._gateway.history(address, after=after, limit=limit)

    async def set_aside(self, unreadable: Unreadable) -> None:
        await self._gateway.set_aside(unreadable)

    async def knows(self, address: Address) -> bool:
        return await self._gateway.knows(address)

    async def said(self, address: Address, platform_id: str) -> bool:
        return await self._gateway.said(address, platform_id)

    async def admit(self, wanted: Sequence[tuple[str, Pace]], event: str, *, anyway: bool = False) -> str:
        return await self._gateway.admit(wanted, event, anyway=anyway)

    async def note(self, key: str) -> str | None:
        return await self._gateway.note(key)

    async def write_note(self, key: str, value: str | None, *, keep: float = 0.0) -> None:
        await self._gateway.write_note(key, value, keep=keep)

    def commands(self) -> Sequence[KnownCommand]:
        return self._gateway.commands()

    def file_url(self, channel: str, account: str, ref: str, name: str = "") -> str:
        return self._gateway.file_url(channel, account, ref, name)

    def new_id(self) -> str:
        return self._gateway.new_id()


class Sound(FakeChannel):
    """Breaks nothing."""

    def __init__(self, platform: Platform) -> None:
        super().__init__("web", platform, Pulse())

    async def between(self, gateway: Gateway, message: Message) -> Accepted:
        return await gateway.receive(message)

    async def start(self, gateway: Gateway) -> None:
        await super().start(Through(gateway, self.between))


class Careless(Sound):
    """Acknowledges what was not stored."""

    async def between(self, gateway: Gateway, message: Message) -> Accepted:
        try:
            return await gateway.receive(message)
        except StoreUnavailable:
            return Accepted(conversation="", seq=0)


class Hasty(Sound):
    """Acknowledges first, and stores behind the platform's back."""

    async def between(self, gateway: Gateway, message: Message) -> Accepted:
        self._task = asyncio.ensure_future(gateway.receive(message))
        return Accepted(conversation="", seq=0)


class Renaming(Sound):
    """Makes up an id for each delivery instead of using the platform's."""

    async def between(self, gateway: Gateway, message: Message) -> Accepted:
        return await gateway.receive(replace(message, event_id=gateway.new_id()))


class LosingTokens(Sound):
    """Says that a button was pressed, and not which."""

    async def between(self, gateway: Gateway, message: Message) -> Accepted:
        content = message.content
        if isinstance(content, Pressed):
            message = replace(message, content=Pressed(token=content.label, label=content.label))
        return await gateway.receive(message)


class Echoing(Sound):
    """Hears what the bot says."""

    async def send(self, delivery: Delivery) -> Receipt:
        receipt, gateway = await super().send(delivery), self.gateway
        assert gateway is not None
        content = Text(text=delivery.reply.text)
        mine = Message(event_id=delivery.id, address=delivery.address, sender=Sender(id="bot"), content=content, at=0.0)
        await gateway.receive(mine)
        return receipt


class Dreaming(Sound):
    """Says that it was sent, and sends it later."""

    async def send(self, delivery: Delivery) -> Receipt:
        self._sending = asyncio.get_running_loop().call_later(0.05, self.platform.taken.append, delivery)
        return Receipt()


class Misdelivering(Sound):
    """Gives everything to whoever is there."""

    async def send(self, delivery: Delivery) -> Receipt:
        return await super().send(replace(delivery, address=replace(delivery.address, chat="sam")))


class Wishful(Sound):
    """Finds whatever it is asked for."""

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        return Receipt(platform_id="surely")


class Leaking(Sound):
    """Lets the platform's own errors out."""

    async def send(self, delivery: Delivery) -> Receipt:
        try:
            return await super().send(delivery)
        except SendError as error:
            raise ConnectionResetError from error


class Squeamish(Sound):
    """Can't stand some characters."""

    async def send(self, delivery: Delivery) -> Receipt:
        delivery.reply.text.encode()
        return await super().send(delivery)


class Undying(Sound):
    """Goes on listening after it was stopped."""

    async def stop(self) -> None:
        """Not at all."""


class Boasting(Sound):
    """Announces drafts, and shows none."""

    async def draft(self, address: Address, key: str, text: str) -> None:
        """Not at all."""


class Able(Sound):
    """Has forms, mentions and edits, and breaks nothing."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.capabilities = PROFILES["team"]


class Misfiling(Able):
    """Passes on what was filled in, and not in which form."""

    async def between(self, gateway: Gateway, message: Message) -> Accepted:
        if isinstance(message.content, Submitted):
            message = replace(message, content=replace(message.content, token="a form"))
        return await gateway.receive(message)


class Calling(Able):
    """Calls somebody because a text says so."""

    async def send(self, delivery: Delivery) -> Receipt:
        reply = delivery.reply
        if not reply.mentions and "mention:0" in reply.text:
            delivery = replace(delivery, reply=replace(reply, mentions=(Mention(user="everybody", name="all"),)))
        return await super().send(delivery)


class Shy(Able):
    """Announces mentions, and calls nobody."""

    async def send(self, delivery: Delivery) -> Receipt:
        return await super().send(replace(delivery, reply=replace(delivery.reply, mentions=())))


class Mute(Able):
    """Announces a button that shares a number, and shows none."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.capabilities = replace(self.capabilities, shares_phone=True)

    async def send(self, delivery: Delivery) -> Receipt:
        return await super().send(replace(delivery, reply=replace(delivery.reply, share_phone="")))


class Repeater(Able):
    """Says it again instead of changing it."""

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        await self.send(delivery)


class Rigid(Able):
    """Announces edits, and changes nothing."""

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Not at all."""


class Clinging(Able):
    """Announces deletes, and leaves everything there."""

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Not at all."""


class Sweeping(Able):
    """Takes more away than it was told."""

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        for number in range(1, len(self.platform.taken) + 1):
            await super().delete(delivery, f"m{number}")


def with_channel(make: Callable[[Platform], FakeChannel]) -> ChannelContract:
    """The suite over a channel on the fake platform."""

    class BrokenWire(FakeWire):
        async def build(self) -> Channel:
            self.channel = make(self.platform)
            return self.channel

    class Suite(ChannelContract):
        def make(self, folder: Path) -> Wire:
            return BrokenWire("web")

    return Suite()


CHANNELS: list[tuple[type[Sound], str]] = [
    (Careless, "test_what_could_not_be_stored_is_not_acknowledged"),
    (Hasty, "test_nothing_is_acknowledged_before_it_is_stored"),
    (Renaming, "test_an_event_that_comes_twice_is_one_message"),
    (LosingTokens, "test_proves_buttons"),
    (Echoing, "test_it_never_hears_itself"),
    (Dreaming, "test_send_returns_once_the_platform_has_it"),
    (Misdelivering, "test_a_reply_to_somebody_else_is_not_shown"),
    (Wishful, "test_proves_read_back"),
    (Leaking, "test_a_platform_that_fails_ends_in_a_send_error"),
    (Squeamish, "test_hostile_replies_raise_nothing_else"),
    (Undying, "test_after_stop_nothing_is_received"),
    (Boasting, "test_proves_drafts"),
    (Misfiling, "test_proves_forms"),
    (Calling, "test_proves_mentions"),
    (Shy, "test_proves_mentions"),
    (Mute, "test_proves_shares_phone"),
    (Repeater, "test_proves_edits"),
    (Rigid, "test_proves_edits"),
    (Clinging, "test_proves_deletes"),
    (Sweeping, "test_proves_deletes"),
]


class Forgetful(FakeDesk):
    """Makes a new ticket whenever it is asked."""

    async def open(self, case: Case, key: str) -> Ref:
        return await super().open(case, f"{key}-{len(self.helpdesk.tickets)}")


class Repeating(FakeDesk):
    """Adds a line as often as it is told."""

    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        self.helpdesk.seen.discard(key)
        await super().append(ref, entry, key)


class Gossiping(FakeDesk):
    """Tells the person what is in a note."""

    async def note(self, ref: Ref, text: str, key: str) -> None:
        await super().note(ref, text, key)
        await self.says(text, ref=ref)


class Losing(FakeDesk):
    """Tells everything once, whether or not anybody could take it."""

    async def tells_again(self) -> None:
        self.helpdesk.untold.clear()


class Blind(FakeDesk):
    """Has nothing to fetch."""

    async def fetch(self, ref: Ref, cursor: str) -> tuple[list[DeskEvent], str]:
        return [], cursor


class Numbering(FakeDesk):
    """Begins at one again with each process."""

    def __init__(self, helpdesk: Helpdesk, pulse: Pulse) -> None:
        super().__init__(helpdesk, pulse)
        helpdesk.events = 0


class Parroting(FakeDesk):
    """Tells back what we append, as if an agent had said it."""

    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        await super().append(ref, entry, key)
        await self.says(entry.text, ref=ref)


class Tearing(FakeDesk):
    """Lets the helpdesk's own errors out."""

    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        try:
            await super().append(ref, entry, key)
        except SendError as error:
            raise ConnectionResetError from error


def with_desk(make: Callable[[Helpdesk, Pulse], FakeDesk]) -> DeskContract:
    """The suite over a desk at the fake helpdesk."""

    class BrokenOffice(FakeOffice):
        async def build(self) -> Desk:
            self.desk = make(self.helpdesk, Pulse())
            return self.desk

    class Suite(DeskContract):
        def make(self, folder: Path) -> Office:
            return BrokenOffice()

    return Suite()


DESKS: list[tuple[type[FakeDesk], str]] = [
    (Forgetful, "test_a_case_is_opened_once_per_key"),
    (Repeating, "test_a_line_is_added_once_per_key"),
    (Gossiping, "test_only_public_words_of_people_are_answers"),
    (Gossiping, "test_proves_private_notes"),
    (Losing, "test_what_the_core_could_not_store_comes_again"),
    (Blind, "test_fetch_yields_what_was_told"),
    (Numbering, "test_events_belong_to_their_case_and_have_their_own_ids"),
    (Parroting, "test_what_we_do_is_not_told_back"),
    (Tearing, "test_a_helpdesk_that_fails_ends_in_a_send_error"),
]


async def run(suite: object, check: str, folder: Path) -> None:
    """One check of a suite."""
    recorded = {"record_property": lambda name, value: None} if check.startswith("test_proves") else {}
    await getattr(suite, check)(folder, **recorded)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes need not be waited for."""
    for module in ("channel_contract", "channel_proofs", "desk_contract", "desk_proofs"):
        monkeypatch.setattr(f"bot.testing.{module}.soon", _at_once)


async def _at_once(true: Callable[[], bool | Awaitable[bool]]) -> bool:
    return await soon(true, 0.3)


@pytest.mark.parametrize(("broken", "check"), CHANNELS, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_broken_channel_fails(broken: type[Sound], check: str, tmp_path: Path) -> None:
    """The check fails for it, and passes for a channel that breaks nothing."""
    await run(with_channel(Able if issubclass(broken, Able) else Sound), check, tmp_path)
    with pytest.raises((AssertionError, ConnectionResetError)):
        await run(with_channel(broken), check, tmp_path)


@pytest.mark.parametrize(("broken", "check"), DESKS, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_broken_desk_fails(broken: type[FakeDesk], check: str, tmp_path: Path) -> None:
    """The check fails for it, and passes for a desk that breaks nothing."""
    await run(with_desk(FakeDesk), check, tmp_path)
    with pytest.raises((AssertionError, ConnectionResetError)):
        await run(with_desk(broken), check, tmp_path)
