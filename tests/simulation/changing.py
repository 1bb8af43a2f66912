"""What must be true of edits, of what was taken back, and of consents, when everything has come to rest.

I9 an edit that was stored before its message's turn began is what that turn answers; what was taken back by then is
not answered. I10 an edit that came later is answered by its own turn or not at all, once; and where the platform can
change what was said, one answer stands and not two. What is answered to a message is checked in ending.py.
"""

from __future__ import annotations

import sqlite3

from bot.channel import Accepted
from bot.messages import Edited, Message
from bot.store.codec import decode_reply
from tests.simulation.invariants import Violation
from tests.simulation.people import Person
from tests.simulation.platform import Platform
from tests.simulation.skills import echoes

_TURN = "SELECT n FROM inbox WHERE conversation = ? AND seq = ?"

_SAID = """
SELECT o.conversation || '.' || o.seq, o.body, o.status FROM outbox o
WHERE o.conversation = ? AND o.turn = ? AND o.target = 'channel' AND o.source = 'bot' ORDER BY o.seq"""

_DEAD = "SELECT count(*) FROM dead_letters WHERE conversation = ? AND n = ?"

_SILENCE = "SELECT silence FROM lanes WHERE conversation = ?"


def check_changes(raw: sqlite3.Connection, people: list[Person], platforms: list[Platform]) -> None:
    """Check all of it."""
    named = {platform.name: platform for platform in platforms}
    for person in people:
        for message, accepted in person.said:
            for change, placed in person.deeds.changes.get(message.event_id, []):
                _check_own_turn(raw, change, placed)
            if message.event_id in person.deeds.changes:
                changes = person.deeds.changes[message.event_id]
                _check_one_stands(raw, message, accepted, changes, named[person.address.channel])
        _check_consents(raw, person)


def _check_own_turn(raw: sqlite3.Connection, change: Message, placed: Accepted) -> None:
    """What the edit's own turn says: nothing, or what is answered to its text."""
    said = [decode_reply(body).text for _, body, _ in _rows(raw, placed)]
    if not said or _parked(raw, placed):
        return
    if not isinstance(change.content, Edited):
        raise Violation(f"I9: {change.event_id} took something back, and was answered {said}")
    wanted = echoes(change.content.text)
    # Below the answer, a question that is still open may be asked again.
    if said[: len(wanted)] != wanted or len(said) > len(wanted) + 1:
        raise Violation(f"I10: {change.event_id} ({change.content.text}) was answered {said}")


def _check_one_stands(
    raw: sqlite3.Connection,
    message: Message,
    accepted: Accepted,
    changes: list[tuple[Message, Accepted]],
    platform: Platform,
) -> None:
    """Where it can be edited, the answers to a message that was changed are those to one of its texts."""
    places = [accepted, *(placed for _, placed in changes)]
    rows = [row for place in places for row in _rows(raw, place)]
    if not platform.capabilities.edits or any(_parked(raw, place) for place in places):
        return
    if any(status != "sent" or id in platform.refused for id, _, status in rows):
        return  # what can't be edited is said anew
    versions = [message.text, *(change.content.text for change, _ in changes if isinstance(change.content, Edited))]
    standing = {platform.shown[id] for id, _, _ in rows if id in platform.shown}
    answered = [text for text in versions if text.startswith("/echo") and standing & set(echoes(text))]
    if len(answered) > 1:
        raise Violation(f"I10: {message.event_id} has the answers to {answered}: {sorted(standing)}")


def _check_consents(raw: sqlite3.Connection, person: Person) -> None:
    """Whoever opted out last is silent; the last word counts."""
    if not person.deeds.consents:
        return
    message, accepted = person.deeds.consents[-1]
    (silence,) = raw.execute(_SILENCE, (accepted.conversation,)).fetchone()
    wanted = "" if message.content.on else message.content.why  # type: ignore[union-attr]  # a Consent
    if silence != wanted:
        raise Violation(f"I8: {accepted.conversation} said {message.content} last, and its silence is {silence!r}")


def _rows(raw: sqlite3.Connection, place: Accepted) -> list[tuple[str, bytes, str]]:
    (n,) = raw.execute(_TURN, (place.conversation, place.seq)).fetchone()
    rows: list[tuple[str, bytes, str]] = raw.execute(_SAID, (place.conversation, n)).fetchall()
    return rows


def _parked(raw: sqlite3.Connection, place: Accepted) -> bool:
    (n,) = raw.execute(_TURN, (place.conversation, place.seq)).fetchone()
    return bool(raw.execute(_DEAD, (place.conversation, n)).fetchone()[0])
