"""Conversations and people, and how their ids come about: values only.

Ids are derived from the platform's own, so that finding a conversation needs no look-up and two processes agree.
A conversation's id tells nobody the secret in its address (a web visitor's session is one).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal

from bot.messages import Address, Value

Owner = Literal["bot", "requested", "queued", "human", "wrapping_up"]

Silence = Literal["", "opted_out", "blocked"]
"""Why nothing is sent to somebody: they said so (and must say so again), or blocked us (until they write again)."""


class Person(Value, frozen=True):
    """A human, across channels."""

    id: str
    name: str = ""
    language: str = ""
    phone: str = ""
    email: str = ""
    verified: bool = False
    timezone: str = ""


class Conversation(Value, frozen=True):
    """One thread on one channel account, and who speaks in it for us."""

    id: str
    address: Address
    person: Person
    tenant: str = "default"
    owner: Owner = "bot"
    owner_version: int = 0
    case: str = ""
    silence: Silence = ""


def conversation_id(tenant: str, address: Address) -> str:
    """The id of the conversation at an address: "c" and 20 hex digits."""
    return "c" + _digest(tenant, address.channel, address.account, address.chat, address.thread)


def person_id(tenant: str, channel: str, account: str, user: str) -> str:
    """The id of whoever a platform calls `user`: "p" and 20 hex digits."""
    return "p" + _digest(tenant, channel, account, user)


def _digest(*parts: str) -> str:
    text = "\x1f".join(part.replace("\x1f", "\x1f\x1f") for part in parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
