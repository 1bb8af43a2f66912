"""Mutated webhooks at the channels' real routes: nothing may be answered with a 5xx, hang, or leave a trace unsigned.

    .venv/bin/python -m benchmarks.fuzz [--channel NAME ...] [--count 20000] [--seed N]

Prints what became of them; stops at the first thing that must not be.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import random
import time

from bot.operations import log
from bot.settings import LogSettings

CHANNELS = ("slack", "sms", "telegram")


def main() -> None:
    """Read the options, run one after the other."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--channel", nargs="+", choices=CHANNELS, default=list(CHANNELS))
    options.add_argument("--count", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1_000_000))
    chosen = options.parse_args()
    log.configure(LogSettings(level="error"), ())
    logging.disable(logging.ERROR)  # aiohttp tells each broken encoding
    for name in chosen.channel:
        fuzz = importlib.import_module(f"tests.platforms.fuzz_{name}").fuzz
        began = time.monotonic()
        print(f"{name}: {asyncio.run(fuzz(chosen.count, chosen.seed))} in {time.monotonic() - began:.0f} s", flush=True)
    print(f"seed {chosen.seed}")


if __name__ == "__main__":
    main()
