"""What docs/tools.md tells people to type works as it stands there: each curl, and the skill."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from bot import Skill
from bot.settings import Settings
from bot.testing import Bot
from bot.tools.catalogue import HOUSE
from bot.tools.settings import ToolSettings
from tests.bot.tools.support import ENGINES, desk

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
CURLS = [line for line in PAGE.splitlines() if line.startswith("curl ")]


def test_there_is_one_curl_for_each_tool_and_each_is_in_the_table() -> None:
    assert len(CURLS) == len(HOUSE)
    for tool in HOUSE:
        assert sum(tool.name in line for line in CURLS) == 1
        assert f"| `{tool.name}` |" in PAGE


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_every_curl_of_the_page_gets_an_answer(tmp_path: Path) -> None:
    here = tmp_path / "files"
    here.mkdir()
    for name in ("a.png", "b.png"):
        Image.radial_gradient("L").save(here / name)
    soundfile.write(here / "said.wav", np.random.default_rng(1).normal(0, 0.05, 16_000), 16_000)
    async with desk(tmp_path / "home", engines=ENGINES) as d:
        environ = {**os.environ, "TOKEN": d.token, "URL": d.app.url, "no_proxy": "*"}
        for line in CURLS:
            process = await asyncio.create_subprocess_shell(
                line, cwd=here, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            out, _ = await process.communicate()
            answer = json.loads(out)
            assert answer.get("tool_name"), (line, answer)
            assert answer["engine"] == "offline" and answer["by"] and 0 <= answer["confidence"] <= 1


async def test_the_skill_of_the_page_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(block, "docs/tools.md", "exec"), names)  # noqa: S102 - our own page
    skill = names["skill"]
    assert isinstance(skill, Skill)
    async with Bot(skill, "adapters.moods") as bot, bot.user() as u:
        await u.says("/tone")
        await bot.restart()
        await u.says("This is great, thank you!")
        u.sees("That sounds positive.")


def test_the_settings_file_has_the_defaults() -> None:
    given = Settings.load(ROOT / "config" / "frontdesk.yaml").section(ToolSettings, "tools")
    assert given == ToolSettings()
