"""The router in a whole bot: from its settings, behind the port Llm, and there even if no model is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import SeededEntropy
from bot.errors import NoAnswer, SettingsError
from bot.llm.cache import LocalShelf
from bot.llm.opening import open_router
from bot.llm.routing.router import Router
from bot.llm.spending.books import Ledger
from bot.llm.spending.budgets import BudgetSettings
from bot.phrases import Phrases
from bot.ports.llm import Llm
from bot.services import Services
from bot.settings import Settings
from bot.skill import Skill
from bot.store.sqlite import SqliteStore
from bot.testing import Bot
from bot.testing.clock import VirtualClock
from bot.turn import Turn
from tests.bot.llm.scripted import CATALOGUE, ask

WITH_KEY = """
providers:
  openai:
    openai_setting: {api_key: "${OPENAI_API_KEY}", base_url: "http://127.0.0.1:1/v1"}
    generation_params: {model: m}
    models: {m: {}}
routes: {answer: [openai]}
"""


def talker() -> Skill:
    skill = Skill("talker", "Talks.")

    @skill.command("/talk")
    async def talk(turn: Turn, llm: Llm) -> None:
        await turn.say("There is a model." if llm.there else "There is none.")

    return skill


async def test_a_skill_gets_the_port_without_any_model() -> None:
    async with Bot(talker()) as bot, bot.user() as user:
        await user.says("/talk")
        user.sees("There is none.")


async def test_a_skill_gets_the_models_of_the_file(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    file = tmp_path / "providers.yaml"
    file.write_text(CATALOGUE, encoding="utf-8")
    async with Bot(talker(), "adapters.llm", options={"llm.providers": str(file)}) as bot, bot.user() as user:
        await user.says("/talk")
        user.sees("There is a model.")
        assert bot.app.llm.models == ["one/big", "one/vector", "two/small", "two/huge", "two/vector"]


async def test_without_the_client_nothing_breaks(tmp_path: Path) -> None:
    """Nobody has registered Providers, as where `openai` is not installed."""
    file = tmp_path / "providers.yaml"
    file.write_text(CATALOGUE, encoding="utf-8")
    async with Bot(talker(), options={"llm.providers": str(file)}) as bot, bot.user() as user:
        await user.says("/talk")
        user.sees("There is none.")
        with pytest.raises(NoAnswer):
            await bot.app.llm.complete(ask())


def test_mistakes_in_the_file_are_told_with_all_others(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(CATALOGUE.replace("max_tokens: 100", "max_tokens: many"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        settings = Settings.load(options={"llm.providers": str(file), "log.level": "loud"})
        _opened(settings, tmp_path)
        settings.check(complete=False)
    assert "max_tokens" in str(caught.value)


def test_a_key_is_kept_out_of_the_log(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(WITH_KEY, encoding="utf-8")
    settings = Settings.load(environ={"OPENAI_API_KEY": "sk-hush"}, options={"llm.providers": str(file)})
    router = _opened(settings, tmp_path)
    settings.check()
    assert "sk-hush" in settings.secrets
    assert router.models == ["openai/m"]
    assert "sk-hush" not in repr(router._supply.catalogue)


def test_the_program_may_suggest_what_the_operator_does_not_say(tmp_path: Path) -> None:
    settings = Settings.load(options={"llm.providers": "theirs.yaml"})
    settings.suggest("llm", "providers", "ours.yaml")
    _opened(settings, tmp_path)
    with pytest.raises(SettingsError, match=r"theirs\.yaml"):
        settings.check()


def _opened(settings: Settings, home: Path) -> Router:
    clock = VirtualClock()
    books = Ledger(SqliteStore(home / "x.db"), clock, SeededEntropy(1), BudgetSettings())
    return open_router(settings, Services(), clock, Phrases(), books=books, shelf=LocalShelf(clock))
