"""Where a chat is now: a group that becomes a supergroup gets another id, and its conversation goes on."""

from __future__ import annotations

from bot import Gateway


class Chats:
    """The chats of one bot that moved, as all processes know them."""

    def __init__(self, gateway: Gateway, account: str) -> None:
        self._gateway, self._prefix = gateway, f"telegram.{account}"
        self._topic = f"telegram.{account}.moved"
        # Nearly no chat ever moves: what is known of one is asked once, and again after some chat has moved.
        self._known: dict[str, str] = {}
        self._deafen = gateway.subscribe(self._topic, lambda _: self._known.clear())

    def close(self) -> None:
        """Hear no more."""
        self._deafen()

    async def home(self, chat: str) -> str:
        """The chat that a conversation is known by: the first of all that it had."""
        return await self._look_up("moved_from", chat)

    async def now(self, chat: str) -> str:
        """The chat to send to for a conversation that is known by `chat`."""
        return await self._look_up("moved_to", chat)

    async def moved(self, old: str, new: str) -> None:
        """Note that `new` has taken the place of `old`. Raises StoreUnavailable; twice is harmless."""
        home = await self.home(old)
        if home == new:
            return  # in a circle: that is no move
        await self._gateway.write_note(f"{self._prefix}.moved_to.{home}", new)
        await self._gateway.write_note(f"{self._prefix}.moved_from.{new}", home)
        self._known.clear()
        self._gateway.publish(self._topic)

    async def _look_up(self, way: str, chat: str) -> str:
        if not chat.startswith("-"):
            return chat  # one person's
        key = f"{self._prefix}.{way}.{chat}"
        if key not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[key] = await self._gateway.note(key) or chat
        return self._known[key]
