"""What composing the bot refuses before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import StartError
from bot.app import App
from bot.settings import Settings


def test_redis_without_postgres_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    settings = Settings.load(environ={"REDIS_URL": "redis://cache"}, options={"server.home": str(tmp_path)})
    with pytest.raises(StartError, match="REDIS_URL is set, but DATABASE_URL is not"):
        App.build(settings, entry_points=False, serve=False)
