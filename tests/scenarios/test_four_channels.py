"""One skill on four channels: what each person sees is what the documentation says they see."""

from __future__ import annotations

from pathlib import Path

from tests.scenarios.four_channels import page, transcripts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "transcripts.md"


async def test_the_transcripts_are_what_people_see(tmp_path: Path) -> None:
    """Made again with `python -m tests.scenarios.four_channels > docs/transcripts.md`."""
    assert page(await transcripts(tmp_path)) == PAGE.read_text(encoding="utf-8")
