"""The watchdog names whoever blocks the loop, while it is still blocked, and keeps quiet otherwise."""

from __future__ import annotations

import asyncio
import resource
import threading
import time

import structlog

from bot.operations.watchdog import Blocked, Watchdog

HERE = __file__


def owner(filename: str) -> str:
    return "skills.greedy" if filename == HERE else ""


def block(seconds: float) -> None:
    """A blocking call that somebody made in the middle of a handler."""
    time.sleep(seconds)


def spin(seconds: float) -> None:
    """Work that never lets go."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(200))


async def watched(work: object, owns: object = owner) -> tuple[Watchdog, list[str]]:
    watchdog = Watchdog(owns, threshold=0.2)  # type: ignore[arg-type]
    with structlog.testing.capture_logs() as logs:
        watchdog.start()
        try:
            await asyncio.sleep(0.15)
            await work()  # type: ignore[operator]
        finally:
            watchdog.stop()
    return watchdog, [str(entry["event"]) for entry in logs]


async def test_a_blocked_loop_names_plugin_function_line_and_time() -> None:
    async def handler() -> None:
        block(0.6)

    watchdog, events = await watched(handler)
    assert watchdog.last is not None
    assert events == ["loop_blocked"]
    assert (watchdog.last.plugin, watchdog.last.function) == ("skills.greedy", "block")
    assert watchdog.last.file.endswith("tests/bot/operations/test_watchdog.py")
    assert watchdog.last.line == block.__code__.co_firstlineno + 2
    assert 200 <= watchdog.last.ms <= 600


async def test_busy_code_is_named_while_it_still_runs() -> None:
    seen: list[Blocked | None] = []
    watchdog = Watchdog(owner, threshold=0.2)
    watchdog.start()
    await asyncio.sleep(0.15)
    look = threading.Timer(0.8, lambda: seen.append(watchdog.last))
    look.start()
    spin(1.2)
    look.join()
    watchdog.stop()
    assert seen[0] is not None
    assert seen[0].function == "spin"


async def test_a_blocker_outside_the_plugins_is_told_without_a_plugin() -> None:
    async def handler() -> None:
        block(0.7)

    watchdog, _ = await watched(handler, lambda filename: "")
    assert watchdog.last is not None
    assert (watchdog.last.plugin, watchdog.last.function) == ("", "block")


async def test_waiting_and_short_work_are_no_alarm() -> None:
    async def handler() -> None:
        await asyncio.sleep(0.5)
        block(0.05)
        await asyncio.sleep(0.2)

    watchdog, events = await watched(handler)
    assert watchdog.last is None
    assert events == []


async def test_a_long_blockage_is_told_a_few_times_only() -> None:
    async def handler() -> None:
        block(1.5)

    _, events = await watched(handler)
    assert len(events) == 2


async def test_watching_costs_next_to_nothing() -> None:
    watchdog = Watchdog(owner)
    watchdog.start()
    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(2)
    after = resource.getrusage(resource.RUSAGE_SELF)
    watchdog.stop()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used / 2 < 0.01, "1% is ten times what it should need, and what a busy machine can be trusted to measure"
