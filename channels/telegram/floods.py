"""Whether Telegram wants less of one chat, or of the whole bot: it says the same either way. Pure, but for the time.

A chat's limit is hit by what is said in that chat. Several chats that are refused at once have only the bot in common;
so have two chats that are to wait for long, since what is too much for one chat is a matter of seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from bot import RateLimited

TOGETHER = 10.0
"""Seconds within which refusals count as at once."""

SEVERAL = 3
"""Chats that are refused at once."""

LONG = 30.0
"""Seconds: two chats that are to wait so long are the bot's matter."""


class Floods:
    """The latest refusals of one bot, by chat."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._refused: dict[str, tuple[float, float]] = {}

    def judge(self, chat: str, limit: RateLimited) -> RateLimited:
        """The refusal of a call to a chat, with whom it is for."""
        now = self._now()
        self._refused = {one: when for one, when in self._refused.items() if when[0] > now - TOGETHER}
        self._refused[chat] = (now, limit.retry_after)
        waits = [wait for _, wait in self._refused.values()]
        whole = len(waits) >= SEVERAL or sum(wait >= LONG for wait in waits) > 1
        return RateLimited(limit.retry_after, account=True) if whole else limit
