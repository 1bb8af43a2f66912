"""The router and OpenAI's client against a real model that runs on this machine: the protocol, not the wits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.app import App
from bot.ports import Ask, Chunk, Line, Llm, Params
from bot.settings import Settings
from tests import local_model

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not local_model.there("smollm2"), reason="SmolLM2 is not installed: python -m tests.local_model"
)

HELLO = Ask(
    task="answer",
    lines=(Line(role="user", text="Count from one to five in words."),),
    params=Params(max_tokens=40, temperature=0.0),
    deadline=120.0,
)


@asynccontextmanager
async def app(home: Path, url: str) -> AsyncIterator[App]:
    settings = Settings.load(environ={"OPENAI_BASE_URL": url}, options={"server.home": str(home)})
    settings.suggest("llm", "providers", str(ROOT / "config" / "providers.yaml"))
    builtins = ("adapters.llm", "channels.web", "skills.smalltalk.skill")
    made = App.build(settings, builtins=builtins, entry_points=False, serve=False)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def test_a_real_model_answers_whole_and_in_pieces_and_is_paid_for(tmp_path: Path) -> None:
    with local_model.serving("smollm2") as url:
        async with app(tmp_path, url) as made:
            llm = made.services.get(Llm)
            assert llm.there
            whole = await llm.complete(HELLO)
            assert whole.text.strip()
            assert (whole.rung, whole.provider) == ("model", "own")
            assert whole.usage.completion > 0

            chunks: list[Chunk] = [chunk async for chunk in llm.stream(HELLO)]
            shown = ""
            for chunk in chunks:
                shown = chunk.text if chunk.anew else shown + chunk.text
            assert len(chunks) > 3
            assert chunks[-1].answer is not None
            assert shown == chunks[-1].answer.text
        async with app(tmp_path, url) as made:
            [total] = await made.books.totals(("provider",))
            assert (total.names, total.calls, total.failed) == (("own",), 2, 0)
            assert total.completion_tokens > whole.usage.completion
