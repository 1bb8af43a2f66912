"""Whatever is sent to the webhook, it answers, and strangers leave no trace; 20,000 by hand: tests/platforms/."""

from __future__ import annotations

from tests.platforms.fuzz_telegram import fuzz


async def test_five_hundred_mutated_updates() -> None:
    statuses = await fuzz(500, seed=1)
    assert statuses[200] > 300
    assert statuses[401] > 50
