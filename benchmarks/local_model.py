"""The program with a real small model on this machine, and the same five requests with no model at all.

    .venv/bin/python -m tests.local_model install qwen      once; 1.1 GB
    .venv/bin/python -m benchmarks.local_model > docs/local-model.md

A widget's socket is the person; `run.py` and the model's server are processes of their own. With --model smollm2 the
small one is asked, which knows the protocol and little else.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.local_model import serving, there

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 240.0

REQUESTS = (
    ("An answer as it comes", "/stream Which shoes do you recommend for running in the rain, and why?"),
    ("A tool call", "/tool Do you have running shoes in size 43?"),
    ("An extraction", "/extract My order 1000123 came with torn laces. The trail shoes are useless, I want a refund!"),
    ("A label", "/label I have been waiting for my parcel for two weeks, where is it?"),
    (
        "A summary",
        "/gist The parcel left the warehouse on Monday. On Tuesday it was scanned in Graz. The customer called on "
        "Wednesday because it had not arrived. The carrier found it in the wrong van on Thursday. It will be "
        "delivered on Friday morning, and the customer gets a voucher of five euros.",
    ),
)


@dataclass
class Said:
    """What the person saw: drafts with their times, then the message."""

    text: str = ""
    drafts: list[float] = field(default_factory=list)
    seconds: float = 0.0


@contextmanager
def program(home: Path, model_url: str) -> Iterator[str]:
    """`run.py` with the skill of the five requests; its address."""
    (home / "plugins").mkdir(parents=True)
    shutil.copy(ROOT / "benchmarks" / "local" / "skill.py", home / "plugins" / "five.py")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"FRONTDESK_HOME": str(home), "PORT": str(port), "FRONTDESK_LOG__LEVEL": "error"}
    kept = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_BASE_URL"))}
    environment = kept | told | ({"OPENAI_BASE_URL": model_url} if model_url else {})
    command = [sys.executable, "run.py"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            url = url or next(iter(re.findall(r"demo page\s+(\S+)", line)), "")
            if line.startswith("Stop it"):
                break
        yield url.rstrip("/")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


async def ask(url: str, text: str) -> Said:
    """Say it on a widget's socket, and wait for the answer."""
    said, began = Said(), time.monotonic()
    async with aiohttp.ClientSession() as http, http.ws_connect(url + "/channels/web/ws", origin=url) as line:
        await line.send_json({"t": "hello"})
        await line.send_json({"t": "say", "text": text, "client_id": os.urandom(8).hex()})
        async with asyncio.timeout(PATIENCE):
            async for message in line:
                frame = message.json()
                if frame["t"] == "draft":
                    said.drafts.append(time.monotonic() - began)
                elif frame["t"] == "message" and frame["from"] == "bot":
                    said.text, said.seconds = frame["text"], time.monotonic() - began
                    return said
    return said


async def all_of_them(url: str) -> list[Said]:
    """The five requests, one after the other, each by somebody new."""
    return [await ask(url, text) for _, text in REQUESTS]


def told(said: Said) -> str:
    """What was seen, for a cell of a table."""
    text = said.text.replace("\n", "<br>").replace("|", "\\|")
    if said.drafts:
        text += f"<br>*(first words after {said.drafts[0]:.1f} s, {len(said.drafts)} pieces)*"
    return f"{text}<br>*{said.seconds:.1f} s*"


async def main(model: str) -> None:
    """Print the page."""
    answers: dict[str, list[Said]] = {}
    for name in (model, ""):
        with (
            tempfile.TemporaryDirectory() as folder,
            serving(name) if name else nullcontext("") as model_url,
            program(Path(folder), model_url) as url,
        ):
            answers[name] = await all_of_them(url)
    print(HEAD.format(model=model))
    print(f"| | the person writes | {model} | no model |\n|---|---|---|---|")
    for (title, text), with_model, without in zip(REQUESTS, answers[model], answers[""], strict=True):
        words = text.partition(" ")[2]
        print(f"| {title} | {words} | {told(with_model)} | {told(without)} |")


HEAD = """# The same five requests, with a small model on this machine and with none

Made by `python -m benchmarks.local_model > docs/local-model.md`, with the model "{model}" of `tests/local_model.py`
behind OpenAI's protocol; what it says is as it came. The person sits at a widget's socket; each request is a command
of `benchmarks/local/skill.py`.
"""

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="qwen")
    chosen = parser.parse_args().model
    if not there(chosen):
        sys.exit(f"{chosen} is not installed: python -m tests.local_model install {chosen}")
    asyncio.run(main(chosen))
