"""The command line, as an operator and a skill's author meet it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Shell:
    """Runs run.py with a home of its own and nothing else exported."""

    def __init__(self, home: Path) -> None:
        self.home = home
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("FRONTDESK_", "PYTEST"))}
        self.environ = inherited | {"FRONTDESK_HOME": str(home), "PORT": "0"}

    def run(self, *arguments: str, stdin: str = "", port: str = "0") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "run.py", *arguments],
            cwd=ROOT,
            env=self.environ | {"PORT": port},
            input=stdin,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def serve(self) -> tuple[subprocess.Popen[str], str]:
        """A bot that runs, and what it said when it was ready."""
        process = subprocess.Popen(
            [sys.executable, "run.py"], cwd=ROOT, env=self.environ, text=True, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Stop it"):
                break
        return process, said


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def running(shell: Shell) -> Iterator[tuple[Shell, subprocess.Popen[str], str]]:
    process, said = shell.serve()
    yield shell, process, said
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=10)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_bot_serves_answers_commands_and_stops(running: tuple[Shell, subprocess.Popen[str], str]) -> None:
    shell, process, said = running
    demo, console, health = re.findall(r"http://127\.0\.0\.1:\d+/\S*", said)
    assert get(demo)[0] == 200
    assert "token=" in console
    assert f"kill -9 {process.pid}:" in said
    assert get(console)[0] == 200
    assert json.loads(get(health)[1])["status"] == "ok"
    assert get(health.replace("healthz", "readyz"))[0] == 200

    link = shell.run("console-link", "Ann").stdout.strip()
    assert link.startswith(demo)
    assert get(link)[0] == 200
    assert shell.run("dead-letters").stdout == "No turn was given up, and everything could be read.\n"
    unknown = shell.run("explain", "c00000000000000000000.1")
    assert (unknown.returncode, unknown.stderr.strip()) == (1, "there is no turn c00000000000000000000.1 (yet)")

    second = shell.run()
    assert second.returncode == 1
    assert "in use by another Frontdesk" in second.stderr
    (shell.home / "news.yaml").write_text("name: news\ntext: News!\n")
    preview = shell.run("broadcast", "preview", str(shell.home / "news.yaml"))
    assert preview.stdout.startswith("news: 0 people"), preview.stderr
    assert "Traceback" not in second.stderr
    assert "token=" in shell.run("console-link", "Bo").stdout, "the second one must not disturb the first"

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    assert time.monotonic() - began < 10
    assert shell.run("dead-letters").stdout == "No turn was given up, and everything could be read.\n", (
        "also without a running bot"
    )
    assert shell.run("opt-outs").stdout == "Nobody has opted out, and nobody has blocked the bot.\n"
    unknown = shell.run("dead-letters", "show", "u0")
    assert (unknown.returncode, "there is no dead letter 'u0'" in unknown.stderr) == (1, True)
    assert "must be there to read the letter" in shell.run("dead-letters", "resubmit", "u0").stderr


def test_mistakes_are_told_in_sentences(shell: Shell) -> None:
    wrong = shell.run("--set", "server.prot=1", "--set", "web.nonsense=1", "check", port="eighty")
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
    assert "server.prot (--set server.prot): there is no such setting; did you mean port?" in wrong.stderr
    assert "web.nonsense (--set web.nonsense): there is no such setting" in wrong.stderr
    assert "server.port (PORT): should be a whole number" in wrong.stderr


def test_a_taken_port_is_told_in_a_sentence(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = shell.run(port=port)
    assert refused.returncode == 1
    assert f"Port {port} is taken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_shipped_settings_are_right_and_say_the_defaults(shell: Shell) -> None:
    checked = shell.run("check")
    assert checked.returncode == 0, checked.stderr
    assert "ok      channels.web" in checked.stdout


def test_chat_talks_as_another_channel_and_goes_on_next_time(shell: Shell) -> None:
    first = shell.run("chat", "--as", "kim", "--channel", "sms", stdin="hello\n")
    assert first.returncode == 0, first.stderr
    assert "bot: " in first.stdout
    assert not (shell.home / "frontdesk.db").exists(), "it must not meet the server's store"
    assert (shell.home / "chat" / "frontdesk.db").exists()


def test_a_dropped_file_is_there_and_a_broken_one_is_told(shell: Shell) -> None:
    folder = shell.home / "plugins"
    folder.mkdir(parents=True)
    (folder / "coffee.py").write_text(
        "from bot import Skill, Turn\n\nskill = Skill('coffee', 'Makes coffee.')\n\n\n"
        "@skill.command('/coffee')\nasync def make(turn: Turn) -> None:\n    await turn.say('One coffee.')\n"
    )
    (folder / "broken.py").write_text("def f(:\n")
    checked = shell.run("check")
    assert checked.returncode == 1
    assert "ok      coffee" in checked.stdout
    assert "broken.py:1: invalid syntax" in checked.stdout
    assert "bot: One coffee." in shell.run("--set", f"plugins.folders={folder}", "chat", stdin="/coffee\n").stdout


PROMPT = "---\nversion: {0}\nchanged: Number {0}.\n---\n# instructions\n\nBe brief.\n"


def test_prompts_are_listed_tested_and_rolled_back_in_a_bot_that_runs(shell: Shell) -> None:
    folder = shell.home / "prompts" / "answer"
    folder.mkdir(parents=True)
    (folder / "shop.md").write_text(PROMPT.format(2))
    (folder / "shop@1.md").write_text(PROMPT.format(1))
    (folder / "shop.cases.yaml").write_text("cases:\n  - name: is brief\n    expect: [{shorter_than: 9}]\n")
    process, _ = shell.serve()
    try:
        assert "answer/shop\n  @2  100%       Number 2.\n  @1  nobody     Number 1." in shell.run("prompts").stdout
        assert "answer/shop@1 goes to 100%." in shell.run("prompts", "rollback", "answer/shop").stdout
        assert "  @2  withdrawn  Number 2.\n  @1  100%       Number 1." in shell.run("prompts").stdout
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert "answer/shop@2 is back." in shell.run("prompts", "restore", "answer/shop@2").stdout, "without a running bot"

    tested = shell.run("test-prompts", "answer/shop")
    assert tested.returncode == 1
    assert "  FAILED  is brief\n          no answer is recorded: python run.py test-prompts --live" in tested.stdout
    (folder / "shop.md").write_text(PROMPT.format("two"))
    checked = shell.run("check")
    assert checked.returncode == 1
    assert "prompts/answer/shop.md line 2: version: should be a whole number" in checked.stderr
    assert "Traceback" not in checked.stderr
