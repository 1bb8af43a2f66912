"""A bot stops when it is told to: in order if it can, and without ado if it can't."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import asyncio, sys, time
from bot.operations import serving

class App:
    plugins = None
    async def start(self):
        print("start", flush=True)
    async def stop(self):
        print("stop", flush=True)
        {stop}

async def ready():
    print("ready", flush=True)
    {ready}

serving.STOP_SECONDS = {patience}
serving.run(serving.serve(App(), ready))
print("end", flush=True)
"""


def begin(*, ready: str = "pass", stop: str = "pass", patience: float = 0.5) -> subprocess.Popen[str]:
    script = SCRIPT.format(ready=ready, stop=stop, patience=patience)
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, text=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    for line in process.stdout:
        if line == "ready\n":
            break
    time.sleep(0.1)
    return process


def end(process: subprocess.Popen[str]) -> tuple[int, list[str], float]:
    began = time.monotonic()
    out, _ = process.communicate(timeout=20)
    return process.returncode, out.split(), time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_in_order(number: signal.Signals) -> None:
    process = begin()
    process.send_signal(number)
    code, out, _ = end(process)
    assert (code, [line for line in out if line in ("stop", "end")]) == (0, ["stop", "end"])


@pytest.mark.parametrize("stuck", [{"stop": "await asyncio.sleep(60)"}, {"stop": "time.sleep(60)"}])
def test_what_does_not_stop_in_time_is_left(stuck: dict[str, str]) -> None:
    process = begin(**stuck)
    process.send_signal(signal.SIGTERM)
    code, out, seconds = end(process)
    assert code == 128 + signal.SIGTERM
    assert "end" not in out
    assert 0.4 < seconds < 5


@pytest.mark.parametrize("stuck", ["time.sleep(60)", "[0 for _ in iter(int, 1)]"])
def test_a_blocked_loop_is_no_reason_to_stay(stuck: str) -> None:
    process = begin(ready=stuck)
    process.send_signal(signal.SIGTERM)
    code, _, seconds = end(process)
    assert code == 128 + signal.SIGTERM
    assert seconds < 5


def test_a_second_signal_leaves_at_once() -> None:
    process = begin(stop="await asyncio.sleep(60)", patience=60.0)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert "stop\n" in iter(process.stdout.readline, ""), "it has begun to stop"
    process.send_signal(signal.SIGINT)
    code, out, seconds = end(process)
    assert code == 128 + signal.SIGINT
    assert "end" not in out
    assert seconds < 15, "a minute, if it were not for the second one"
