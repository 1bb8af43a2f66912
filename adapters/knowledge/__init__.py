"""What the house knows, out of config/knowledge/*.md, as a plugin with its settings (section `knowledge`)."""

from __future__ import annotations

from pathlib import Path

from adapters.knowledge.files import KnowledgeFiles
from bot import PluginContext, RegisterAdapter, Section, hookimpl
from bot.ports import KnowledgeEngine

PAGES = Path(__file__).resolve().parents[2] / "config" / "knowledge"


class KnowledgeSettings(Section):
    """Where the pages are. `vectors` also compares by meaning, in 16 languages, and needs the extra `knowledge`."""

    folder: Path = PAGES
    vectors: bool = False


@hookimpl
def register_adapters(register: RegisterAdapter, context: PluginContext) -> None:
    """Offer the pages; they are read at the first question."""
    given = context.settings(KnowledgeSettings, "knowledge")
    register(KnowledgeEngine, KnowledgeFiles(given.folder, vectors=given.vectors))
