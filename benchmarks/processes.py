"""Server processes of the measuring commands: started, watched through /proc, killed by their own id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TICK = 1 / os.sysconf("SC_CLK_TCK")


class ServerProcess:
    """One run of benchmarks/servers.py or of a peer."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process, self._log = process, log
        self.pid = process.pid

    @classmethod
    async def spawn(cls, name: str, *options: str, python: str, log: Path) -> ServerProcess:
        """Start it; does not wait until it is ready."""
        return await cls.command(python, "-m", "benchmarks.servers", name, *options, log=log)

    @classmethod
    async def command(cls, *words: str, log: Path) -> ServerProcess:
        """Start any command from the repository's root, with no proxy between it and this machine."""
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *words,
                cwd=ROOT,
                env={key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")},
                stdin=asyncio.subprocess.PIPE,  # its end tells the server that we are gone
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        return cls(process, log)

    async def ready(self, seconds: float = 30.0) -> None:
        """Wait until it says that it listens."""
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            line = await self._process.stdout.readline()
        if line.strip() != b"ready":
            raise RuntimeError(self._ended())

    async def listening(self, port: int, seconds: float = 30.0) -> None:
        """Wait until something listens on its port: a stranger does not say when it is ready."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.running:
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                        writer.close()
                        return
                    await asyncio.sleep(0.05)
        raise RuntimeError(self._ended())

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._gone()

    async def stop(self, seconds: float = 15.0) -> None:
        """SIGTERM, and kill -9 if that does not help."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self._gone()
        except TimeoutError:
            await self.kill()

    def _ended(self) -> str:
        last = self._log.read_text(errors="replace").splitlines()[-3:]
        return "\n".join([f"the server {self.pid} did not start:", *last])

    async def _gone(self) -> None:
        assert self._process.stdout is not None
        await self._process.stdout.read()
        await self._process.wait()

    @property
    def running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.returncode is None

    def cpu(self) -> float:
        """Seconds of processor time so far, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK

    def memory(self) -> float:
        """Resident memory, in MB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0


def free_port() -> int:
    """A port on the loopback that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def machine() -> str:
    """What this runs on, in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {system}, load {load}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" for _ in head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
