"""A person in a test: writes, presses, fills in and sends, and sees what the bot under test says to them."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bot.channel import Delivery
from bot.messages import Address, Command, Contact, Content, Media, Message, Pressed, Sender, Submitted, Text
from bot.people import conversation_id
from bot.replies import NOTHING
from bot.testing.fakes import shown

if TYPE_CHECKING:
    from bot.testing.kit import Bot


class User:
    """A person on a channel."""

    def __init__(self, bot: Bot, name: str, channel: str, room: str = "") -> None:
        self._bot, self.name, self.channel = bot, name, channel
        self.address = Address(channel=channel, account="main", chat=room or name)
        self.conversation = conversation_id("default", self.address)
        self._looked = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Nothing to close: people don't."""

    async def says(self, text: str) -> None:
        """Write something; returns when the bot has come to rest."""
        command = text.startswith("/") and len(text) > 1
        name, _, rest = text[1:].partition(" ")
        await self.does(Command(name=name.lower(), text=rest) if command else Text(text=text))

    async def presses(self, label: str) -> None:
        """Press the newest button that has this label."""
        for delivery in reversed(self._taken()):
            for button in delivery.reply.buttons:
                if button.label == label:
                    await self.does(Pressed(token=button.token, label=label))
                    return
        raise AssertionError(f"no button {label!r} in:\n{self.transcript}")

    async def fills_in(self, values: dict[str, str]) -> None:
        """Fill in the newest form and send it off."""
        for delivery in reversed(self._taken()):
            form = delivery.reply.form
            if form is not None:
                known = {field.name for field in form.fields}
                assert values.keys() <= known, f"the form has only {sorted(known)}"  # noqa: S101 - a test's own check
                await self.does(Submitted(token=form.token, values=values, text=", ".join(values.values())))
                return
        raise AssertionError(f"no form in:\n{self.transcript}")

    async def shares_phone(self, phone: str, *, own: bool = True) -> None:
        """Share a phone number: with the button of the newest question, or somebody else's from the address book."""
        newest = self._taken()[-1] if self._taken() else None
        if own and not (newest and newest.reply.share_phone):
            raise AssertionError(f"no button that shares a number in:\n{self.transcript}")
        sender = Sender(id=self.name, name=self.name.title(), phone=phone if own else "", verified=own)
        await self.does(Text(text=phone, contact=Contact(phone=phone, own=own)), sender=sender)

    async def sends(self, data: bytes, *, name: str = "file", text: str = "") -> None:
        """Send a file, perhaps with words."""
        files, gateway = self._bot.platforms[self.channel].files, self._bot.channels[self.channel].gateway
        assert gateway is not None, "the bot is not running"  # noqa: S101 - a test's own check
        ref = f"{len(files)}-{name}"
        files[ref] = data
        url = gateway.file_url(self.channel, self.address.account, ref, name)
        await self.does(Text(text=text, media=(Media(url=url, name=name, size=len(data)),)))

    async def does(
        self, content: Content, *, event_id: str = "", sender: Sender | None = None, platform_id: str = ""
    ) -> None:
        """Send anything. It is delivered again, as platforms do, until the bot has taken it."""
        self._looked = len(self._taken())
        await self._bot.before_message()
        message = Message(
            event_id=event_id or self._bot.event_id(),
            address=self.address,
            sender=sender or Sender(id=self.name, name=self.name.title()),
            content=content,
            at=self._bot.clock.now(),
            platform_id=platform_id,
        )
        while True:
            channel = self._bot.channels[self.channel]
            assert channel.gateway is not None, "the bot is not running"  # noqa: S101 - a test's own check
            put = asyncio.ensure_future(channel.gateway.receive(message))
            died = asyncio.ensure_future(self._bot.store.died.wait())
            await asyncio.wait({put, died}, return_when=asyncio.FIRST_COMPLETED)
            died.cancel()
            if put.done():
                put.result()
                break
            put.cancel()
            await self._bot.settle()
        await self._bot.settle()

    # --- what this person sees

    @property
    def seen(self) -> list[str]:
        """Everything said to this person since they last wrote, as shown."""
        return _shown(self._taken()[self._looked :])

    @property
    def all_seen(self) -> list[str]:
        """Everything ever said to this person, as shown."""
        return _shown(self._taken())

    @property
    def transcript(self) -> str:
        """All of it, for messages of failing tests."""
        return "\n---\n".join(self.all_seen) or "(nothing was said)"

    def sees(self, *fragments: str) -> None:
        """Check that the fragments were said since this person last wrote, in this order."""
        text = "\n".join(self.seen)
        at = 0
        for fragment in fragments:
            found = text.find(fragment, at)
            if found < 0:
                raise AssertionError(f"{self.name} does not see {fragment!r} in:\n{text or '(nothing)'}")
            at = found + len(fragment)

    def does_not_see(self, *fragments: str) -> None:
        """Check that none of the fragments was said since this person last wrote."""
        text = "\n".join(self.seen)
        for fragment in fragments:
            if fragment in text:
                raise AssertionError(f"{self.name} sees {fragment!r} in:\n{text}")

    def sees_nothing(self) -> None:
        """Check that the bot was silent since this person last wrote."""
        if self.seen:
            raise AssertionError(f"{self.name} sees:\n" + "\n".join(self.seen))

    def _taken(self) -> list[Delivery]:
        return [d for d in self._bot.platforms[self.channel].taken if d.address == self.address]


def _shown(taken: list[Delivery]) -> list[str]:
    return [shown(delivery) for delivery in taken if delivery.reply != NOTHING]
