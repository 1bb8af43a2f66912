"""What nobody can read, as a row: what a channel set aside, and a message of our own that this version can't decode.

Values and the statement that keeps one; each store runs it where it comes upon such a row.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from bot.channel import Unreadable
from bot.store.codec import clean_id, clean_text
from bot.store.contract import Claim
from bot.store.rows import Row, as_claim

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
        clean_text(unreadable.channel),
        clean_text(unreadable.account),
        clean_id(unreadable.event_id),
        clean_text(unreadable.payload),
        clean_text(unreadable.problem),
        unreadable.at,
    )


def claim_or_letter(row: Row, now: float, taken: int = 0) -> Claim | Unreadable:
    """A row of TURN; or, where its message can't be decoded (stored by a newer version?), what is kept instead."""
    try:
        return as_claim(row, taken)
    except msgspec.MsgspecError as problem:
        conversation, account, head, payload = row[0], row[3], row[11], row[15]
        return Unreadable(
            event_id=f"{conversation}.{head + 1}",
            channel="",
            account=account,
            payload=bytes(payload).decode("utf-8", "replace"),
            problem=str(problem),
            at=now,
        )


def claim_or_none(row: Row) -> Claim | None:
    """A row of TURN as the next turn of a lane at work; what can't be decoded is left to whoever claims it."""
    following = claim_or_letter(row, 0.0)
    return following if isinstance(following, Claim) else None
