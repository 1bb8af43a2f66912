"""What every message passes before the router: one callable around the next, outermost first.

A middleware that does not call `proceed` ends the turn with what it emitted into the work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from bot.messages import Due, Message, Text
from bot.replies import Reply
from bot.turns.work import Work

Proceed = Callable[[Work], Awaitable[None]]

MANY = 30
WITHIN = 10.0
"""More than MANY messages of one conversation within so many seconds are told, once, to slow down."""

LONGEST = 20_000
"""Characters of one message that skills get to see; the rest stays in the inbox."""


class Middleware(ABC):
    """Sees every message before the router."""

    @abstractmethod
    async def __call__(self, work: Work, proceed: Proceed) -> None:
        """Look at the message; then `await proceed(work)`, or don't."""


def compose(chain: Sequence[Middleware], last: Proceed) -> Proceed:
    """One callable that goes through the whole chain."""
    for middleware in reversed(chain):
        last = _around(middleware, last)
    return last


def _around(middleware: Middleware, inner: Proceed) -> Proceed:
    async def proceed(work: Work) -> None:
        await middleware(work, inner)

    return proceed


class Flood(Middleware):
    """One person's flood costs the others nothing: beyond the limit, messages are kept but not answered."""

    def __init__(self, sentence: str, *, many: int = MANY, within: float = WITHIN, remembered: int = 10_000) -> None:
        self._sentence, self._many, self._within, self._remembered = sentence, many, within, remembered
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    async def __call__(self, work: Work, proceed: Proceed) -> None:
        """Count by the time of arrival, so that a backlog after an outage is no flood."""
        # Never dropped: what the engine itself says, what a human agent should read, and a turn that is half done.
        if isinstance(work.message.content, Due) or work.conversation.owner != "bot" or work.lane.interrupted:
            await proceed(work)
            return
        key = work.conversation.id
        times = self._seen.pop(key, None) or deque(maxlen=self._many + 1)
        self._seen[key] = times
        times.append(work.message.at)
        self._forget(work.message.at - self._within)
        if len(times) <= self._many or times[-1] - times[0] > self._within:
            work.lane.flooded = False
            await proceed(work)
            return
        work.trace.decided = "too many messages at once"
        if not work.lane.flooded:
            work.lane.flooded = True
            work.say(f"flood.{work.claim.n}", Reply(text=self._sentence))

    def _forget(self, before: float) -> None:
        """Let go of who has been silent since then, and of the longest silent of too many."""
        while self._seen:
            key, times = next(iter(self._seen.items()))
            if times[-1] >= before and len(self._seen) <= self._remembered:
                return
            del self._seen[key]


class Shorten(Middleware):
    """A message of a megabyte is answered like its first pages."""

    async def __call__(self, work: Work, proceed: Proceed) -> None:
        """Cut what skills get to see."""
        work.message = shortened(work.message)
        await proceed(work)


def shortened(message: Message, longest: int = LONGEST) -> Message:
    """The message with at most `longest` characters of text."""
    content = message.content
    if isinstance(content, Text) and len(content.text) > longest:
        cut = msgspec.structs.replace(content, text=content.text[:longest])
        return msgspec.structs.replace(message, content=cut, raw="")
    return message
