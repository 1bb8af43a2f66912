"""What composing the bot refuses before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import StartError
from bot.app import App
from bot.settings import Settings


def test_a_database_that_can_not_be_used_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    settings = Settings.load(
        environ={"DATABASE_URL": "postgresql://db.example/frontdesk"}, options={"server.home": str(tmp_path)}
    )
    with pytest.raises(StartError, match="DATABASE_URL is set"):
        App.build(settings, entry_points=False, serve=False)
