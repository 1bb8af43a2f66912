"""Redis between the processes of a bot: doorbell, fleeting news, shared buckets, kept answers. Never the truth."""

from __future__ import annotations

from hashlib import blake2b
from urllib.parse import urlsplit

from bot.clock import Clock, Entropy
from bot.delivery.pacing import Buckets
from bot.llm.cache import Shelf
from bot.processes.bus import Bus


def connect(url: str, prefix: str, clock: Clock, entropy: Entropy) -> tuple[Bus, Buckets, Shelf]:
    """The bus, the buckets and the shelf on one Redis; nothing is connected yet."""
    from bot.redis.buckets import RedisBuckets  # noqa: PLC0415 - a client that most bots don't need
    from bot.redis.bus import RedisBus  # noqa: PLC0415
    from bot.redis.connection import Link  # noqa: PLC0415
    from bot.redis.shelf import RedisShelf  # noqa: PLC0415

    link = Link(url)
    bus = RedisBus(link, entropy, prefix)
    return bus, RedisBuckets(link, clock, entropy, bus, prefix), RedisShelf(link, prefix)


def prefix_of(database_url: str, wanted: str = "") -> str:
    """What a bot's keys and topics begin with: `wanted`, or what tells its database from others.

    In braces, so that a cluster keeps all of it in one place.
    """
    parts = urlsplit(database_url)
    database = f"{parts.hostname}:{parts.port or 5432}{parts.path}"
    return "{frontdesk:" + (wanted or blake2b(database.encode(), digest_size=6).hexdigest()) + "}"
