"""Edits and deletes of messages that still wait for their turn: the message is answered as it stands by then.

Values only; each store runs WAITING inside the transaction that stores the edit.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from bot.messages import Command, Deleted, Edited, Message, Text
from bot.store.codec import decode_message, encode

WAITING = """
SELECT i.seq, i.payload FROM lanes l JOIN inbox i ON i.conversation = l.conversation
WHERE l.conversation = {0} AND i.seq >= l.turn_seq AND i.seq < {1}
  AND (i.seq > l.turn_seq OR (l.worker = '' AND l.attempts = 0))
ORDER BY i.seq DESC LIMIT 50"""
"""The newest messages of a lane in front of an edit whose turns were not claimed: conversation, number of the edit."""

Amended = list[tuple[int, bytes, int]]
"""Rows of the inbox to be written: number, payload, and 1 for what belongs into a transcript."""


def changes(message: Message) -> bool:
    """Whether a message is about an earlier one's words."""
    return isinstance(message.content, Edited | Deleted)


def amend(edit: Message, seq: int, waiting: Iterable[tuple[int, bytes]]) -> Amended:
    """What becomes of a waiting message and of the edit itself, which has the number `seq`; empty if nothing does."""
    content = edit.content
    if not isinstance(content, Edited | Deleted) or not content.target:
        return []
    for number, payload in waiting:
        message = _decoded(payload)
        if message is None or message.platform_id != content.target:
            continue
        now = _amended(message, content)
        if now is None:
            return []
        said = 1 if now.text or now.media else 0
        done = replace(edit, content=replace(content, settled=True))
        return [(number, encode(now), said), (seq, encode(done), 0)]
    return []


def _amended(message: Message, content: Edited | Deleted) -> Message | None:
    if not isinstance(message.content, Text | Command):
        return None
    if isinstance(content, Deleted):
        return replace(message, content=replace(content, settled=True), raw="")
    return replace(message, content=Text(text=content.text, media=message.media), raw="")


def _decoded(payload: bytes) -> Message | None:
    try:
        return decode_message(payload)
    except msgspec.MsgspecError:
        return None  # whoever claims it will see to it
