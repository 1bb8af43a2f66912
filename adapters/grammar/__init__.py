"""Grammar, as a plugin."""

from __future__ import annotations

from adapters.grammar.harper import Harper
from bot import RegisterAdapter, hookimpl
from bot.ports import GrammarChecker


@hookimpl
def register_adapters(register: RegisterAdapter) -> None:
    """Offer the checker; its dictionary is read at the first text."""
    register(GrammarChecker, Harper())
