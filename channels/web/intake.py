"""From a page's words to a stored message. Knows the gateway, and neither HTTP nor sockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot import Address, Command, Gateway, Media, Message, Pressed, Sender, StoreUnavailable, Text, Typing
from channels.web.feed import Feed
from channels.web.keys import conversation_for, unguessable
from channels.web.parse import BadRequest, Said, content_of, conversation_of
from channels.web.render import Posted, event_id
from channels.web.uploads import Uploads


def address_of(conversation: str) -> Address:
    """Where a conversation of the widget happens."""
    return Address(channel="web", account="main", chat=conversation)


@dataclass(frozen=True, slots=True)
class Rules:
    """What an intake goes by: how long a text may be, and the secret behind conversation ids."""

    max_text: int
    secret: bytes


class Intake:
    """Stores what pages say, and tells everybody who reads along."""

    def __init__(self, gateway: Gateway, uploads: Uploads, feed: Feed, now: Callable[[], float], rules: Rules) -> None:
        self.gateway = gateway
        self._uploads, self._feed, self._now, self._rules = uploads, feed, now, rules

    def conversation(self, wanted: str | None, client_id: str | None) -> str:
        """The conversation that is meant: the given one, the one this client id opens, or a fresh one."""
        known = conversation_of(wanted)
        if known:
            return known
        if client_id and unguessable(client_id):
            return conversation_for(self._rules.secret, client_id)
        return self.gateway.new_id()

    async def say(self, said: Said, language: str, conversation: str = "") -> Posted:
        """Store a message; once this returns it is safe, and the same client id again answers the same."""
        if self._feed.closed:
            raise StoreUnavailable("the channel has stopped")
        conversation = conversation or self.conversation(said.conversation, said.client_id)
        media = await self._media(conversation, said)
        content = content_of(said, media, self._rules.max_text)
        client_id = said.client_id or self.gateway.new_id()
        accepted = await self.gateway.receive(self._message(conversation, client_id, content, language))
        self._feed.ring(conversation)
        return Posted(conversation=conversation, seq=accepted.seq)

    async def typing(self, conversation: str, *, on: bool) -> None:
        """Pass on that the person is typing."""
        await self.gateway.signal(self._message(conversation, self.gateway.new_id(), Typing(on=on), ""))

    def _message(
        self, conversation: str, client_id: str, content: Text | Pressed | Command | Typing, language: str
    ) -> Message:
        return Message(
            event_id=event_id(conversation, client_id),
            address=address_of(conversation),
            sender=Sender(id=conversation, language=language),
            content=content,
            at=self._now(),
            platform_id=client_id,
        )

    async def _media(self, conversation: str, said: Said) -> tuple[Media, ...]:
        found = []
        for id in said.upload:
            stored = await self._uploads.find(id)
            if stored is None or stored.conversation != conversation:
                raise BadRequest(400, "upload: there is no such file in this conversation.")
            found.append(self._uploads.media(id, stored))
        return tuple(found)
