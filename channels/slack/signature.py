"""Whether a request is Slack's: checked on the raw bytes, in front of everything else. Pure.

Slack's own libraries raise on strange headers, which would answer a stranger with a 500.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

WINDOW = 300
"""Seconds that a request may be old, or ahead of our clock [Slack's documentation]."""


def signed(secret: str, stamps: Sequence[str], signatures: Sequence[str], body: bytes, now: float) -> bool:
    """Whether the one time stamp and the one signature of a request fit its body. Never raises."""
    if len(stamps) != 1 or len(signatures) != 1 or not secret:
        return False
    (stamp,), (signature,) = stamps, signatures
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and signature.isascii()):
        return False
    if abs(now - int(stamp)) > WINDOW:
        return False
    return hmac.compare_digest(sign(secret, stamp, body).encode(), signature.encode())


def sign(secret: str, stamp: str, body: bytes) -> str:
    """What Slack writes into X-Slack-Signature."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
