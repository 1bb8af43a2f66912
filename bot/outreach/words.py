"""Something to be said later, and the effect that brings it into the lane whose turn will say it. Pure.

It travels as a message of its lane, so that state, choices, silence and the owner's rules all come by themselves.
"""

from __future__ import annotations

import msgspec

from bot.messages import Due, Message, Sender, Value
from bot.people import Conversation
from bot.replies import Reply
from bot.store.codec import clean, clean_id
from bot.store.contract import Effect, Timer

SENDER = Sender(id="frontdesk")


class Words(Value, frozen=True):
    """What is to be said, and under which rules. `since` is when it was to be said; times are seconds since 1970."""

    reply: Reply
    since: float
    expires: float
    quiet: bool = True
    broadcast: str = ""


def due_of(key: str, words: Words) -> Due:
    """As the lane gets it."""
    try:
        body = msgspec.json.encode(words)
    except UnicodeEncodeError:
        body = msgspec.json.encode(clean(words))
    return Due(kind="outreach", key=key, body=body.decode())


def words_of(due: Due) -> Words:
    """Back again."""
    return msgspec.json.decode(due.body, type=Words)


def effect_of(conversation: Conversation, key: str, words: Words, now: float) -> Effect:
    """What brings it into the lane: now, or by a timer; the same key again changes nothing."""
    due, name = due_of(clean_id(key), words), f"outreach:{clean_id(key)}"
    if words.since > now:
        timer = Timer(key=name, at=words.since, due=due)
        return Effect(conversation=conversation.id, now=now, event_id=name, timers=(timer,))
    message = Message(
        event_id=f"{name}:{conversation.id}",
        address=conversation.address,
        sender=SENDER,
        content=due,
        at=now,
        tenant=conversation.tenant,
    )
    return Effect(conversation=conversation.id, now=now, event_id=name, message=message)
