"""PostgreSQL and Redis for a storm, killed as by a power cut: all processes of theirs at once. Blocks meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from tests.servers import PostgresServer, RedisServer

__all__ = ["Postgres", "RedisServer"]


class Postgres(PostgresServer):
    """A PostgreSQL with its own durable defaults; only checkpoints come more often, as on a small machine."""

    def __init__(self) -> None:
        super().__init__({"max_connections": "100", "shared_buffers": "64MB"})

    def crash(self) -> None:
        """kill -9 to the server and all its children."""
        server = self.process
        family = [server.pid, *_children(server.pid)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        server.wait(30)
        while any(_lives(pid) for pid in family):
            time.sleep(0.01)
        self._process = None


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
