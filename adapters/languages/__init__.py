"""Language detection, as a plugin with its settings (section `languages`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from adapters.languages.langid import USUAL, Langid
from bot import PluginContext, RegisterAdapter, Section, hookimpl
from bot.ports import LanguageDetector


class LanguageSettings(Section):
    """The languages that people write to this bot; the fewer, the surer."""

    among: Annotated[tuple[str, ...], Field(min_length=1)] = USUAL


@hookimpl
def register_adapters(register: RegisterAdapter, context: PluginContext) -> None:
    """Offer the detector; its model is read at the first text."""
    register(LanguageDetector, Langid(context.settings(LanguageSettings, "languages").among))
