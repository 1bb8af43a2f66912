"""The examples in the README and the author's guide are run as they stand: a page that lies fails here."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bot import Env, Skill
from bot.context import Excerpt
from bot.prompts import visible
from bot.prompts.cases import cases_of
from bot.testing import Bot, FakeLlm, calling
from channels.slack.settings import SlackSettings
from channels.sms.settings import SmsSettings
from channels.telegram.settings import TelegramSettings
from tests.bot.prompts.folders import loaded as prompts_of
from tests.bot.prompts.test_trying import Model

ROOT = Path(__file__).parents[1]
JUDGE = ROOT / "config" / "prompts" / "judge" / "answer.md"
FILES = r"`((?:bot|channels|skills|adapters|handoff|benchmarks|tests)/[\w./]+)`"


def blocks(page: str) -> list[str]:
    """The Python blocks of a page, in order."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


async def test_the_readme_skill_passes_the_readme_test(monkeypatch: pytest.MonkeyPatch) -> None:
    skill, test = blocks("README.md")[:2]
    module = ModuleType("plugins.coffee")
    module.__file__ = None
    monkeypatch.setitem(sys.modules, "plugins", ModuleType("plugins"))
    monkeypatch.setitem(sys.modules, "plugins.coffee", module)
    exec(compile(skill, "README.md", "exec"), module.__dict__)  # noqa: S102 - our own page
    names: dict[str, object] = {}
    exec(compile(test, "README.md", "exec"), names)  # noqa: S102
    run = names["test_coffee_over_a_restart"]
    assert callable(run)
    await run()


async def test_the_guides_example_of_a_test_runs() -> None:
    (example,) = [block for block in blocks("docs/skills.md") if "bot.restart()" in block]
    lines = "\n".join(f"    {line}" for line in example.splitlines())
    names: dict[str, object] = {}
    exec(f"from bot.testing import Bot\nasync def example():\n{lines}\n", names)  # noqa: S102
    run = names["example"]
    assert callable(run)
    await run()


async def test_the_guides_skill_with_a_model_does_what_the_guide_says() -> None:
    (example,) = [block for block in blocks("docs/skills.md") if "turn.llm.act" in block]
    names: dict[str, object] = {}
    exec(f"from bot import Skill, Turn\n{example}", names)  # noqa: S102
    skill = names["skill"]
    assert isinstance(skill, Skill)
    llm = FakeLlm(calling(("stock", {"size": 42})), calling(("reserve", {"size": 42})), "Yours until tomorrow.")
    async with Bot(skill, llm=llm) as bot, bot.user(channel="sms") as u:
        await u.says("is size 42 there")
        u.sees("Reserve one pair in 42 for you?", "1) Yes")
        await u.says("yes")
        u.sees("Yours until tomorrow.")
    results = [line.text for line in llm.asked[-1].lines if line.role == "tool"]
    assert results == ["42: 3 pairs", "reserved: 1 x 42"]


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")))])
def test_every_link_and_file_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    here = (ROOT / page).parent
    links = [link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not link.startswith("http")]
    files = [name for name in re.findall(FILES, text) if "NAME" not in name]
    missing = [link for link in links if not (here / link).exists()] + [f for f in files if not (ROOT / f).exists()]
    assert not missing


def test_the_variables_that_the_channels_page_names_are_those_that_the_channels_read() -> None:
    read = {
        mark.name
        for section in (SlackSettings, SmsSettings, TelegramSettings)
        for field in section.model_fields.values()
        for mark in field.metadata
        if isinstance(mark, Env)
    }
    named = set(
        re.findall(r"`((?:SLACK|TELEGRAM|TWILIO)_\w+)`", (ROOT / "docs/channels.md").read_text(encoding="utf-8"))
    )
    assert named == read


async def test_the_prompts_page_shows_a_prompt_that_works(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "prompts.md").read_text(encoding="utf-8")
    (prompt,) = re.findall(r"```markdown\n(.*?)```", page, re.DOTALL)
    (cases,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (example,) = blocks("docs/prompts.md")
    prompts = prompts_of(
        tmp_path,
        {"answer/shop.md": prompt, "answer/shop.cases.yaml": cases, "judge/answer.md": JUDGE.read_text("utf-8")},
    )
    assert [case.name for case in cases_of(prompts.library)["answer/shop"]] == ["knows the rule for returns"]
    lines = "\n".join(f"    {line}" for line in example.splitlines())
    names: dict[str, object] = {"Excerpt": Excerpt, "visible": visible}
    exec(f"async def example(prompts, llm, history):\n{lines}\n    return rendered, text\n", names)  # noqa: S102
    run = names["example"]
    assert callable(run)
    rendered, text = await run(prompts, Model({"Within 30": "<thinking>hm</thinking>Within 30 days."}), [])
    assert text == "Within 30 days."
    assert rendered.prompt == "answer/shop@1"
    (shown,) = re.findall(r"```\n(<data.*?)\n```", page, re.DOTALL)
    assert shown in rendered.lines[-1].text
