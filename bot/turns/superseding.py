"""Turns that nobody wants any more: their message was changed or taken back, or the person wants to hear nothing.

Such a turn stops at once, so that a model's answer is not made and paid for to its end, but only while nothing of it is
durable or in the world. It is committed as it stands, which is empty; what was written instead has a turn of its own.
Only the process that works on a turn hears of it here; elsewhere it is answered, and answered anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.dialog.journal import Lane
from bot.messages import Consent, Deleted, Edited, Message
from bot.turns.work import Work


class Superseding:
    """Knows what is at work. `drop` takes the handlers of a conversation out of memory, which ends its turn."""

    def __init__(self, drop: Callable[[str, Lane], None], ends: Callable[[str], bool]) -> None:
        self._drop, self._ends = drop, ends
        self._at_work: dict[str, Work] = {}

    @contextmanager
    def watching(self, work: Work) -> Iterator[None]:
        """The turn is at work for as long as this lasts."""
        conversation = work.conversation.id
        self._at_work[conversation] = work
        try:
            yield
        finally:
            if self._at_work.get(conversation) is work:
                del self._at_work[conversation]

    def heard(self, conversation: str, message: Message) -> None:
        """A message was stored: does it end the turn that is at work there?"""
        work = self._at_work.get(conversation)
        if work is None or not _ends(work, message) or self._ends(conversation):
            return
        if work.touched or work.drafted or work.committing or work.rev != work.claim.rev:
            return  # something of it can't be taken back
        work.superseded = True
        self._drop(conversation, work.lane)


def _ends(work: Work, message: Message) -> bool:
    content = message.content
    if isinstance(content, Consent):
        return not content.on
    mine = work.message.platform_id
    return isinstance(content, Edited | Deleted) and bool(mine) and content.target == mine
