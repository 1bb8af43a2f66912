"""What channels and desks may ask of the other processes of the same bot. Knows no store and no network."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from bot.processes.bus import Heard

Job = Callable[[], Awaitable[None]]
"""Work that one process at a time does: a poll, a schedule. It is cancelled when another process may have begun it."""


class Peers(ABC):
    """The processes of one bot; all of them are alike, and often there is only one."""

    @abstractmethod
    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell whoever subscribed to `topic` here and in the other processes; returns at once and never raises.

        Fleeting: news may get lost, so it only ever says "look again" or shows what is gone a moment later. A topic
        begins with the name of whose it is ("web.main") and has no spaces.
        """

    @abstractmethod
    def subscribe(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Call `heard` with each body, on the event loop; call what this returns to hear no more.

        An empty body says that news may have been missed: look at everything again.
        """

    @abstractmethod
    def alone(self, name: str, job: Job) -> asyncio.Task[None]:
        """Do `job` in one process at a time, begun anew when it fails or its process dies; the task ends when it does.

        Cancel the task to give it up; the bot does so when it stops.
        """
