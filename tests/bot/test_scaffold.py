"""`new skill` writes a skill that is found without editing anything, and a test that passes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import StartError
from bot.scaffold import new_skill

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bot", "channels", "skills", "adapters", "handoff", "config")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the repository, without its tests."""
    root = tmp_path / "checkout"
    for room in ROOMS:
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("run.py", "pyproject.toml", "tests/conftest.py"):
        (root / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    return root


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("FRONTDESK_", "PORT", "PYTEST"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env=clean | {"FRONTDESK_HOME": str(root / "var")},
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_a_new_skill_runs_at_once_and_its_test_passes(checkout: Path) -> None:
    written = run(checkout, "run.py", "new", "skill", "opening_hours")
    assert written.returncode == 0, written.stderr
    assert "wrote skills/opening_hours/skill.py" in written.stdout

    checked = run(checkout, "run.py", "check")
    assert "ok      skills.opening_hours.skill" in checked.stdout, checked.stdout + checked.stderr

    tested = run(checkout, "-m", "pytest", "-q", "tests/skills/opening_hours")
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout

    skill = checkout / "skills" / "opening_hours" / "skill.py"
    skill.write_text(skill.read_text(encoding="utf-8").replace("it is.", "it was."), encoding="utf-8")
    assert run(checkout, "-m", "pytest", "-q", "tests/skills/opening_hours").returncode == 1, "its test can fail"

    skill.write_text("boom\n", encoding="utf-8")
    checked = run(checkout, "run.py", "check")
    assert checked.returncode == 1
    assert "broken  skills.opening_hours.skill: skills/opening_hours/skill.py:1: NameError" in checked.stdout


def test_what_it_writes_is_in_the_style_of_the_house(tmp_path: Path) -> None:
    files = [str(file) for file in new_skill("tea", tmp_path)]
    assert len(files) == 3
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"), *files]
        done = subprocess.run(ruff, text=True, capture_output=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Tea", "9lives", "my-skill", "../up", "class", "", "a" * 60])
def test_a_name_that_cannot_be_used_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(StartError, match="one word"):
        new_skill(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    new_skill("tea", tmp_path)
    (tmp_path / "skills" / "tea" / "skill.py").write_text("mine")
    with pytest.raises(StartError, match="is there already"):
        new_skill("tea", tmp_path)
    assert (tmp_path / "skills" / "tea" / "skill.py").read_text() == "mine"
