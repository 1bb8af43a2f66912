"""Language models over OpenAI's protocol, as a plugin: OpenAI, Groq, Gemini, and servers of one's own.

Without the package `openai` there is no adapter, and the bot runs without language models.
"""

from __future__ import annotations

from importlib.util import find_spec

from adapters.llm.openai import OpenAIProviders
from bot import RegisterAdapter, hookimpl
from bot.ports import Providers


@hookimpl
def register_adapters(register: RegisterAdapter) -> None:
    """Offer to open providers; the client itself, half a second of imports, is loaded when the first one is opened."""
    if find_spec("openai") is not None:
        register(Providers, OpenAIProviders())
