"""Pronunciation, as a plugin."""

from __future__ import annotations

from adapters.pronunciation.sphinx import Sphinx
from bot import RegisterAdapter, hookimpl
from bot.ports import PronunciationChecker


@hookimpl
def register_adapters(register: RegisterAdapter) -> None:
    """Offer the checker; its process starts with the first recording."""
    register(PronunciationChecker, Sphinx())
