"""Runs `async def` tests on a fresh event loop, without a plugin."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# The suites live in the kit, outside the tests: have their asserts explained all the same. Said here, before any folder
# imports one of them.
pytest.register_assert_rewrite(
    "bot.testing.channel_contract",
    "bot.testing.channel_proofs",
    "bot.testing.desk_contract",
    "bot.testing.desk_proofs",
    "bot.testing.store_contract",
    "bot.testing.store_sends",
    "bot.testing.store_turns",
)

# The same examples on every machine: a run of the whole suite says whether this change broke something. To look for
# new counter-examples: HYPOTHESIS_PROFILE=search.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


# No test cuts the power, so files need not reach a disk: an fsync costs milliseconds, and the store makes one for each
# commit. Only where there is room: in some containers this is 64 MB.
MEMORY = Path("/dev/shm")  # noqa: S108 - folders of random names are made in it
ROOM = 2 * 1024**3


def pytest_configure() -> None:
    """Keep temporary files in memory, also those of programs that tests start; TMPDIR says otherwise."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_finish() -> None:
    """Have the garbage collector look at what tests make, and not at all tests over and over."""
    gc.freeze()


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test to its end; leave others to pytest."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
