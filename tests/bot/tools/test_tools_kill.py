"""A job survives kill -9 of the bot that had begun it: the real program, twice, on one home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[3]

PLUGIN = """
import asyncio
from pathlib import Path
from bot import hookimpl
from bot.ports import Finding, Mood, MoodReader

GATE = Path(__file__).with_name("gate")

class Waits(MoodReader):
    async def find(self, asked):
        with GATE.with_name("begun").open("a") as file:
            file.write("x")
        while not GATE.exists():
            await asyncio.sleep(0.02)
        mood = Mood(mood="neutral", valence=0, positive=0, neutral=1, negative=0)
        return Finding(result=mood, confidence=0.5, by="waits")

@hookimpl
def register_adapters(register):
    register(MoodReader, Waits())
"""


@contextmanager
def bot(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environ = {**os.environ, "FRONTDESK_HOME": str(home), "PORT": str(port)}
    options = ("--set", "plugins.disabled=adapters.moods", "--set", "tools.lease=1")
    command = [sys.executable, str(ROOT / "run.py"), *options]
    process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(lambda: urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200)
        yield process
    finally:
        process.kill()
        process.wait()


def wait(condition: object) -> object:
    deadline = time.monotonic() + 60
    while True:
        try:
            found = condition()  # type: ignore[operator]
            if found:
                return found
        except OSError:
            pass
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def ask(port: int, token: str, path: str, body: object = None) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"http://127.0.0.1:{port}/api/v1/tools/{path}", data=data, headers=headers)
    with urlopen(request, timeout=10) as response:  # noqa: S310 - our own address
        found: dict[str, object] = json.loads(response.read())
        return found


def test_a_job_survives_kill_9(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "waits.py").write_text(PLUGIN)
    begun, port = tmp_path / "plugins" / "begun", free_port()
    with bot(tmp_path, port) as process:
        environ = {**os.environ, "FRONTDESK_HOME": str(tmp_path)}
        command = [sys.executable, str(ROOT / "run.py"), "tools", "token", "tester"]
        shown = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        token = shown.split()[1]
        call = {"tool_name": "MOOD", "arguments": {"text": "hm"}, "mode": "async"}
        job = str(ask(port, token, "execute", call)["job_id"])
        wait(begun.exists)
        process.send_signal(signal.SIGKILL)
        process.wait()
    (tmp_path / "plugins" / "gate").touch()
    with bot(tmp_path, port):
        done = wait(lambda: (found := ask(port, token, f"jobs/{job}"))["status"] == "done" and found)
        assert isinstance(done, dict) and done["answer"]["by"] == "waits"
        assert begun.read_text() == "xx", "once before the kill, once after"
