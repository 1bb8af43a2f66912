"""Looks up names in a few threads of its own: names that hang in DNS hold up nobody but each other.

Knows no address that may not be asked; that is checked where sockets are made.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 4
LONGEST = 5.0
"""Seconds that a lookup may take, the wait for a thread included. The thread itself ends when the system gives up."""


class Resolver(AbstractResolver):
    """The system's resolver. Raises OSError, and TimeoutError after `LONGEST` seconds."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name."""
        look = functools.partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        async with asyncio.timeout(LONGEST):
            found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Take no more names; what hangs is left to itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
