"""Edits, deletes and further parts of messages that still wait for their turn: answered as they stand by then.

Values only; each store runs WAITING inside the transaction that stores the edit.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from bot.messages import Command, Deleted, Edited, Message, Text
from bot.store.codec import decode_message, encode

GATHERING = 1.0
"""Seconds that the first part of a group waits for the others: platforms deliver them right after each other."""

WAITING = """
SELECT i.seq, i.payload FROM lanes l JOIN inbox i ON i.conversation = l.conversation
WHERE l.conversation = {0} AND i.seq >= l.turn_seq AND i.seq < {1}
  AND (i.seq > l.turn_seq OR (l.worker = '' AND l.attempts = 0))
ORDER BY i.seq DESC LIMIT 50"""
"""The newest messages of a lane in front of an edit whose turns were not claimed: conversation, number of the edit."""

Amended = list[tuple[int, bytes, int]]
"""Rows of the inbox to be written: number, payload, and 1 for what belongs into a transcript."""


def changes(message: Message) -> bool:
    """Whether a message is about an earlier one, or may be a part of it."""
    return bool(message.group) or isinstance(message.content, Edited | Deleted)


def amend(edit: Message, seq: int, waiting: Iterable[tuple[int, bytes]]) -> Amended:
    """What becomes of a waiting message and of the edit itself, which has the number `seq`; empty if nothing does."""
    content = edit.content
    if edit.group and isinstance(content, Text):
        return _joined(edit, content, seq, waiting)
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


def _joined(part: Message, content: Text, seq: int, waiting: Iterable[tuple[int, bytes]]) -> Amended:
    """A further part of something goes into its first part; its own turn then has nothing to do."""
    for number, payload in waiting:
        first = _decoded(payload)
        if first is None or not isinstance(first.content, Text):
            continue
        if (first.group, first.sender.id) != (part.group, part.sender.id):
            continue
        words = "\n".join(text for text in (first.content.text, content.text) if text)
        whole = replace(first.content, text=words, media=(*first.content.media, *content.media))
        done = replace(part, content=Edited(target=first.platform_id, text="", settled=True))
        return [(number, encode(replace(first, content=whole, raw="")), 1), (seq, encode(done), 0)]
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
