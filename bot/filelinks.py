"""Addresses of ours for files that people sent: signed, so that nobody can make one up. Pure; knows no server.

An address names the channel, its account and what the platform calls the file. It holds no token of the platform, and
lasts as long as the secret does.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b
from urllib.parse import quote, unquote, urlencode, urlsplit


def sign(secret: bytes, channel: str, account: str, ref: str, name: str = "") -> str:
    """The mark of an address, 32 hex digits; `secret` has at most 64 bytes."""
    # Lengths in front, so that no two lists of parts are the same bytes.
    parts = [part.encode("utf-8", "surrogatepass") for part in (channel, account, ref, name)]
    text = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return blake2b(text, key=secret, digest_size=16).hexdigest()


def verify(secret: bytes, mac: str, channel: str, account: str, ref: str, name: str = "") -> bool:
    """Whether we made this address."""
    made = sign(secret, channel, account, ref, name)
    return hmac.compare_digest(made.encode(), mac.encode("utf-8", "surrogatepass"))


def path(secret: bytes, channel: str, account: str, ref: str, name: str = "") -> str:
    """The path of a file's address: /files/CHANNEL/ACCOUNT/MAC/REF, and ?name=NAME where it has one."""
    mac = sign(secret, channel, account, ref, name)
    parts = "/".join(quote(part, safe="", errors="surrogatepass") for part in (channel, account, mac, ref))
    query = "?" + urlencode({"name": name}, errors="surrogatepass") if name else ""
    return f"/files/{parts}{query}"


def parts_of(url: str) -> tuple[str, str, str] | None:
    """The channel, account and ref that an address names; None for an address of another kind. Verifies nothing."""
    match urlsplit(url).path.split("/"):
        case ["", "files", channel, account, _, ref]:
            return unquote(channel), unquote(account), unquote(ref)
        case _:
            return None


def ref_of(url: str, channel: str, account: str) -> str | None:
    """What a channel calls the file at an address of ours; None for an address that is not one of its own.

    A channel that serves its files itself, under /channels/CHANNEL/, ends their addresses with the ref.
    """
    parts = parts_of(url)
    if parts is not None:
        return parts[2] if parts[:2] == (channel, account) else None
    path = urlsplit(url).path
    own = f"/channels/{channel}/" in path
    return unquote(path.rpartition("/")[2]) or None if own else None
