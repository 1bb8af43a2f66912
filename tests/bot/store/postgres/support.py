"""What tests of several stores on one database are written with."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.store.contract import Claim, OutRow, Store
from bot.store.postgres import PostgresStore
from bot.testing.store_kit import NOW, reply, result
from tests.servers import PostgresServer

TEMPLATE = "migrated"


@asynccontextmanager
async def stores(server: PostgresServer, count: int = 2, *, own_clock: bool = False) -> AsyncIterator[list[Store]]:
    """Started stores on one new database, as so many processes would have them."""
    url = server.new_database(TEMPLATE)
    async with AsyncExitStack() as stack:
        opened: list[Store] = []
        for _ in range(count):
            store = PostgresStore(url, pool=4, own_clock=own_clock)
            await store.start()
            stack.push_async_callback(store.stop)
            opened.append(store)
        yield opened


async def drain(store: Store, worker: str, done: Counter[tuple[str, int]], *, limit: int = 3, now: float = NOW) -> None:
    """Claim and commit until nothing is left, counting each turn; a turn may be in other hands meanwhile."""
    idle = 0
    while idle < 3:
        claims = await store.claim(worker, limit, 30.0, now)
        idle = 0 if claims else idle + 1
        for claim in claims:
            following: Claim | None = claim
            while following is not None:
                done[following.conversation.id, following.n] += 1
                following = (await store.commit(result(following, reply(f"r{following.n}")))).next
        await asyncio.sleep(0.01 * idle)


async def send_all(store: Store, sent: list[tuple[str, str]]) -> None:
    """Pick up and send until nothing is left."""
    idle = 0
    while idle < 3:
        rows = await store.pick_up(3, 30.0, NOW + 60)
        idle = 0 if rows else idle + 1
        for row in rows:
            await send(store, row, sent)
        await asyncio.sleep(0.01 * idle)


async def send(store: Store, row: OutRow, sent: list[tuple[str, str]]) -> None:
    """Send one row, if it may be sent."""
    if await store.mark_sending(row, 15.0, NOW + 60) == "sending":
        sent.append((row.conversation, row.outgoing.key))
        await store.mark_sent(row, "p", NOW + 60)
