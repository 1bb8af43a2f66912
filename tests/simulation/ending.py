"""What must be true when everything has come to rest: nothing was lost, nothing is open, nobody was told twice."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping

from bot.channel import Accepted
from bot.messages import Message
from bot.store.codec import decode_reply
from tests.simulation.changing import check_changes
from tests.simulation.desk import Helpdesk
from tests.simulation.invariants import Violation
from tests.simulation.people import Person
from tests.simulation.platform import Platform
from tests.simulation.skills import Ledger, echoes

_TURN = "SELECT n FROM inbox WHERE conversation = ? AND seq = ?"

_DEAD = "SELECT count(*) FROM dead_letters WHERE conversation = ? AND n = ?"

_REPLIES = "SELECT key, body, target FROM outbox WHERE conversation = ? AND turn = ? ORDER BY seq"

_ROWS = """
SELECT o.conversation || '.' || o.seq, l.channel, o.status FROM outbox o JOIN lanes l USING (conversation)
WHERE o.target = 'channel'"""


def check_end(
    raw: sqlite3.Connection,
    people: list[Person],
    platforms: list[Platform],
    ledger: Ledger,
    in_time: Mapping[str, str | None],
) -> None:
    """Check all of it. `in_time` is what messages said that were changed before their turns began."""
    for person in people:
        for message, accepted in person.said:
            _check_answered(raw, message, accepted, in_time.get(message.event_id, message.text))
    check_changes(raw, people, platforms)
    for platform in platforms:
        _check_sent(raw, platform)
    for tag, keys in sorted(ledger.keys.items()):
        if len(keys) != 1:
            raise Violation(f"the work of {tag} was done under {len(keys)} keys")
    for tag, count in sorted(ledger.once.items()):
        if count > 1:
            raise Violation(f"{tag} was given {count} times")


def _check_answered(raw: sqlite3.Connection, message: Message, accepted: Accepted, text: str | None) -> None:
    (n,) = raw.execute(_TURN, (accepted.conversation, accepted.seq)).fetchone()
    turn = accepted.conversation, n
    rows = raw.execute(_REPLIES, turn).fetchall()
    parked = raw.execute(_DEAD, turn).fetchone()[0]
    if text is None:
        if rows and not parked:
            raise Violation(f"I9: {message.event_id} was taken back in time, and answered all the same")
        return
    if not rows:
        raise Violation(f"{message.event_id} ({text}) was acknowledged and not answered")
    if parked:
        if not any(key.startswith("sorry.") or target == "desk" for key, _, target in rows):
            raise Violation(f"{message.event_id} was parked without an apology")
    elif text.startswith("/echo") and all(target == "channel" for _, _, target in rows):
        said = [decode_reply(body).text for _, body, _ in rows]
        # Below the answer, a question that is still open may be asked again.
        wanted = echoes(text)
        if said[: len(wanted)] != wanted or len(said) > len(wanted) + 1:
            raise Violation(f"{message.event_id} ({text}) was answered {said}")


def _check_sent(raw: sqlite3.Connection, platform: Platform) -> None:
    landed = Counter(delivery.id for delivery in platform.landed)
    for id, channel, status in raw.execute(_ROWS).fetchall():
        if channel != platform.name:
            continue
        count = landed.pop(id, 0)
        match status:
            case "sent" if count == 1 or (count > 1 and not platform.capabilities.read_back) or id in platform.edited:
                pass
            case "failed" if id in platform.refused and (count == 0 or not platform.capabilities.read_back):
                pass
            case "suppressed" if count == 0 or not platform.capabilities.read_back:
                pass
            case "ambiguous" if not platform.capabilities.read_back:
                pass
            case _:
                raise Violation(f"{id} is {status} and was said {count} times on {channel}")
    if landed:
        raise Violation(f"said without a row: {sorted(landed)}")


_CALLS = """
SELECT o.key, o.status, c.ref <> '' AND c.state <> 'failed' FROM outbox o JOIN cases c
ON o.key LIKE c.id || ':%' WHERE o.target = 'desk' ORDER BY o.conversation, o.seq"""

_AGENT = "SELECT body, status FROM outbox WHERE source = 'agent' ORDER BY conversation, seq"


def check_desk(raw: sqlite3.Connection, helpdesk: Helpdesk) -> None:
    """What people wrote is in their tickets, in order; what agents wrote was said, once; the bot has everybody back."""
    for key, status, open in raw.execute(_CALLS).fetchall():
        there = key in helpdesk.done or key in helpdesk.tickets
        if status != "sent" and key not in helpdesk.refused:
            raise Violation(f"the call {key} ended as {status}")
        if status == "sent" and open and not there:
            raise Violation(f"the call {key} never reached the desk")
    for ref, lines in sorted(helpdesk.lines.items()):
        if lines != sorted(lines):
            raise Violation(f"the ticket {ref} has its lines in the order {lines}")
    spoken = Counter(decode_reply(body).text for body, _ in raw.execute(_AGENT))
    for key, texts in sorted(helpdesk.said.items()):
        for text in texts:
            if spoken.pop(text, 0) != 1 and key not in helpdesk.refused:
                raise Violation(f"an agent's words were not said once: {text}")
    left = raw.execute("SELECT conversation, owner FROM lanes WHERE owner <> 'bot'").fetchall()
    if left:
        raise Violation(f"nobody came back to the bot: {left}")
