"""The seeded demo shop on a clock that stands still."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.orders.demo import DemoShop
from adapters.orders.policy import Policy, load_policy
from bot.clock import Clock, SystemEntropy

REPO = Path(__file__).resolve().parents[3]


class StillClock(Clock):
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.time = datetime(2025, 3, 12, 15, 0, tzinfo=UTC).timestamp()

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture(scope="session")
def rules() -> Policy:
    return load_policy(REPO / "config" / "shop-policy.yaml")


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory, rules: Policy) -> Path:
    """The seeded shop, made once; each test copies it."""
    path = tmp_path_factory.mktemp("demo") / "shop.db"

    async def make() -> None:
        shop = DemoShop(path, rules, StillClock(), SystemEntropy())
        await shop.start()
        await shop.stop()

    asyncio.run(make())
    return path


@pytest.fixture
def demo(seeded: Path, tmp_path: Path, rules: Policy, clock: StillClock) -> DemoShop:
    return DemoShop(shutil.copy(seeded, tmp_path / "demo.db"), rules, clock, SystemEntropy())
