"""What was said unasked by day and would be sent by night: it goes back into its lane, and is said in the morning.

A reply may wait in the outbox over the border of the quiet hours: a platform was away, or its pace was slow. It does
not wait there for the morning, since the answers to whoever writes at night stand behind it in the same line. The gate
looks at all its rules again in the morning.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import structlog
from sqlalchemy import Connection, text

from bot.clock import Clock
from bot.messages import Due
from bot.outreach.quiet import QuietHours
from bot.outreach.settings import OutreachSettings
from bot.outreach.words import due_of, words_of
from bot.outreach.zones import zones_of
from bot.store.codec import decode_message
from bot.store.contract import Applied, Effect, OutRow, Store, Timer

PREFIX = "outreach."
"""With this the key of every reply begins that was said unasked."""

Apply = Callable[[Effect], Awaitable[Applied | None]]

log = structlog.get_logger()

_SAID = text("SELECT payload FROM inbox WHERE conversation = :conversation AND n = :n")


class Night:
    """Asked before each send."""

    def __init__(self, store: Store, apply: Apply, clock: Clock, settings: OutreachSettings) -> None:
        self._store, self._apply, self._clock, self._settings = store, apply, clock, settings
        self._quiet = QuietHours.parse(settings.quiet_hours)

    async def keeps(self, row: OutRow) -> bool:
        """Whether a row is not to be sent now; then its words are back in their lane. Raises StoreError."""
        if not row.outgoing.key.startswith(PREFIX):
            return False
        conversation, now = await self._store.conversation(row.conversation), self._clock.now()
        if conversation is None:
            return False
        awake = self._quiet.over(now, zones_of(conversation.person, self._settings.zone_of(conversation.tenant)))
        due = await self._store.read(lambda c: _due_of(c, row)) if awake > now else None
        # Only what nothing of is sent: half a message by night and half in the morning would be worse.
        if due is None or row.outgoing.key != f"{PREFIX}{due.key}" or not (words := words_of(due)).quiet:
            return False
        parts = [one for one in await self._store.unsent(row.conversation) if one.turn == row.turn and _of(one, due)]
        name = f"{PREFIX}{due.key}"
        timer = Timer(key=name, at=min(awake, words.expires), due=due_of(due.key, words))
        effect = Effect(
            conversation=row.conversation,
            now=now,
            event_id=f"night:{row.id}",
            timers=(timer,),
            withdraws=tuple(parts),
        )
        if await self._apply(effect) is None:
            return False  # a send of it has begun
        log.info("said_in_the_morning", row=row.id)
        return True


def _due_of(connection: Connection, row: OutRow) -> Due | None:
    """What was due when a row was made."""
    payload = connection.execute(_SAID, {"conversation": row.conversation, "n": row.turn}).scalar()
    try:
        content = decode_message(payload).content if payload else None
    except msgspec.MsgspecError:
        return None
    return content if isinstance(content, Due) and content.kind == "outreach" else None


def _of(row: OutRow, due: Due) -> bool:
    key = row.outgoing.key
    return key == f"{PREFIX}{due.key}" or key.startswith(f"{PREFIX}{due.key}/")
