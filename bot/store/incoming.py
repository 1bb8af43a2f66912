"""A message made ready for a store: encoded, with its ids worked out. Knows no SQL."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from bot.messages import Due, Message
from bot.people import conversation_id, person_id
from bot.store.codec import clean, clean_id, encode


class Incoming(NamedTuple):
    """A message ready for the inbox. `person` is empty for what the engine put in itself."""

    conversation: str
    person: str
    payload: bytes
    message: Message

    @property
    def event(self) -> tuple[str, str, str, str]:
        """What makes it unique: tenant, channel, account, event id.

        The engine's own events have no channel, so that no stranger's event id can meet one of them.
        """
        message = self.message
        channel = message.address.channel if self.person else ""
        return message.tenant, channel, message.address.account, message.event_id

    @property
    def words(self) -> int:
        """1 for what belongs into a transcript."""
        return 1 if self.message.text or self.message.media else 0

    @property
    def sender(self) -> tuple[str, str, str, str, int, str]:
        """What the message says about its sender: name, language, phone, e-mail, 1 if vouched for, time zone."""
        sender = self.message.sender
        vouched = 1 if sender.verified and (sender.phone or sender.email) else 0
        return sender.name, sender.language, sender.phone, sender.email, vouched, sender.timezone


def incoming(message: Message) -> Incoming:
    """Make a message ready; here is the edge where lone surrogates are replaced, so that nothing later can fail."""
    address = message.address
    conversation = conversation_id(message.tenant, address)
    # What the engine put in itself (a due timer) speaks for whoever the lane belongs to.
    internal = isinstance(message.content, Due)
    person = "" if internal else person_id(message.tenant, address.channel, address.account, message.sender.id)
    try:
        return Incoming(conversation, person, encode(message), message)
    except UnicodeEncodeError:
        message = msgspec.structs.replace(clean(message), event_id=clean_id(message.event_id))
        return Incoming(conversation, person, encode(message), message)
