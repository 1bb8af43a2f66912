"""What a plugin gets when it registers: settings, its place on disk, time, randomness, the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from bot.clock import Clock, Entropy
from bot.settings import Settings
from bot.store.database import Database

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PluginContext:
    """The same for all plugins. The database is opened after registration: keep it, and use it from `start` on."""

    given: Settings
    home: Path
    clock: Clock
    entropy: Entropy
    database: Database
    public_url: str

    def settings(self, model: type[M], section: str) -> M:
        """This plugin's settings. Mistakes in them are gathered and told together with all others."""
        return self.given.section(model, section)
