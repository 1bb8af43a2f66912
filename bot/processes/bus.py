"""News between the processes of one bot: "look again", typing, drafts. Nothing of it is ever the truth.

Whoever misses one finds out by looking at the store a little later. An empty body says that something may have been
missed: look at everything of the topic again. News that says the same as earlier news may stand for both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import structlog

log = structlog.get_logger()

Heard = Callable[[bytes], None]


class Bus(ABC):
    """What is published reaches the subscribers of its topic, here and in the other processes, or it doesn't."""

    def __init__(self) -> None:
        self._heard: dict[str, list[Heard]] = {}

    async def start(self) -> None:  # noqa: B027 - most have nothing to do
        """Connect; never raises: without the others, this process hears itself."""

    async def stop(self) -> None:  # noqa: B027 - most have nothing to do
        """Disconnect."""

    @abstractmethod
    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell everybody, this process first; returns at once and never raises. A topic has no spaces."""

    def subscribe(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Call `heard` with each body from now on, on the event loop; call what this returns to hear no more."""
        self._heard.setdefault(topic, []).append(heard)

        def unsubscribe() -> None:
            self._heard[topic] = [other for other in self._heard.get(topic, ()) if other is not heard]

        return unsubscribe

    async def trouble(self) -> str:
        """What keeps news from the others, for the operator; "" when nothing does."""
        return ""

    def _deliver(self, topic: str, body: bytes) -> None:
        for heard in tuple(self._heard.get(topic, ())):
            try:
                heard(body)
            except Exception:
                log.exception("news_failed", topic=topic)

    def _deliver_all(self) -> None:
        """Something may have been missed: everybody looks again."""
        for topic in tuple(self._heard):
            self._deliver(topic, b"")


class LocalBus(Bus):
    """All the processes there are: this one."""

    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell everybody."""
        self._deliver(topic, body)
