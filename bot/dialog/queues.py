"""Places that are given out one after the other, by turns among those who want many. Knows no skill."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque


class FairQueue:
    """`places` at once; who has to wait does so in the line of their tenant, and the lines take turns."""

    def __init__(self, places: int) -> None:
        self._free = places
        # The line at the front is served next, and then goes to the end.
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def full(self) -> bool:
        """Whether whoever comes now has to wait."""
        return self._free <= 0 or bool(self._lines)

    async def take(self, tenant: str) -> None:
        """Wait for a place."""
        if not self.full:
            self._free -= 1
            return
        future = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give_back()  # it was ours already
            raise

    def give_back(self) -> None:
        """Let the next one have the place."""
        while self._lines:
            tenant, line = self._lines.popitem(last=False)
            future = line.popleft()
            if line:
                self._lines[tenant] = line
            if not future.done():  # a cancelled one waits no more
                future.set_result(None)
                return
        self._free += 1
