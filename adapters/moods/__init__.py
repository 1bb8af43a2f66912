"""Moods, as a plugin."""

from __future__ import annotations

from adapters.moods.vader import Vader
from bot import RegisterAdapter, hookimpl
from bot.ports import MoodReader


@hookimpl
def register_adapters(register: RegisterAdapter) -> None:
    """Offer the reader; its lexicon is read at the first text."""
    register(MoodReader, Vader())
