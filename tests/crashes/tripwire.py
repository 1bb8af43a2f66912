"""A wire across a boundary: the process that touches it for the n-th time is gone at once, as after kill -9.

It is put around a store's methods from outside, so that nothing in the bot knows of it. What only looks like work (a
claim that finds nothing) does not count: a death there would prove nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, text

from bot.store.contract import Change, Store
from bot.store.sqlite import SqliteStore
from tests.crashes.points import METHODS

DIED = 77
"""The exit code of a life that ended at its point."""

WAITS = {
    "claim": "SELECT count(*) FROM lanes WHERE turn_seq > 0 AND ready_at <= :now",
    "fire": "SELECT count(*) FROM timers WHERE at <= :now",
    "pick_up": "SELECT count(*) FROM outbox WHERE status IN ('pending', 'sending') AND not_before <= :now "
    "AND held_until <= :now",
}
"""Whether there is anything to do for an operation that is also tried for nothing."""

Method = Callable[..., Awaitable[Any]]


class Tripwire:
    """Ends the process at the `at`-th time that it comes by `point`; "" for never. `passed` counts all points."""

    def __init__(self, point: str, at: int, now: Callable[[], float]) -> None:
        self._point, self._at, self._now = point, at, now
        self.passed: Counter[str] = Counter()

    def touch(self, point: str) -> None:
        """The process comes by a point."""
        self.passed[point] += 1
        if point == self._point and self.passed[point] == self._at:
            os._exit(DIED)

    def around(self, store: Store) -> None:
        """Put it around every writing method of a store."""
        looking = store.read
        for method in METHODS:
            setattr(store, method, self._wrapped(method, getattr(store, method), looking))
        if isinstance(store, SqliteStore):
            self._around_durability(store)

    def _wrapped(self, method: str, call: Method, looking: Method) -> Method:
        async def wrapped(*args: Any, **options: Any) -> Any:
            name = _name(method, args)
            if method not in WAITS or await self._waits(method, looking):
                self.touch(f"before_{name}")
            result = await call(*args, **options)
            if _did_something(method, result):
                self.touch(f"after_{name}")
            return result

        return wrapped

    async def _waits(self, method: str, looking: Method) -> bool:
        if self._point not in ("", f"before_{method}"):
            return False

        def count(connection: Connection) -> int:
            found: int = connection.execute(text(WAITS[method]), {"now": self._now()}).scalar_one()
            return found

        return bool(await looking(count))

    def _around_durability(self, store: SqliteStore) -> None:
        """Around the COMMIT in the writer's thread, once there is a writer."""
        start = store.start

        async def started() -> None:
            await start()
            assert store._writer is not None
            transaction = store._writer._transaction
            commit = transaction.commit

            def commits() -> None:
                self.touch("before_durable")
                commit()
                self.touch("after_durable")

            setattr(transaction, "commit", commits)  # noqa: B010 - on this very object

        setattr(store, "start", started)  # noqa: B010


def _name(method: str, args: tuple[Any, ...]) -> str:
    """The operation: a commit in the middle of a turn has a name of its own."""
    return "flush" if method == "commit" and isinstance(args[0], Change) and not args[0].done else method


def _did_something(method: str, result: Any) -> bool:
    match method:
        case "claim" | "fire" | "pick_up" | "hold":
            return bool(result)
        case "take":
            return not result[0].duplicate
        case "put":
            return not result.duplicate
        case "mark_sending":
            return bool(result == "sending")
        case "renew":
            return any(result)
        case "apply":
            return result is not None
        case _:
            return True
