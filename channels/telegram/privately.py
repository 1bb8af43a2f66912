"""Where words for one person's eyes go that answer something said in a group: Telegram has no such message there."""

from __future__ import annotations

from collections.abc import Callable

from bot import Address, Delivery, Gateway, Reply


class Privately:
    """One bot's private chats. `hint` is said in the group to whom we can't write; `name` is the bot's own."""

    def __init__(self, gateway: Gateway, account: str, name: Callable[[], str], hint: str) -> None:
        self._gateway, self._account, self._name, self._hint = gateway, account, name, hint

    async def place(self, delivery: Delivery) -> Address | None:
        """The chat of whoever was answered, if they have ever opened it; a bot may not write first."""
        after = max(0, delivery.seq - 200)
        for entry in reversed(await self._gateway.history(delivery.address, after=after)):
            if entry.source == "user" and entry.message is not None and entry.seq <= delivery.seq:
                there = Address(channel="telegram", account=self._account, chat=entry.message.sender.id)
                # Below zero is a group: somebody who stays anonymous in it.
                return there if there.chat.isdigit() and await self._gateway.knows(there) else None
        return None

    def hint(self) -> Reply:
        """What is said in the group instead: how to hear it, and nothing of what it is."""
        return Reply(text=self._hint.replace("{link}", f"https://t.me/{self._name()}"))
