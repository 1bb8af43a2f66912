"""What nobody can read, as a row: what a channel set aside, and what of our own this version can't decode.

Values and the statement that keeps one; each store runs it where it comes upon such a row. It may be a message, a
reply that waits to be sent, or a timer: whichever it is, it must hold up nobody else.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from bot.channel import Unreadable
from bot.messages import Due
from bot.store.codec import clean_id, clean_text, decode_due
from bot.store.contract import Claim, OutRow
from bot.store.rows import Row, as_claim, as_row

KEEP = """
INSERT INTO unreadable (id, channel, account, event_id, payload, problem, at)
VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}) ON CONFLICT (id) DO NOTHING"""

LETTER = ("id", "channel", "account", "event_id", "payload", "problem", "at")


def letter_id(unreadable: Unreadable) -> str:
    """Its name on the command line: "u" and 12 hex digits; the same event has the same one."""
    parts = (unreadable.channel, unreadable.account, clean_id(unreadable.event_id))
    mark = blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=6)
    return "u" + mark.hexdigest()


def as_letter(unreadable: Unreadable) -> tuple[str, str, str, str, str, str, float]:
    """The values of KEEP."""
    return (
        letter_id(unreadable),
        _storable(unreadable.channel),
        _storable(unreadable.account),
        _storable(clean_id(unreadable.event_id)),
        _storable(unreadable.payload),
        _storable(unreadable.problem),
        unreadable.at,
    )


def _storable(text: str) -> str:
    """What any database can hold: PostgreSQL's text has no U+0000."""
    return clean_text(text).replace("\x00", "\ufffd")


def claim_or_letter(row: Row, now: float, taken: int = 0) -> Claim | Unreadable:
    """A row of TURN; or, where its message can't be decoded (stored by a newer version?), what is kept instead."""
    try:
        return as_claim(row, taken)
    except msgspec.MsgspecError as problem:
        conversation, account, head, payload = row[0], row[3], row[11], row[15]
        return _ours(f"{conversation}.{head + 1}", account, payload, str(problem), now)


def claim_or_none(row: Row) -> Claim | None:
    """A row of TURN as the next turn of a lane at work; what can't be decoded is left to whoever claims it."""
    following = claim_or_letter(row, 0.0)
    return following if isinstance(following, Claim) else None


def row_or_letter(row: Row, now: float) -> OutRow | Unreadable:
    """A row of OUTBOX; or what is kept instead."""
    try:
        return as_row(row)
    except msgspec.MsgspecError as problem:
        conversation, seq, body, account = row[0], row[1], row[5], row[18]
        return _ours(f"outbox.{conversation}.{seq}", account, body, f"was to be sent: {problem}", now)


def due_or_letter(conversation: str, key: str, account: str, due: bytes, now: float) -> Due | Unreadable:
    """What a timer brings; or what is kept instead."""
    try:
        return decode_due(due)
    except msgspec.MsgspecError as problem:
        return _ours(f"timer.{conversation}.{key}", account, due, f"was due: {problem}", now)


def given_up(row: Row) -> str:
    """What a row of OUTBOX that can't be decoded becomes: nobody knows about one that was being sent."""
    return "failed" if row[8] == "pending" else "ambiguous"


def _ours(event_id: str, account: str, payload: bytes, problem: str, now: float) -> Unreadable:
    text = bytes(payload).decode("utf-8", "replace")
    return Unreadable(event_id=event_id, channel="", account=account, payload=text, problem=problem, at=now)
