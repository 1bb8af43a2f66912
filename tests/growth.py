"""How the cost of looking through a text grows with it: what runs on people's words must not take its square."""

from __future__ import annotations

import time
from collections.abc import Callable

FLOOR = 0.02
"""Seconds of the processor that are nothing: what takes less is not compared."""


def assert_linear(look: Callable[[str], object], begin: str, unit: str, end: str = "") -> None:
    """Four times the text costs at most eight times as much."""
    short, long = (_seconds(look, begin + (unit * size)[:size] + end) for size in (5_000, 20_000))
    assert long <= max(FLOOR, 8 * short), f"{long:.3f} s for 20,000 characters, {short:.3f} s for 5,000"


def _seconds(look: Callable[[str], object], text: str) -> float:
    """The best of three, unless the first is over in no time."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        look(text)
        best = min(best, time.process_time() - began)
        if best <= FLOOR:
            break
    return best
