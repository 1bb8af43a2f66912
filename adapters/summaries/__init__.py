"""Summaries, as a plugin."""

from __future__ import annotations

from adapters.summaries.textrank import TextRank
from bot import RegisterAdapter, hookimpl
from bot.ports import Summarizer


@hookimpl
def register_adapters(register: RegisterAdapter) -> None:
    """Offer the summarizer."""
    register(Summarizer, TextRank())
