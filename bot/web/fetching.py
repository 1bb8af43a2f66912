"""Gets files from addresses that other people's servers give us: public addresses only, and only so much."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from bot.channel import Download

LARGEST = 25 * 1024 * 1024
"""Bytes of one file."""


class Fetcher:
    """A client that can't be sent where it must not go.

    `trusted` are origins ("https://files.slack.com") that the operator named: they may be private, and only they get
    the `headers` of a call. No more than `largest` bytes are read, for no longer than `timeout` seconds.
    """

    def __init__(self, *, trusted: Iterable[str] = (), largest: int = LARGEST, timeout: float = 15.0) -> None:
        self._trusted, self._largest, self._timeout = frozenset(trusted), largest, timeout

    @asynccontextmanager
    async def open(self, url: str, *, headers: Mapping[str, str] | None = None) -> AsyncIterator[Download]:
        """Begin to read. Raises Rejected where it may not or can not be had, NotSent where it may later."""
        raise NotImplementedError
        yield

    async def close(self) -> None:
        """Hang up."""
