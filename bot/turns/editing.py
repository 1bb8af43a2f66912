"""An edit of a message that was answered: whether it is answered anew, and which replies the new ones replace; and a
message that is taken back: whether its answer goes with it.

Only what nobody has built upon: the person's newest message, whose turn did nothing in the world and answered no
question. Knows no platform; edits that came in time are the store's (see bot/store/amending.py).
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.channel import Deletes, Edits
from bot.dialog.journal import Frame
from bot.messages import Command, Deleted, Edited, Message, Pressed, Submitted, Text
from bot.store.contract import OutRow
from bot.turns.middleware import shortened
from bot.turns.work import Work

LOOK = 30
"""So many messages before an edit are looked at for the one that it is about."""


async def is_answered_anew(work: Work, edit: Edited) -> bool:
    """Whether the new text is answered; then the work is about it, as if it had just been said."""
    message = await _let_go(work, edit)
    if message is None:
        return False
    said = Text(text=edit.text, media=message.media)
    work.message = shortened(replace(work.message, content=said, platform_id=edit.target))
    if not isinstance(work.channel, Edits) or not work.channel.capabilities.edits:
        work.lane.replaces = []
    work.trace.notes.append("an edited message, answered anew")
    return True


async def take_back(work: Work, deleted: Deleted) -> None:
    """Take the answer back too, and its questions, where the channel can; elsewhere everything stands as it did."""
    work.trace.decided = "taken back"
    if not isinstance(work.channel, Deletes) or not work.channel.capabilities.deletes:
        return
    if await _let_go(work, deleted) is not None:
        work.trace.decided = "taken back, and its answer with it"
        work.lane.offer, work.lane.rest = None, []


async def _let_go(work: Work, change: Edited | Deleted) -> Message | None:
    """The message that is changed, if nobody has built upon it: then its questions are let go of, and its replies are
    those whose place is taken.
    """
    how = "edited" if isinstance(change, Edited) else "taken back"
    message, n = await _changed(work, change)
    made = await work.made(n) if message is not None else None
    if message is None or made is None:
        _too_late(work, f"{how}, but it is not their newest message")
        return None
    trace, rows = made
    opened = [frame for frame in work.lane.frames if _turn_of(frame) == n]
    above = work.lane.frames[len(work.lane.frames) - len(opened) :]
    if trace.lasting or above != opened or any(_built_upon(frame) for frame in opened):
        _too_late(work, f"{how}, but it was acted upon already")
        return None
    _drop(work, opened)
    work.lane.replaces = [row.id for row in rows if _stands(row)]
    return message


async def _changed(work: Work, edit: Edited | Deleted) -> tuple[Message | None, int]:
    """The message that was changed, if it is the person's newest, and the turn that answered it last."""
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


def _too_late(work: Work, why: str) -> None:
    work.trace.decided = why
    work.trace.lasting = True  # for the next edit of the same message


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
    if frames:
        work.lane.offer = None


def _stands(row: OutRow) -> bool:
    """Whether a reply is there for the person to see, or will be."""
    said = row.outgoing
    there = row.status in ("pending", "sending", "sent")
    return row.target == "channel" and said.source == "bot" and not said.takes_back and there
