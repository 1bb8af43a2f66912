"""Nothing that is sent to the webhooks breaks them."""

from __future__ import annotations

import pytest

from tests.platforms.fuzz_sms import fuzz


@pytest.mark.parametrize("seed", [1, 2])
async def test_mutated_webhooks_do_no_harm(seed: int) -> None:
    statuses = await fuzz(250, seed)
    assert statuses[200] > 50, "the signed ones must get in"
    assert statuses[401] > 50
