"""What skills and adapters ask for to say something outside of a turn. Knows no store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from bot.messages import Media
from bot.people import Conversation, Person
from bot.replies import Card, Choice

EXPIRES = 3 * 24 * 3600.0
"""Seconds after which something that could not be said is dropped, unless its author says otherwise."""


class Outreach(ABC):
    """Says things to people who have not just written."""

    @abstractmethod
    async def say(
        self,
        to: Conversation | Person | str,
        text: str = "",
        *,
        choices: Iterable[str | Choice] = (),
        media: Iterable[Media] = (),
        card: Card | None = None,
        key: str = "",
        at: float | None = None,
        quiet: bool = True,
        expires: float = EXPIRES,
    ) -> str:
        """Say it once per key, durably; returns the key.

        `to` is a conversation, a person, or the id of either; a person is written to where they last wrote
        alone. `text` is
        CommonMark: put people's words in with `fill`. Without a `key`, a step or a job that runs again says the same
        text no second time; elsewhere each call says it anew. `at` is in seconds since 1970.

        It waits while a human agent has the conversation, while a question is open (only if it has choices), and
        through the quiet hours of the recipient unless `quiet` is False; after `expires` seconds it is dropped. Who
        opted out gets nothing. Raises FrontdeskError when there is no such conversation, StoreUnavailable when nothing
        was written.
        """
