"""The real program, `python run.py`, on a free port with a home of its own, as strangers and operators meet it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from benchmarks.processes import ROOT, free_port

STARTING = 60.0


class Program:
    """Runs with the plugins that were dropped into its home. Use it as a context; leaving it stops the program."""

    def __init__(self, home: Path, plugins: Mapping[str, str], *, environ: Mapping[str, str] | None = None) -> None:
        self.home, self.port = home, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._given = dict(environ or {})
        self._process: subprocess.Popen[bytes] | None = None
        folder = home / "plugins"
        folder.mkdir(parents=True)
        for name, source in plugins.items():
            (folder / f"{name}.py").write_text(source, encoding="utf-8")

    def __enter__(self) -> Self:
        """Start, and wait until it says that it is here."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("FRONTDESK_", "PYTEST"))}
        environ = inherited | {"FRONTDESK_HOME": str(self.home), "PORT": str(self.port)} | self._given
        with self._file("out").open("wb") as out, self._file("log").open("wb") as err:
            self._process = subprocess.Popen([sys.executable, "run.py"], cwd=ROOT, env=environ, stdout=out, stderr=err)
        deadline = time.monotonic() + STARTING
        while "Stop it with" not in self.said:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the program did not start:\n{self.said}\n{self._file('log').read_text()[-4000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        """Ask it to stop; insist after a while."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """What it printed for whoever started it."""
        return self._file("out").read_text(encoding="utf-8", errors="replace")

    def log(self, event: str) -> list[dict[str, object]]:
        """The lines of its log about one event."""
        found = []
        for line in self._file("log").read_text(encoding="utf-8", errors="replace").splitlines():
            if f'"{event}"' in line and line.startswith("{"):
                entry = json.loads(line)
                if entry.get("event") == event:
                    found.append(entry)
        return found

    async def logged(self, event: str, word: str, seconds: float = 20.0) -> dict[str, object]:
        """The first line about an event that has the word in it; waits for it."""
        async with asyncio.timeout(seconds):
            while True:
                for entry in self.log(event):
                    if word in json.dumps(entry):
                        return entry
                await asyncio.sleep(0.1)

    def _file(self, name: str) -> Path:
        return self.home / f"program.{name}"
