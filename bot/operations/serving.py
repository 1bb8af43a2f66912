"""Runs a bot until it is told to stop. Knows signals and the way out, and nothing of what the bot does."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.plugins import watch

if TYPE_CHECKING:
    from bot.app import App

T = TypeVar("T")

# Container platforms kill after 10 s (docker) or 30 s (Kubernetes); we go by ourselves before that.
STOP_SECONDS = 10.0

log = structlog.get_logger()


def run(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end on the fastest event loop that is there."""
    try:
        import uvloop  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def serve(app: App, ready: Callable[[], Awaitable[None]], *, reload: bool = False) -> None:
    """Start, call `ready`, and stay until SIGTERM or SIGINT; then stop within 10 seconds, or leave without ado."""
    stop = asyncio.Event()
    _listen_for_signals(stop)
    await app.start()
    watching: list[asyncio.Task[None]] = []
    try:
        await ready()
        _settle()
        if reload:
            watching = [asyncio.create_task(look) for look in (watch(app.plugins, stop), app.prompts.watch(stop))]
        await stop.wait()
        log.info("stopping")
    finally:
        stop.set()
        await asyncio.gather(*watching)
        await app.stop()
        log.info("stopped")


def _settle() -> None:
    """Tune the interpreter for serving.

    What is here now stays: the collector need not look at it again and again (a sixth of a turn's CPU, measured). And
    the store's thread, which wakes with news of a commit, need not wait 5 ms for the loop to let it speak.
    """
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _listen_for_signals(stop: asyncio.Event) -> None:
    """Set `stop` at the first signal.

    These are Python's own handlers, not the loop's: a skill that blocks the loop must not keep us from leaving.
    """
    loop = asyncio.get_running_loop()

    def heard(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            _leave(number)
        loop.call_soon_threadsafe(stop.set)
        last = threading.Timer(STOP_SECONDS, _leave, (number,))
        last.daemon = True
        last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)


def _leave(number: int) -> None:
    """At once. Nothing that was acknowledged is lost: it is in the store."""
    log.error("stopped_hard", say="something did not stop in time, or a second signal came")
    sys.stderr.flush()
    os._exit(128 + number)
