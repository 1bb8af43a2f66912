"""Says something outside of a turn: finds the conversation, and brings the words into its lane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from sqlalchemy import Connection
from sqlalchemy import text as sql

from bot.clock import Clock, Entropy
from bot.dialog.journal import digest
from bot.dialog.run import step_key
from bot.errors import FrontdeskError
from bot.messages import Address, Media
from bot.outreach.port import EXPIRES, Outreach
from bot.outreach.words import Words, effect_of
from bot.people import Conversation, Person
from bot.replies import Card, Choice, Reply, as_choices
from bot.store.contract import Applied, Effect, Store

Apply = Callable[[Effect], Awaitable[Applied | None]]

_NEWEST = """
SELECT l.conversation FROM lanes l WHERE l.person = :person
ORDER BY (SELECT max(i.at) FROM inbox i WHERE i.conversation = l.conversation AND i.channel <> '') DESC NULLS LAST
LIMIT 50"""

Shared = Callable[[Address], bool]
"""Whether others read along at an address."""


class Saying(Outreach):
    """The one implementation; `apply` writes an effect and rings the engine's bell."""

    def __init__(self, store: Store, apply: Apply, shared: Shared, clock: Clock, entropy: Entropy) -> None:
        self._store, self._apply, self._shared = store, apply, shared
        self._clock, self._entropy = clock, entropy

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
        """Bring it into the lane, once per key."""
        conversation = await self._find(to)
        reply = Reply(text=text, choices=as_choices(choices), media=tuple(media), card=card)
        now = self._clock.now()
        since = now if at is None else max(at, now)
        step = step_key.get()
        name = key or (f"{step}:{digest(reply)}" if step else self._entropy.token())
        words = Words(reply=reply, since=since, expires=since + expires, quiet=quiet)
        await self._apply(effect_of(conversation, name, words, now))
        return name

    async def _find(self, to: Conversation | Person | str) -> Conversation:
        id = to if isinstance(to, str) else to.id
        found = await self._store.conversation(id)
        if found is not None:
            return found
        theirs = await self._store.read(lambda connection: _newest(connection, id))
        for one in theirs:
            found = await self._store.conversation(one)
            if found is not None and not self._shared(found.address):
                return found
        if theirs:
            raise FrontdeskError(f"{id} wrote only where others read along; to say it there, name the conversation.")
        raise FrontdeskError(f"There is no conversation {id}, and nobody of that id ever wrote.")


def _newest(connection: Connection, person: str) -> list[str]:
    return [row.conversation for row in connection.execute(sql(_NEWEST), {"person": person})]
