"""An edit of a message that was answered: whether it is answered anew, and which replies the new ones replace.

Only what nobody has built upon: the person's newest message, whose turn did nothing in the world and answered no
question. Knows no platform; edits that came in time are the store's (see bot/store/amending.py).
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.channel import Edits
from bot.dialog.journal import Frame
from bot.messages import Command, Edited, Message, Pressed, Submitted, Text
from bot.store.contract import OutRow
from bot.turns.middleware import shortened
from bot.turns.work import Work

LOOK = 30
"""So many messages before an edit are looked at for the one that it is about."""


async def is_answered_anew(work: Work, edit: Edited) -> bool:
    """Whether the new text is answered; then the work is about it, as if it had just been said."""
    message, n = await _edited(work, edit)
    made = await work.made(n) if message is not None else None
    if message is None or made is None:
        return _too_late(work, "edited, but it is not their newest message")
    trace, rows = made
    if trace.lasting:
        return _too_late(work, "edited, but it was acted upon already")
    opened = [frame for frame in work.lane.frames if _turn_of(frame) == n]
    if opened:
        if work.lane.frames[-len(opened) :] != opened or any(_built_upon(frame) for frame in opened):
            return _too_late(work, "edited, but it was acted upon already")
        _drop(work, opened)
    said = Text(text=edit.text, media=message.media)
    work.message = shortened(replace(work.message, content=said, platform_id=edit.target))
    if isinstance(work.channel, Edits) and work.channel.capabilities.edits:
        work.replaces = [row.id for row in rows if _stands(row)]
    work.trace.notes.append("an edited message, answered anew")
    return True


async def _edited(work: Work, edit: Edited) -> tuple[Message | None, int]:
    """The message that was edited, if it is the person's newest, and the turn that answered it last."""
    n = 0
    for number, message in await work.said_before(LOOK):
        content = message.content
        if message.sender.id != work.message.sender.id:
            continue
        if isinstance(content, Edited) and content.target == edit.target and not content.settled:
            n = n or number
        elif isinstance(content, Text | Command | Pressed | Submitted):
            same = bool(edit.target) and message.platform_id == edit.target and isinstance(content, Text | Command)
            return (message, n or number) if same else (None, 0)
    return None, 0


def _too_late(work: Work, why: str) -> bool:
    work.trace.decided = why
    work.trace.lasting = True  # for the next edit of the same message
    return False


def _turn_of(frame: Frame) -> int:
    """The number of the turn that began a frame."""
    number = frame.id.rpartition("-")[2].partition("~")[0].partition(".")[0]
    return int(number) if number.isdecimal() else 0


def _built_upon(frame: Frame) -> bool:
    return any(entry.effect or entry.kind == "ask" for entry in frame.journal)


def _drop(work: Work, frames: list[Frame]) -> None:
    """Let go of questions that nobody has answered."""
    for frame in frames:
        if frame.pending is not None and frame.pending.deadline:
            work.unschedule(f"timeout:{frame.base}:{frame.pending.key}")
        work.lane.frames.remove(frame)
    work.lane.offer = None


def _stands(row: OutRow) -> bool:
    """Whether a reply is there for the person to see, or will be."""
    return row.target == "channel" and row.outgoing.source == "bot" and row.status in ("pending", "sending", "sent")
