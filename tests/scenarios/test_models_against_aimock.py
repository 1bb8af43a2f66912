"""The same failures as aimock makes them: a mock server of models that nobody here wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

pytest.importorskip("openai")

from tests.peers import AIMOCK, HOW, NODE
from tests.scenarios.model_failures import CALL, TEXT, TRACK, Case, play
from tests.servers import free_port

PROGRAM = str(NODE) if NODE.exists() else shutil.which("node")
pytestmark = pytest.mark.skipif(not AIMOCK.exists() or PROGRAM is None, reason=f"aimock {HOW}")

SAYS = {"content": TEXT}


def error(status: int, code: str, retry_after: int | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"error": {"message": "as the test wants it", "type": code, "code": code}, "status": status}
    return told | ({"retryAfter": retry_after} if retry_after is not None else {})


CASES: tuple[tuple[Case, dict[str, Any], tuple[str, ...]], ...] = (
    (Case("chat", (), by="one", stream=False), {"response": SAYS}, ()),
    (Case("stream", (), by="one"), {"response": SAYS}, ()),
    (
        Case("tools", (), "the call", "one", tools=(TRACK,)),
        {"response": {"toolCalls": [{"name": "track", "arguments": '{"number": "1000123"}'}]}},
        (),
    ),
    (
        Case("a call in the text", (), "the call", "one", tools=(TRACK,)),
        {"response": {"content": f"```json\n{CALL}\n```"}},
        (),
    ),
    (Case("429", ()), {"response": error(429, "rate_limit_exceeded", 30)}, ()),
    (Case("500", ()), {"response": error(500, "server_error")}, ()),
    (Case("slow first token", ()), {"response": SAYS, "streamingProfile": {"ttft": 30000, "tps": 50}}, ()),
    (Case("slow stream", (), by="one"), {"response": SAYS, "streamingProfile": {"ttft": 50, "tps": 20}}, ()),
    (Case("truncated stream", ()), {"response": SAYS, "truncateAfterChunks": 5}, ("--chunk-size", "8")),
    (Case("disconnected", ()), {"response": SAYS, "latency": 100, "disconnectAfterMs": 450}, ("--chunk-size", "8")),
    (Case("malformed", ()), {"response": SAYS}, ("--chaos-malformed", "1")),
    (Case("hangs up", ()), {"response": SAYS}, ("--chaos-disconnect", "1")),
    (Case("nothing fits: 404", ()), {"match": {"userMessage": "something else"}, "response": SAYS}, ()),
)


@pytest.mark.parametrize(("case", "fixture", "options"), CASES, ids=[case.name for case, _, _ in CASES])
async def test_the_person_gets_one_answer_or_one_sentence(
    case: Case, fixture: dict[str, Any], options: tuple[str, ...], tmp_path: Path
) -> None:
    with aimock(tmp_path, {"match": {"userMessage": "parcel"}, **fixture}, options) as url:
        outcome, wrong = await play(case, url=url)
    assert wrong == []
    assert outcome.answer is not None
    if case.by == "one" and not any(entry.problem for entry in outcome.books.entries):
        assert outcome.answer.usage.prompt > 0


@contextmanager
def aimock(folder: Path, fixture: dict[str, Any], options: tuple[str, ...]) -> Iterator[str]:
    """A process of its own with one fixture."""
    port = free_port()
    file = folder / "fixtures.json"
    file.write_text(json.dumps({"fixtures": [fixture]}), encoding="utf-8")
    command = [str(PROGRAM), str(AIMOCK.resolve()), "-p", str(port), "-f", str(file), "--log-level", "warn", *options]
    with (folder / "log").open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, folder / "log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - our own
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())
