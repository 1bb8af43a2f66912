"""What every turn has of language models: who answers, which tools a skill offers, and what models are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.context import Summaries
from bot.llm.toolbox import BoundTool
from bot.phrases import Phrases
from bot.ports.llm import Llm
from bot.ports.tools import Tools
from bot.prompts import Prompts
from bot.tools.usage import UsageLog


@dataclass(frozen=True, slots=True)
class Models:
    """The same for all turns: `find` gives who answers, `tools` a skill's tools by name, `usage` takes their calls, and
    `house` has the house's tools.
    """

    find: Callable[[], Llm]
    tools: Callable[[str], Mapping[str, BoundTool]]
    phrases: Phrases
    prompts: Prompts
    summaries: Summaries
    usage: UsageLog
    house: Callable[[], Tools]

    @property
    def llm(self) -> Llm:
        """Who answers."""
        return self.find()
