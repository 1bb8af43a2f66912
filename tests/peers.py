"""Programs that nobody here wrote, on the other side of the wire: emulators of the platforms.

Install them with `python -m tests.peers` (npm and PyPI, about 400 MB into var/); .ci/run does. The tests against them
are skipped by name where they are missing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "var" / "peers-of-tests"
MODULES = FOLDER / "node" / "node_modules"

LOCAL_SLACK = MODULES / "local-slack-linux-x64" / "bin" / "local-slack"
NODE = MODULES / ".bin" / "node"
"""emulate needs Node 22.15, which is newer than what many machines have."""
EMULATE = MODULES / ".bin" / "emulate"
AIMOCK = MODULES / ".bin" / "llmock"
TELEMELYA = FOLDER / "telemelya" / "bin" / "telemelya-server"

NPM = ("local-slack-linux-x64@0.1.8", "emulate@0.12.2", "@copilotkit/aimock@1.43.0", "node@24")
PYPI = ("telemelya==0.2.2",)
NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of Linux."""

HOW = "is not installed: python -m tests.peers"


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """A network with nothing in it but this thread and the programs that it starts: some emulators listen everywhere.

    Skips the test where only root could make one.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if shutil.which("ip") is None or libc.unshare(NEW_NETWORK):
            pytest.skip("it listens on every address; a network of its own takes root and iproute2")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            libc.setns(before, NEW_NETWORK)
    finally:
        os.close(before)


def install() -> int:
    """Install what is missing; 1 when something could not be."""
    failed = 0
    if not all(program.exists() for program in (LOCAL_SLACK, EMULATE, AIMOCK, NODE)):
        npm = shutil.which("npm")
        quiet = ("--no-audit", "--no-fund", "--loglevel=error")
        failed |= _run([npm, "install", "--prefix", str(FOLDER / "node"), *quiet, *NPM]) if npm else _missing("npm")
    if not TELEMELYA.exists():
        venv.create(FOLDER / "telemelya", with_pip=True)
        failed |= _run([str(TELEMELYA.with_name("pip")), "install", "-qq", "--disable-pip-version-check", *PYPI])
    return failed


def _run(command: list[str]) -> int:
    return int(subprocess.run(command, check=False).returncode != 0)


def _missing(what: str) -> int:
    sys.stderr.write(f"There is no {what}: the tests against emulators that need it will be skipped.\n")
    return 1


if __name__ == "__main__":
    sys.exit(install())
