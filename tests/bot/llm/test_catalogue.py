"""The file of providers: what it turns on, what it costs, and every mistake in it told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.llm.routing.catalogue import Price
from bot.llm.routing.choosing import Candidate, choose
from bot.llm.routing.reading import read_catalogue
from bot.ports.llm import Ask
from bot.ports.models import Audio, Line, ToolSpec, Usage
from tests.bot.llm.scripted import ask, catalogue, written

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "providers.yaml"


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, []),
        ({"OPENAI_API_KEY": "k"}, ["openai"]),
        ({"GROQ_API_KEY": "k"}, ["groq"]),
        ({"GEMINI_API_KEY": "k"}, ["gemini"]),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"}, ["own"]),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1", "OPENAI_API_KEY": "k"}, ["openai"]),
        ({"OPENAI_API_KEY": ""}, []),
    ],
)
def test_the_shipped_file_needs_no_edit(environ: dict[str, str], on: list[str]) -> None:
    problems: list[str] = []
    found = read_catalogue(SHIPPED, environ, problems)
    assert problems == []
    assert list(found.providers) == on
    for task in ("answer", "classify", "extract", "summarize", "judge", "a task of a skill"):
        assert bool(choose(found, Ask(task=task, lines=()), 10).candidates) == bool(on), task


def test_an_own_server_may_name_its_model() -> None:
    environ = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1", "OPENAI_MODEL": "Qwen/Qwen2.5-7B"}
    found = read_catalogue(SHIPPED, environ, [])
    assert choose(found, ask(), 10).candidates == (Candidate(provider="own", model="Qwen/Qwen2.5-7B"),)


WRONG = """
providers:
  openai:
    openai_setting:
      api_key: sk-this-is-a-secret
      base_url: api.openai.com
      headers: {X-Api-Key: hush}
    generation_params: {model: gpt-9, temprature: 1}
  own:
    openai_setting: {base_url: "http://127.0.0.1/v1"}
    generation_params: {model: a, temperature: warm}
    models: {a: {context: 5}}
"""

LOST = """
providers:
  own:
    openai_setting: {base_url: "http://127.0.0.1/v1"}
    generation_params: {model: a}
    models: {a: {}}
routes:
  answer: [own/b, onw, own]
"""


def test_every_mistake_is_told_at_once_with_its_line_and_no_secret(tmp_path: Path) -> None:
    found, problems = written(tmp_path, WRONG, {})
    assert found.providers == {}
    told = "\n".join(problems)
    for part in (
        "openai_setting.api_key",
        "OPENAI_API_KEY, write ${OPENAI_API_KEY} here",
        "headers.X-Api-Key",
        "should be an address",
        "temprature",
        "own.generation_params.temperature",
        "own.models.a.context",
        "line 5",
    ):
        assert part in told
    assert "sk-this" not in told
    assert "hush" not in told


def test_a_step_of_a_route_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    _, problems = written(tmp_path, LOST, {})
    assert len(problems) == 2
    assert "did you mean own/a?" in problems[0]
    assert "did you mean own?" in problems[1]


def test_a_provider_whose_own_model_is_unknown_is_told(tmp_path: Path) -> None:
    _, problems = written(tmp_path, LOST.replace("model: a}", "model: c}"), {})
    assert "which is not among its models" in problems[0]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    problems: list[str] = []
    read_catalogue(tmp_path / "no.yaml", {}, problems)
    assert "can't be read" in problems[0]


def test_prices_add_up_to_the_millionth() -> None:
    price = Price(input=0.4, cached=0.1, output=1.6)
    assert price.of(Usage(prompt=1_000_000, completion=1_000_000)) == 2_000_000
    assert price.of(Usage(prompt=1_000_000, cached=1_000_000)) == 100_000
    assert price.of(Usage(prompt=1)) == 1, "rounded up: nothing is free that is not"
    assert price.of(Usage()) == 0
    assert Price(input=0.075).of(Usage(prompt=1000)) == 75


TOOL = ToolSpec(name="t", description="", parameters={})


@pytest.mark.parametrize(
    ("asked", "tokens", "models"),
    [
        (ask(), 10, ["big", "small"]),
        (ask("long"), 10, ["big", "small", "huge"]),
        (ask("long"), 3000, ["big", "huge"]),
        (ask("long"), 50_000, ["huge"]),
        (ask("long"), 200_000, []),
        (ask("long", needs=("long_context",)), 10, ["huge"]),
        (ask("long", needs=("json",)), 10, ["big"]),
        (ask("long", quality=0.55), 10, ["big", "huge"]),
        (ask("long", language="pt-BR"), 10, ["big", "small"]),
        (ask("long", language="de-AT"), 10, ["big", "small", "huge"]),
        (ask("long", tools=(TOOL,)), 10, ["big", "small"]),
        (Ask(task="long", lines=(Line(role="user", pictures=("http://x/y.png",)),)), 10, ["huge"]),
        (Ask(task="long", lines=(Line(role="user", audio=(Audio(data="AAAA", format="wav"),)),)), 10, ["huge"]),
        (ask("long", needs=("hearing",)), 10, ["huge"]),
        (ask("long", needs=("hearing", "json")), 10, []),
        (ask("embed"), 10, ["vector", "vector"]),
        (ask("nobody knows this task"), 10, ["big", "small"]),
    ],
)
def test_who_may_answer(asked: Ask, tokens: int, models: list[str]) -> None:
    assert [candidate.model for candidate in choose(catalogue(), asked, tokens).candidates] == models


def test_on_a_lower_rung_the_cheapest_comes_first() -> None:
    assert [c.model for c in choose(catalogue(), ask("long"), 10, "cheaper").candidates] == ["small", "big", "huge"]


CONDITIONS = """
providers:
  a: &p
    openai_setting: {base_url: "http://a/v1"}
    generation_params: {model: m}
    models: {m: {context: 100000, abilities: [tools, vision], quality: 1.0}}
  b: *p
  c: *p
  d: *p
  e: *p
  f: *p
routes:
  answer:
    - {use: a, when: {needs: [vision]}}
    - {use: b, when: {longer: 1000}}
    - {use: c, when: {languages: [de]}}
    - {use: d, when: {quality: 0.9}}
    - {use: e, when: {budget: [cheaper]}}
    - {use: f, when: {shorter: 1000}}
"""


@pytest.mark.parametrize(
    ("more", "tokens", "level", "providers"),
    [
        ({}, 10, "free", "f"),
        ({}, 2000, "free", "b"),
        ({"needs": ("vision",)}, 10, "free", "af"),
        ({"language": "de"}, 10, "free", "cf"),
        ({"quality": 0.95}, 10, "free", "df"),
        ({}, 10, "cheaper", "ef"),
    ],
)
def test_steps_have_conditions(more: dict[str, object], tokens: int, level: str, providers: str) -> None:
    found = choose(catalogue(CONDITIONS), ask(**more), tokens, level)  # type: ignore[arg-type]  # of the table above
    assert "".join(candidate.provider for candidate in found.candidates) == providers


def test_the_shipped_prices_are_none_of_a_model_that_is_free_by_mistake() -> None:
    for name, part in yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["providers"].items():
        for model, about in part["models"].items():
            assert name == "own" or about["price"]["input"] > 0, model
