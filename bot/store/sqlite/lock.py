"""A lock on a file that the operating system gives back when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bot.errors import StartError


class FileLock:
    """Holds FILE.lock from `take` to `release`, so that one process at a time writes FILE."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def take(self) -> None:
        """Take the lock; raises StartError when another process has it, or the folder can't be written."""
        name = f"{self._path}.lock"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as exc:
            raise StartError(f"{name} can't be written: {exc.strerror}. Mend the folder, or name another.") from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise StartError(
                f"{self._path} is in use by another Frontdesk (process {holder or 'unknown'}). "
                "Stop that one first, or give this one a file of its own."
            ) from exc
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Give it back. The lock file stays: removing it would let two others lock two different files."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
