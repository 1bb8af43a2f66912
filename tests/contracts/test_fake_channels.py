"""The kit's own fake channels pass the suite for every channel."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from bot.channel import Channel, Gateway
from bot.errors import NotSent, StoreUnavailable
from bot.messages import Address, Contact, Content, Message, Pressed, Reacted, Sender, Submitted, Text
from bot.rendering import parse
from bot.testing import FakeChannel, Platform
from bot.testing.channel_contract import ChannelContract
from bot.testing.channel_kit import Core, Wire
from bot.testing.fakes import Pulse, called, shown

ROOM = "#room"


class FakeWire(Wire):
    """Sam, on the platform in the test."""

    def __init__(self, kind: str) -> None:
        self.kind, self.platform = kind, Platform()
        self.address = Address(channel=kind, account="main", chat="sam")
        self.channel: FakeChannel | None = None

    async def build(self) -> Channel:
        self.channel = FakeChannel(self.kind, self.platform, Pulse())
        return self.channel

    async def connect(self, channel: Channel, core: Core) -> None:
        assert self.channel is channel

    async def write(self, text: str, event: str) -> bool:
        return await self._does(Text(text=text.encode("utf-8", "replace").decode()), event)

    async def press(self, label: str) -> bool:
        for delivery in reversed(self.platform.taken):
            for button in delivery.reply.buttons:
                if button.label == label and delivery.address == self.address:
                    event = f"press-{len(self.platform.taken)}-{button.token}"
                    return await self._does(Pressed(token=button.token, label=label), event)
        raise AssertionError(f"no button {label!r}")

    async def fill_in(self, values: dict[str, str]) -> bool:
        form = [d.reply.form for d in self.platform.taken if d.reply.form][-1]
        assert values.keys() <= {field.name for field in form.fields}
        content = Submitted(token=form.token, values=values, text=", ".join(values.values()))
        return await self._does(content, f"form-{len(self.platform.taken)}-{form.token}")

    async def share_phone(self, label: str) -> str:
        assert self.platform.taken[-1].reply.share_phone == label
        contact = Contact(phone="+436641234567", own=True)
        sender = Sender(id="sam", phone=contact.phone, verified=True)
        assert await self._does(Text(text=contact.phone, contact=contact), "shared", sender)
        return contact.phone

    async def react(self, emoji: str) -> bool:
        count = len(self.platform.taken)
        return await self._does(Reacted(target=f"m{count}", emoji=emoji), f"reaction-{count}")

    async def write_among_others(self, text: str, event: str) -> bool:
        return await self._does(Text(text=text), event, chat=ROOM)

    async def overheard(self) -> str:
        return self._in_room(private=False)

    async def whispered(self) -> str:
        return self._in_room(private=True)

    async def called(self) -> list[str]:
        return [who.user for delivery in self.platform.taken for who in called(delivery)]

    async def sees(self) -> str:
        return "\n".join(
            "\n".join([shown(delivery), *(media.alt or media.name for media in delivery.reply.media)])
            for delivery in self.platform.taken
            if delivery.address == self.address
        )

    async def bold(self) -> str:
        if not FakeChannel(self.kind, self.platform, Pulse()).capabilities.markdown:
            return ""
        spans = [s for d in self.platform.taken for block in parse(d.reply.text).blocks for s in block.spans]
        return " ".join(span.text for span in spans if span.bold)

    async def files(self) -> str:
        return " ".join(media.url for delivery in self.platform.taken for media in delivery.reply.media)

    async def cards(self) -> str:
        return " ".join(delivery.reply.card.title for delivery in self.platform.taken if delivery.reply.card)

    async def sees_typing(self) -> bool:
        return self.platform.typing[-1:] == [True]

    async def sees_draft(self) -> str:
        return self.platform.drafts[-1][1] if self.platform.drafts else ""

    async def break_off(self) -> bool:
        self.platform.fail(NotSent("the line is cut"))
        return True

    def _in_room(self, *, private: bool) -> str:
        there = [each for each in self.platform.taken if each.address.chat == ROOM and each.reply.private == private]
        return "\n".join(shown(each) for each in there)

    async def _does(self, content: Content, event: str, sender: Sender | None = None, chat: str = "") -> bool:
        gateway: Gateway | None = self.channel.gateway if self.channel else None
        if gateway is None:
            return False
        who, address = sender or Sender(id="sam"), replace(self.address, chat=chat or self.address.chat)
        message = Message(event_id=event, address=address, sender=who, content=content, at=0.0)
        try:
            await gateway.receive(message)
        except StoreUnavailable:
            return False
        return True


class TestFakeWeb(ChannelContract):
    """Every ability."""

    title = "kit: web"

    def make(self, folder: Path) -> Wire:
        return FakeWire("web")


class TestFakeChat(ChannelContract):
    """Some buttons, and a limit."""

    title = "kit: chat"

    def make(self, folder: Path) -> Wire:
        return FakeWire("chat")


class TestFakeTeam(ChannelContract):
    """Forms, mentions and edits."""

    title = "kit: team"

    def make(self, folder: Path) -> Wire:
        return FakeWire("team")


class TestFakeSms(ChannelContract):
    """Words only."""

    title = "kit: sms"

    def make(self, folder: Path) -> Wire:
        return FakeWire("sms")


class TestFakeBlind(ChannelContract):
    """Words only, and no way to look up what was sent."""

    title = "kit: blind"

    def make(self, folder: Path) -> Wire:
        return FakeWire("blind")
