"""One Redis, and whether it answers. Knows nothing of what it is used for.

Nothing in here retries: a client that repeats and reconnects by itself hides that news was missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.errors import StartError

log = structlog.get_logger()

TIMEOUT = 2.0
"""Seconds to connect, and for an answer."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

_OURS = {
    "socket_timeout": TIMEOUT,
    "socket_connect_timeout": TIMEOUT,
    "socket_keepalive": True,
    "decode_responses": False,
}
"""What the URL can't change."""


class Link:
    """A Redis by its URL. `client` connects when it is first used."""

    def __init__(self, url: str) -> None:
        self._away: dict[str, str] = {}
        try:
            pool = ConnectionPool.from_url(url, protocol=2)
            pool.connection_kwargs.update(_OURS, retry=Retry(NoBackoff(), 0))
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError, AttributeError):
            # What the client says of it may quote the password.
            sentence = "REDIS_URL can't be understood; write it like redis://user:password@host:6379/0"
            raise StartError(sentence) from None
        self.client = Redis(connection_pool=pool)

    def failed(self, part: str, problem: BaseException) -> None:
        """A part could not do its work with it; said once per outage."""
        if not self._away:
            log.warning("redis_away", part=part, why=_kind(problem))
        self._away[part] = _kind(problem)

    def works(self, part: str) -> None:
        """A part got an answer."""
        if self._away.pop(part, "") and not self._away:
            log.info("redis_back")

    @property
    def trouble(self) -> str:
        """What is wrong, in words that strangers may read; "" when nothing is."""
        return ", ".join(sorted({f"Redis is away ({kind})" for kind in self._away.values()}))

    async def close(self) -> None:
        """Disconnect."""
        await self.client.aclose()
        await self.client.connection_pool.disconnect()


def pause(failures: int, jitter: float) -> float:
    """Seconds to wait after so many failures in a row; `jitter` (0 to 1) spreads those who come back."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10)) * (0.5 + jitter / 2)


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: the client was seen to swallow a cancellation that met its own time-out."""
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=0.1)


def _kind(problem: BaseException) -> str:
    return type(problem).__name__
