"""An event loop whose order is chance, from a seed, and whose time is a number. Knows no bot.

Whatever is ready is run in the order that the seed's generator picks; when nothing is ready, time jumps to the next
timer. Every callback belongs to a node, by a context variable: those of a killed node never run again (not even a
`finally`), those of a paused one wait until it is resumed. There are no sockets and no threads.

It uses the private parts of asyncio.BaseEventLoop (_ready, _scheduled, _run_once); test_loop.py holds that they are
still what they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

NODE: contextvars.ContextVar[str] = contextvars.ContextVar("node", default="")
"""The simulated process that a callback belongs to; empty for the world around them."""

MASK = (1 << 64) - 1


class Stuck(Exception):
    """Nothing can ever happen any more, or far too much does."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """One seed is one run, always the same one: `trace` is a hash of everything that was picked.

    `fair` keeps each node's own callbacks in the order in which they were scheduled, as asyncio does.
    """

    _ready: deque[Any]  # handles, with the private parts that typeshed does not know
    _scheduled: list[Any]

    def __init__(self, seed: int, *, most: int = 3_000_000, fair: bool = False) -> None:
        super().__init__()
        self.now = 0.0
        self.steps = self.trace = 0
        self.failure: BaseException | None = None
        self._chance = random.Random(f"{seed}/order")
        self._most, self._fair = most, fair
        self._dead: set[str] = set()
        self._held: dict[str, list[asyncio.Handle]] = {}
        self._outside = contextvars.copy_context()
        self._outside.run(NODE.set, "")
        # asyncio itself holds tasks weakly; a dead node's would be collected, and run their `finally` blocks then.
        self._tasks: list[asyncio.Task[Any]] = []
        self.set_exception_handler(self._broke)

    # --- what a test and the world do

    def spawn(self, node: str, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine as a part of a node."""
        context = self._outside.copy()
        context.run(NODE.set, node)
        return self.create_task(coro, context=context)

    def outside(self, delay: float, callback: Callable[..., object], *values: object) -> None:
        """Call it later as a part of the world, whatever becomes of the node that asks for it."""
        self.call_later(delay, callback, *values, context=self._outside)

    def kill(self, node: str) -> None:
        """kill -9: nothing of the node ever runs again."""
        self._dead.add(node)
        self._held.pop(node, None)

    def pause(self, node: str) -> None:
        """SIGSTOP."""
        self._held.setdefault(node, [])

    def resume(self, node: str) -> None:
        """SIGCONT."""
        self._ready.extend(self._held.pop(node, ()))

    def fail(self, failure: BaseException) -> None:
        """End the run with the first thing that went wrong."""
        self.failure = self.failure or failure

    def problems(self) -> list[BaseException]:
        """What tasks have ended with, so far, other than being cancelled."""
        ended = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [problem for task in ended if (problem := task.exception()) is not None]

    def note(self, *numbers: int) -> None:
        """Mix something that happened into the trace."""
        for number in numbers:
            self.trace = (self.trace * 1_000_003 ^ number) & MASK

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run it to its end, then drop everything that is left."""
        asyncio.set_event_loop(self)
        try:
            return self.run_until_complete(self.spawn("", main))
        finally:
            self._drop()
            asyncio.set_event_loop(None)

    # --- what asyncio asks for

    def time(self) -> float:
        """Seconds since the run began."""
        return self.now

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """As usual; the task is kept to the end."""
        task: asyncio.Task[Any] = super().create_task(coro, **options)
        self._tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]  # less precise than typeshed
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run it inline, a little later: threads have no seed."""
        future = self.create_future()

        def work() -> None:
            if future.done():
                return
            try:
                future.set_result(func(*args))
            except Exception as problem:
                future.set_exception(problem)

        self.call_later(self._chance.uniform(0, 0.01), work)
        return future

    def _write_to_self(self) -> None:
        """There is nobody to wake up."""

    def _run_once(self) -> None:
        handle = self._pick()
        self.steps += 1
        if self.steps > self._most:
            raise Stuck(f"still busy after {self._most} steps and {self.now:.0f} virtual seconds")
        handle._run()
        if self.failure is not None:
            raise self.failure

    def _pick(self) -> asyncio.Handle:
        """The next callback of a node that runs."""
        while True:
            self._wake()
            place = self._place()
            handle: asyncio.Handle = self._ready[place]
            del self._ready[place]
            node = handle._context.get(NODE, "")  # type: ignore[attr-defined]
            if handle.cancelled() or node in self._dead:
                continue
            if node in self._held:
                self._held[node].append(handle)
                continue
            self.note(place, int(self.now * 1e6))
            return handle

    def _wake(self) -> None:
        """Make timers ready that are due; jump to the next one if nothing else is to be done."""
        timers = self._scheduled
        if not self._ready:
            while timers and timers[0]._cancelled:
                heapq.heappop(timers)._scheduled = False
            if not timers:
                raise Stuck(f"nothing is ready and nothing is due, after {self.now:.3f} virtual seconds")
            self.now = max(self.now, timers[0]._when)
        while timers and timers[0]._when <= self.now:
            handle = heapq.heappop(timers)
            handle._scheduled = False
            if not handle._cancelled:
                self._ready.append(handle)
        if not self._ready:
            self._wake()

    def _place(self) -> int:
        count = len(self._ready)
        if count == 1:
            return 0
        place = self._chance.randrange(count)
        if self._fair:
            node = self._ready[place]._context.get(NODE, "")
            return next(at for at, other in enumerate(self._ready) if other._context.get(NODE, "") == node)
        return place

    def _broke(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised: that is a defect, of the bot's or of the world's."""
        problem = context.get("exception")
        if problem is not None and "never retrieved" not in context.get("message", ""):
            self.fail(problem)

    def _drop(self) -> None:
        """Close what never ended, so that nothing of it runs at some later time."""
        self._ready.clear()
        self._scheduled.clear()
        for task in self._tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with contextlib.suppress(BaseException):
                    task.get_coro().close()
            else:
                task._log_traceback = False
        self._tasks.clear()
        self._held.clear()
        self._ready.clear()
        self._scheduled.clear()
        self._closed = True


class Chores:
    """Tasks of the world that must end before a run is over."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop, self._open = loop, 0

    @property
    def done(self) -> bool:
        """Whether all of them have ended."""
        return not self._open

    def begin(self, coro: Coroutine[Any, Any, None]) -> None:
        """Begin one more."""
        self._open += 1
        self._loop.spawn("", self._counted(coro))

    async def _counted(self, coro: Coroutine[Any, Any, None]) -> None:
        await coro
        self._open -= 1
