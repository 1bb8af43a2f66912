"""Proves that a webhook is Twilio's: an HMAC over the address that the operator configured, and the raw form.

Never over a header: who asks could say any Host. Knows nothing of what the fields mean.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha1
from urllib.parse import parse_qsl, urlsplit

MOST_FIELDS = 500
"""Fields of one form; Twilio sends about 30."""

_ANY = "surrogateescape"  # any byte comes through as it was

Form = list[tuple[bytes, bytes]]


def read_form(body: bytes) -> Form | None:
    """The names and values of a form, unescaped, as bytes; None for what is none."""
    written = body.decode("utf-8", _ANY)
    try:
        pairs = parse_qsl(written, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors=_ANY)
        return [(name.encode("utf-8", _ANY), value.encode("utf-8", _ANY)) for name, value in pairs]
    except ValueError:
        return None


def is_signed(url: str, form: Form, given: list[str], token: str) -> bool:
    """Whether one signature was given and is right.

    Twilio is not consistent about the port in the address it signs, so it may be there or not.
    """
    if len(given) != 1:
        return False
    claimed = given[0].encode("utf-8", "surrogateescape")
    # Both are always computed: how long it takes tells nothing about the one that is right.
    right = [hmac.compare_digest(claimed, sign(spelled, form, token)) for spelled in _spellings(url)]
    return any(right)


def sign(url: str, form: Form, token: str) -> bytes:
    """The signature of a form that is posted to an address: names and values in order, each pair once."""
    signed = url.encode() + b"".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(token.encode(), signed, sha1).digest())


def _spellings(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    at = parts.netloc.rpartition("@")[0]
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    host = f"{at}@{host}" if at else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts._replace(netloc=host).geturl(), parts._replace(netloc=f"{host}:{port}").geturl()
