"""Whatever a model does, the person gets one complete answer or one honest sentence, and the books are right."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("openai")

from tests.scenarios.model_failures import CASES, Case, play, row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_the_person_gets_one_answer_or_one_sentence(case: Case) -> None:
    """Make the table again with `python -m tests.scenarios.model_failures`, and put it into docs/models.md."""
    outcome, wrong = await play(case)
    assert wrong == []
    assert row(case, outcome) in PAGE.read_text(encoding="utf-8")
