"""Time, randomness and ids, passed in so that tests and simulations can own them."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from abc import ABC, abstractmethod

# CLOCK_MONOTONIC stands still while a virtual machine is suspended, and leases on a database's clock do not.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(ABC):
    """What time it is (seconds since 1970, UTC) and how to wait."""

    @abstractmethod
    def now(self) -> float:
        """The wall-clock time, in seconds since 1970."""

    @abstractmethod
    def steady(self) -> float:
        """Seconds that only ever go forward, whatever is done to the wall clock; also while the machine sleeps."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock(Clock):
    """The machine's own clock."""

    def now(self) -> float:
        """The wall-clock time, in seconds since 1970."""
        return time.time()

    def steady(self) -> float:
        """The time since the machine was started, sleep included."""
        return time.clock_gettime(_STEADY)

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await asyncio.sleep(seconds)


class Entropy(ABC):
    """Where randomness comes from."""

    @abstractmethod
    def token(self) -> str:
        """An unguessable id: 128 bits as 32 hex digits."""

    @abstractmethod
    def jitter(self) -> float:
        """A number from 0 up to 1, for spreading retries."""


class SystemEntropy(Entropy):
    """The operating system's randomness for ids; a plain generator for jitter."""

    def token(self) -> str:
        """128 bits from the operating system."""
        return secrets.token_hex(16)

    def jitter(self) -> float:
        """A number from 0 up to 1."""
        return random.random()


class SeededEntropy(Entropy):
    """Repeatable randomness, for tests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def token(self) -> str:
        """128 repeatable bits."""
        return f"{self._random.getrandbits(128):032x}"

    def jitter(self) -> float:
        """A repeatable number from 0 up to 1."""
        return self._random.random()
